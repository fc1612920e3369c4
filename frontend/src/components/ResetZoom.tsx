import type { View } from "../model/view.ts";

/** Back to all of the x axis; nothing where that is shown. */
export function ResetZoom({ view, onReset }: { view: View; onReset: () => void }) {
  return view.range === undefined ? null : (
    <button type="button" class="text-button" onClick={onReset}>
      Reset zoom
    </button>
  );
}
