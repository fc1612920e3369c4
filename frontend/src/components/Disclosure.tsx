interface Props {
  name: string;
  /** The id of what it shows and hides. */
  controls: string;
  isOpen: boolean;
  onToggle: () => void;
}

/** A button that unfolds what lies below it. */
export function Disclosure({ name, controls, isOpen, onToggle }: Props) {
  return (
    <button
      type="button"
      class="text-button disclosure"
      aria-expanded={isOpen}
      aria-controls={controls}
      onClick={onToggle}
    >
      {name}
    </button>
  );
}
