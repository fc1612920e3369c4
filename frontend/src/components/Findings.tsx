import type { Dashboard } from "../dashboard.ts";
import type { Finding, Severity } from "../data/findings.ts";
import { columnKey, type Recording } from "../data/recording.ts";
import { describeSteps, rangeAround, showOnly, showsOnly, termKeys } from "../model/findings.ts";
import { zoom } from "../model/view.ts";
import { highlight } from "./highlight.ts";
import type { CardState } from "./useCard.ts";

const WORDS: Record<Severity, string> = { error: "Error", warning: "Warning", info: "Note" };

interface Props {
  dashboard: Dashboard;
  recording: Recording;
  card: CardState;
}

/** What is wrong with a recording, worst first; nothing where all is well. */
export function Findings({ dashboard, recording, card }: Props) {
  const { findings } = card;
  const [worst] = findings;
  if (worst === undefined) {
    return null;
  }
  return (
    <details class="findings" open={worst.severity !== "info"}>
      <summary>{countOf(findings)}</summary>
      <ul>
        {findings.map((finding) => (
          <li key={`${finding.code} ${finding.sentence}`}>
            <p>
              <span class={`severity ${finding.severity}`}>{WORDS[finding.severity]}</span>{" "}
              {finding.sentence}
              {finding.isOfValidation && " Also in validation."}
            </p>
            <p class="fix">{finding.fix}</p>
            <Links dashboard={dashboard} recording={recording} card={card} finding={finding} />
          </li>
        ))}
      </ul>
    </details>
  );
}

/** The steps and the terms of a finding, to look at on the chart. */
function Links({ dashboard, recording, card, finding }: Props & { finding: Finding }) {
  const { key, columns, lastStep } = recording;
  const first = card.curves?.firstStep ?? 0;
  const last = lastStep ?? first;
  const range = rangeAround(finding, { min: first, max: last });
  const keys = termKeys(finding, columns);
  const [only] = keys;
  const isShown = showsOnly(card.view, keys);
  const showSteps = () => {
    // A finding counts steps.
    dashboard.changeSettings({ x: "step" });
    dashboard.changeView(key, (view) => zoom(view, range));
  };
  const showTerms = () => {
    // A group may hold terms of other findings, and of none.
    dashboard.changeSettings({ group: "term" });
    dashboard.changeView(key, (view) => showOnly(view, keys));
  };
  const isAll = columns.every((column) => {
    return column.role === "total" || keys.includes(columnKey(column));
  });
  return (
    <p class="finding-links">
      {finding.steps && range && (
        <button type="button" class="text-button" onClick={showSteps}>
          Zoom to {describeSteps(finding.steps)}
        </button>
      )}
      {only !== undefined && !isAll && (
        <button
          type="button"
          class="text-button"
          aria-pressed={isShown}
          onClick={showTerms}
          onMouseEnter={() => highlight(keys.length === 1 ? only : undefined)}
          onMouseLeave={() => highlight(undefined)}
        >
          {/* The sentence names the first of many. */}
          {isShown
            ? "Show all terms"
            : `Show only ${keys.length === 1 ? finding.terms[0] : `these ${keys.length} terms`}`}
        </button>
      )}
    </p>
  );
}

interface BadgeProps {
  findings: readonly Finding[];
  /** Beside the findings themselves, it has nothing to say to a screen reader. */
  isTold?: boolean;
}

/** In the list of runs: how many findings there are, in the colour of the worst. */
export function FindingsBadge({ findings, isTold = false }: BadgeProps) {
  const [worst] = findings;
  if (worst === undefined) {
    return null;
  }
  const said = `${countOf(findings)}: ${worst.sentence}`;
  return (
    <span
      class={`badge ${worst.severity}`}
      title={said}
      {...(isTold ? { "aria-hidden": true } : { role: "img", "aria-label": said })}
    >
      {findings.length}
    </span>
  );
}

function countOf({ length }: readonly Finding[]): string {
  return length === 1 ? "1 finding" : `${length} findings`;
}
