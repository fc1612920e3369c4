import type { ComponentChildren } from "preact";

interface Props {
  children: ComponentChildren;
  action?: string;
  onAction?: () => void;
}

/** A line that says what is amiss, and perhaps offers what to do about it. */
export function Notice({ children, action, onAction }: Props) {
  return (
    <div class="notice" role="status">
      <span>{children}</span>
      {action !== undefined && (
        <button type="button" class="text-button" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}
