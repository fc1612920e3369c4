import { IconButton } from "./IconButton.tsx";
import { later } from "./later.tsx";
import { Menu } from "./Menu.tsx";
import type { SaveProps } from "./SaveEntries.tsx";

const SaveEntries = later(
  "This menu",
  async () => (await import("../parts/saving.ts")).SaveEntries,
);

interface Props extends SaveProps {
  /** Absent where the card stays where it is. */
  onPin?: () => void;
  isPinned?: boolean | undefined;
  /** It fills the screen. */
  isFull: boolean;
}

/** What else can be done with a card. */
export function CardMenu({ onPin, isPinned = false, isFull, ...save }: Props) {
  const switchFull = (event: MouseEvent) => {
    const card = (event.currentTarget as Element).closest("article");
    void (isFull ? document.exitFullscreen() : card?.requestFullscreen());
  };
  return (
    <div class="icons">
      {onPin && (
        <IconButton
          shape="pin"
          name="Pin to the top"
          title={isPinned ? "Unpin" : "Pin to the top"}
          isPressed={isPinned}
          onClick={onPin}
        />
      )}
      <IconButton
        shape={isFull ? "window" : "full"}
        name="Full screen"
        title={isFull ? "Leave full screen" : "Full screen"}
        isPressed={isFull}
        onClick={switchFull}
      />
      <Menu name={save.name} title="Save">
        <SaveEntries {...save} />
      </Menu>
    </div>
  );
}
