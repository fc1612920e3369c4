import type { Dashboard } from "../dashboard.ts";
import type { Band } from "../model/bands.ts";
import { TOTAL_KEY } from "../model/picture.ts";
import { hideAll, isShown } from "../model/view.ts";

interface Props {
  dashboard: Dashboard;
  viewKey: string;
  /** Hidden ones included. */
  bands: readonly Band[];
}

/** Hides all but the penalties, which have a y range of their own then; nothing where that is all. */
export function PenaltiesAlone({ dashboard, viewKey, bands }: Props) {
  const view = dashboard.viewOf(viewKey);
  const others = bands.filter(({ role }) => role !== "penalty").map(({ key }) => key);
  if (others.length === 0 || others.length === bands.length) {
    return null;
  }
  const isPressed =
    !isShown(view, TOTAL_KEY) &&
    bands.every(({ key, role }) => isShown(view, key) === (role === "penalty"));
  return (
    <button
      type="button"
      class="text-button"
      title="Show the penalties without the data loss, on an axis of their own"
      aria-pressed={isPressed}
      onClick={() =>
        dashboard.changeView(viewKey, (current) =>
          hideAll(current, isPressed ? [] : [...others, TOTAL_KEY]),
        )
      }
    >
      Penalties alone
    </button>
  );
}
