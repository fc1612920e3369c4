import type { Problem, Recording } from "../data/recording.ts";
import { recordingLabel } from "../model/runs.ts";

/** What could not be read, in all runs; everything else is shown as usual. */
export function Problems({ recordings }: { recordings: readonly Recording[] }) {
  const problems = recordings.flatMap((recording) =>
    recording.problems.map((problem) => ({ problem, label: recordingLabel(recording) })),
  );
  if (problems.length === 0) {
    return null;
  }
  const series = problems.length === 1 ? "1 series" : `${problems.length} series`;
  return (
    <details class="notice problems" open={problems.length <= 3}>
      <summary>{series} could not be read; everything else is shown.</summary>
      <ul>
        {problems.map(({ problem, label }) => (
          <li key={`${label} ${problem.tag} ${problem.reason}`}>
            <b>{label}</b> <ProblemText problem={problem} />
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Beside a run's name: that not all of it could be read. */
export function ProblemBadge({ said }: { said: string }) {
  return (
    <span class="badge" role="img" aria-label={said} title={said}>
      !
    </span>
  );
}

export function ProblemText({ problem }: { problem: Problem }) {
  return (
    <>
      <code>{problem.tag}</code>: {problem.reason}
    </>
  );
}
