import { useMemo } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import { NO_FINDINGS } from "../data/findings.ts";
import type { Recording } from "../data/recording.ts";
import { runColour } from "../drawing/colours.ts";
import { recordingLabel } from "../model/runs.ts";
import { FindingsBadge } from "./Findings.tsx";
import { ProblemBadge } from "./Problems.tsx";

interface Props {
  dashboard: Dashboard;
  state: DashboardState;
  recording: Recording;
  /** Its label, as short as there is room for. */
  name: string | undefined;
}

/** One recording in the list of runs: of many, only those that changed are rendered anew. */
export function RunRow({ dashboard, state, recording, name }: Props) {
  const { key, run, problems } = recording;
  const label = recordingLabel(recording);
  const isChosen = state.choice.chosen.has(key);
  const findings = state.findings.get(key) ?? NO_FINDINGS;
  return useMemo(
    () => (
      <li>
        <label class="run" title={label}>
          <input
            type="checkbox"
            aria-label={label}
            checked={isChosen}
            onChange={(event) => dashboard.choose([key], event.currentTarget.checked)}
          />
          <span class="run-name">{name}</span>
          {problems.length > 0 && (
            <ProblemBadge said={`${problems.length} series could not be read`} />
          )}
          <FindingsBadge findings={findings} />
          <RunDot state={state} run={run} />
        </label>
      </li>
    ),
    [recording, name, isChosen, findings, state.theme, state.runNumbers],
  );
}

/** The run's colour. */
export function RunDot({ state, run }: { state: DashboardState; run: string }) {
  const colour = runColour(state.theme, state.runNumbers.get(run) ?? 0);
  return <span class="dot" style={{ backgroundColor: colour }} aria-hidden="true" />;
}
