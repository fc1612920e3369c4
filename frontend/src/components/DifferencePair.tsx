import type { Dashboard } from "../dashboard.ts";
import { choosePair } from "../model/difference.ts";
import { shortenMiddle } from "../model/format.ts";
import { recordingLabel } from "../model/runs.ts";
import { Select } from "./Select.tsx";
import type { Comparison } from "./useComparison.ts";

/** What fits into a select. */
const NAME_LENGTH = 40;

interface Props {
  dashboard: Dashboard;
  /** Of two recordings. */
  comparison: Comparison;
}

/** Which of the chosen runs is subtracted from which. */
export function DifferencePair({ dashboard, comparison }: Props) {
  const { readable, asked } = comparison;
  const [first = "", second = ""] = asked.map(({ key }) => key);
  const options = readable.map(
    (recording) => [recording.key, shortenMiddle(recordingLabel(recording), NAME_LENGTH)] as const,
  );
  const choose = (place: "minuend" | "subtrahend", key: string) =>
    dashboard.changeSettings(choosePair(asked, place, key));
  return (
    <div class="pair">
      <Select
        label="Show"
        value={first}
        options={options}
        onChange={(key) => choose("minuend", key)}
      />
      <Select
        label="minus"
        value={second}
        options={options}
        onChange={(key) => choose("subtrahend", key)}
      />
      <button
        type="button"
        class="text-button"
        title="Subtract the first run from the second instead"
        onClick={() => choose("minuend", second)}
      >
        Swap
      </button>
    </div>
  );
}
