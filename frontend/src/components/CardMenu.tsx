import { Menu } from "./Menu.tsx";
import { SaveEntries, type SaveProps } from "./SaveEntries.tsx";

interface Props extends SaveProps {
  /** Absent where the card stays where it is. */
  onPin?: () => void;
  isPinned?: boolean | undefined;
}

/** What else can be done with a card. */
export function CardMenu({ onPin, isPinned, ...save }: Props) {
  return (
    <Menu name={save.name} title="Pin, enlarge, save">
      {onPin && (
        <button type="button" class="text-button" onClick={onPin}>
          {isPinned ? "Unpin" : "Pin to the top"}
        </button>
      )}
      <button
        type="button"
        class="text-button"
        onClick={({ currentTarget }) => void currentTarget.closest("article")?.requestFullscreen()}
      >
        Full screen
      </button>
      <SaveEntries {...save} />
    </Menu>
  );
}
