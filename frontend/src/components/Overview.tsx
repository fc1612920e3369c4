import { useMemo, useRef, useState } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import { fetchOverview } from "../data/api.ts";
import type { RunFigures } from "../data/overview.ts";
import type { Recording } from "../data/recording.ts";
import { formatStep } from "../model/format.ts";
import { shortestNames } from "../model/names.ts";
import {
  cellTitle,
  countFindings,
  decodeOrder,
  encodeOrder,
  OPEN_LIMIT,
  OVERVIEW_COLUMNS,
  type OverviewRow,
} from "../model/overview.ts";
import { recordingLabel } from "../model/runs.ts";
import { sortRows } from "../model/table.ts";
import { Disclosure } from "./Disclosure.tsx";
import { useAnswer, useRowsInView, useWidth } from "./hooks.ts";
import { ProblemBadge } from "./Problems.tsx";
import { RunDot } from "./RunRow.tsx";
import { TableHead } from "./TableHead.tsx";

/** Pixels. Rows that are not on the screen are not there: their place is kept for them. */
const ROW_HEIGHT = 24;
/** What is beside a run's name in its cell, and how wide a letter is, in pixels. */
const BESIDE = 44;
const LETTER = 6.1;

interface Props {
  dashboard: Dashboard;
  state: DashboardState;
  /** The recordings that match the filter. */
  matching: readonly Recording[];
}

/** A line for each run, above the cards: folded at first where there are only a few. */
export function Overview({ dashboard, state, matching }: Props) {
  const { overview, overviewOrder } = state.settings;
  const { recordings = [] } = state;
  const isOpen = overview === "auto" ? recordings.length > OPEN_LIMIT : overview === "open";
  return (
    <section class="overview" aria-label="Overview of runs">
      <Disclosure
        name="Overview of runs"
        controls="overview"
        isOpen={isOpen}
        onToggle={() => dashboard.changeSettings({ overview: isOpen ? "folded" : "open" })}
      />
      <div id="overview" hidden={!isOpen}>
        {isOpen && (
          <RunTable
            dashboard={dashboard}
            state={state}
            matching={matching}
            orderText={overviewOrder}
          />
        )}
      </div>
    </section>
  );
}

function RunTable({ dashboard, state, matching, orderText }: Props & { orderText: string }) {
  // The first answer takes as long as reading all recordings does, so what has come is shown.
  const [coming, setComing] = useState<readonly RunFigures[]>([]);
  const { value, failure } = useAnswer(dashboard, "overview", state.isVisible, (signal) =>
    dashboard.fillOverview(fetchOverview(signal, setComing)),
  );
  const figures = value ?? coming;
  const order = useMemo(() => decodeOrder(orderText), [orderText]);
  const { findings } = state;
  const isByFindings = order?.id === "findings";
  const sorted = useMemo(() => {
    const wanted = new Set(matching.map(({ key }) => key));
    const rows = figures
      .filter(({ key }) => wanted.has(key))
      .map((row) => ({ ...row, findings: findings.get(row.key) ?? [] }));
    return sortRows(rows, order, OVERVIEW_COLUMNS);
    // Findings come one by one, and only their own column is ordered by them.
  }, [figures, matching, order, isByFindings && findings]);
  const box = useRef<HTMLDivElement>(null);
  const { first, stop } = useRowsInView(box, ROW_HEIGHT, sorted.length);
  const runWidth = widthOfRuns(useWidth(box));
  const names = useMemo(
    () => shortestNames(sorted.map(recordingLabel), (runWidth - BESIDE) / LETTER),
    [sorted, runWidth],
  );
  return (
    <>
      {/* What scrolls must be reachable from the keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <div class="table-box run-table" tabIndex={0} ref={box}>
        <table
          class="terms"
          aria-label="Runs"
          aria-rowcount={sorted.length + 1}
          style={{ "--run-width": `${runWidth}px` }}
        >
          <TableHead
            columns={OVERVIEW_COLUMNS}
            order={order}
            onOrder={(next) => dashboard.changeSettings({ overviewOrder: encodeOrder(next) })}
          />
          <tbody>
            <Gap rows={first} />
            {sorted.slice(first, stop).map((row, i) => (
              <Row
                key={row.key}
                dashboard={dashboard}
                state={state}
                row={{ ...row, findings: findings.get(row.key) ?? [] }}
                name={names.get(recordingLabel(row))}
                // The heading is the first row.
                index={first + i + 2}
              />
            ))}
            <Gap rows={sorted.length - stop} />
          </tbody>
        </table>
      </div>
      {value === undefined && failure === undefined && (
        <p class="subtitle">
          Reading… {coming.length > 0 && `${formatStep(coming.length)} so far`}
        </p>
      )}
      {failure !== undefined && <p class="warning">{failure}</p>}
    </>
  );
}

/** How wide the column of runs is: on a phone the others have more than half of the window. */
function widthOfRuns(width: number): number {
  return Math.round(Math.min(Math.max(0.22 * width, 210), 0.44 * width));
}

/** The place of rows that are not on the screen. */
function Gap({ rows }: { rows: number }) {
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: there is nothing in it to focus
  return rows > 0 ? <tr aria-hidden="true" style={{ height: `${rows * ROW_HEIGHT}px` }} /> : null;
}

interface RowProps {
  dashboard: Dashboard;
  state: DashboardState;
  row: OverviewRow;
  /** Its label, as short as there is room for. */
  name: string | undefined;
  index: number;
}

/** A run in numbers. A click anywhere on it, as one on its name, brings its card to the top. */
function Row({ dashboard, state, row, name, index }: RowProps) {
  const { key, run, problem } = row;
  const [worst] = row.findings;
  const label = recordingLabel(row);
  const isChosen = state.choice.chosen.has(key);
  const isPinned = isChosen && dashboard.viewOf(key).isPinned === true;
  // Between the run and its findings.
  const columns = OVERVIEW_COLUMNS.slice(1, -1);
  return (
    <tr
      class={isPinned ? "is-pinned" : isChosen ? "" : "is-quiet"}
      style={{ height: `${ROW_HEIGHT}px` }}
      aria-rowindex={index}
      data-term={key}
      onClick={() => dashboard.pinUp(key)}
    >
      <th scope="row" title={label}>
        <button type="button" aria-label={label} aria-pressed={isPinned}>
          <RunDot state={state} run={run} />
          <span class="run-name">{name}</span>
          {problem !== null && row.steps > 0 && <ProblemBadge said={problem} />}
        </button>
      </th>
      {problem !== null && row.steps === 0 ? (
        <td class="reason" colSpan={columns.length} title={problem}>
          {problem}
        </td>
      ) : (
        columns.map(({ id, show }) => (
          <td key={id} title={cellTitle(id, row)}>
            {show(row)}
          </td>
        ))
      )}
      <td class={worst && `severity ${worst.severity}`} title={worst?.sentence}>
        {countFindings(row.findings)}
      </td>
    </tr>
  );
}
