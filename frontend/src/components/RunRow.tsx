import type { Dashboard, DashboardState } from "../dashboard.ts";
import type { Recording } from "../data/recording.ts";
import { runColour } from "../drawing/colours.ts";
import { recordingLabel } from "../model/runs.ts";
import { FindingsBadge } from "./Findings.tsx";

interface Props {
  dashboard: Dashboard;
  state: DashboardState;
  recording: Recording;
  /** Its label, as short as there is room for. */
  name: string | undefined;
}

/** One recording in the list of runs. */
export function RunRow({ dashboard, state, recording, name }: Props) {
  const label = recordingLabel(recording);
  const problems = recording.problems.length;
  const said = `${problems} series could not be read`;
  return (
    <li>
      <label class="run" title={label}>
        <input
          type="checkbox"
          aria-label={label}
          checked={state.choice.chosen.has(recording.key)}
          onChange={(event) => dashboard.choose([recording.key], event.currentTarget.checked)}
        />
        <span class="run-name">{name}</span>
        {problems > 0 && (
          <span class="badge" role="img" aria-label={said} title={said}>
            !
          </span>
        )}
        <FindingsBadge findings={state.findings.get(recording.key) ?? []} />
        <RunDot state={state} run={recording.run} />
      </label>
    </li>
  );
}

/** The run's colour. */
export function RunDot({ state, run }: { state: DashboardState; run: string }) {
  const colour = runColour(state.theme, state.runNumbers.get(run) ?? 0);
  return <span class="dot" style={{ backgroundColor: colour }} aria-hidden="true" />;
}
