import type { Dashboard } from "../dashboard.ts";
import type { Sweep } from "../data/sweep.ts";
import { formatShare } from "../model/format.ts";
import { type Settings, STRENGTH_SOURCES } from "../model/settings.ts";
import { Select } from "./Select.tsx";

const WINDOWS = [0.01, 0.05, 0.1, 0.2, 0.5, 1];
const SOURCES = { recorded: "Recordings", hparams: "Hyperparameters", names: "Names of runs" };

interface Props {
  dashboard: Dashboard;
  settings: Settings;
  sweep: Sweep;
}

/** What strengths are compared by, over which rows, and where they come from. */
export function SweepOptions({ dashboard, settings, sweep }: Props) {
  const { sweepMetric, sweepWindow, sweepFrom } = settings;
  const change = (values: Partial<Settings>) => dashboard.changeSettings(values);
  const windows = [...new Set([...WINDOWS, sweepWindow])].sort((left, right) => left - right);
  const metrics = [...new Set([...sweep.metrics, sweepMetric])].filter((tag) => tag !== "");
  return (
    <>
      {metrics.length > 0 && (
        <Select
          label="Metric"
          title="A scalar of the run, its validation or the run above it"
          value={sweepMetric}
          options={[["", "None"], ...metrics.map((tag) => [tag, tag] as const)]}
          onChange={(tag) => change({ sweepMetric: tag })}
        />
      )}
      <Select
        label="Means over"
        title="Which of each run's recorded rows are averaged"
        value={String(sweepWindow)}
        options={windows.map((window) => [
          String(window),
          window === 1 ? "All rows" : `Last ${formatShare(window)} of rows`,
        ])}
        onChange={(window) => change({ sweepWindow: Number(window) })}
      />
      <Select
        label="Strengths from"
        value={sweepFrom === "auto" ? sweep.source : sweepFrom}
        options={Object.entries(SOURCES)}
        onChange={(source) =>
          change({ sweepFrom: STRENGTH_SOURCES.find((known) => known === source) ?? "auto" })
        }
      />
    </>
  );
}
