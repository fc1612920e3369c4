/** What the icons of a card's header look like, on 24 by 24 pixels: strokes in the text's colour. */
const SHAPES = {
  pin: "M8 4h8M9.5 4v7L6 15h12l-3.5-4V4M12 15v6",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  window: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  more: "M12 5v.1M12 12v.1M12 19v.1",
} as const;

export function Icon({ shape }: { shape: keyof typeof SHAPES }) {
  return (
    <svg class={`icon icon-${shape}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={SHAPES[shape]} />
    </svg>
  );
}

interface Props {
  shape: keyof typeof SHAPES;
  /** The same whether it is pressed or not: screen readers say which. */
  name: string;
  /** What a click does now. */
  title: string;
  isPressed: boolean;
  onClick: (event: MouseEvent) => void;
}

/** A button that stays pressed, as small as its icon. */
export function IconButton({ shape, name, title, isPressed, onClick }: Props) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={name}
      title={title}
      aria-pressed={isPressed}
      onClick={onClick}
    >
      <Icon shape={shape} />
    </button>
  );
}
