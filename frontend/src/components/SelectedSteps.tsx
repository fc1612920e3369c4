import type { Dashboard } from "../dashboard.ts";
import type { Range, XAxis } from "../data/axis.ts";
import { describeSelection } from "../model/selection.ts";
import { NumberField } from "./NumberField.tsx";

interface Props {
  dashboard: Dashboard;
  selected: Range;
  axis: XAxis;
}

/** Which steps the table below is of, to be typed; and a way to have it of all again. */
export function SelectedSteps({ dashboard, selected, axis }: Props) {
  const { min, max } = selected;
  return (
    <fieldset class="selected-steps">
      <legend class="unseen">Selected steps</legend>
      {axis === "step" ? (
        <>
          <NumberField
            label="From step"
            value={min}
            most={Number.MAX_SAFE_INTEGER}
            onChange={(min) => dashboard.select({ min, max: Math.max(min, max) })}
          />
          <NumberField
            label="to step"
            value={max}
            most={Number.MAX_SAFE_INTEGER}
            onChange={(max) => dashboard.select({ min: Math.min(min, max), max })}
          />
        </>
      ) : (
        describeSelection(selected, axis)
      )}
      <button
        type="button"
        class="text-button"
        aria-label="Remove the selection"
        onClick={() => dashboard.select(undefined)}
      >
        ×
      </button>
    </fieldset>
  );
}
