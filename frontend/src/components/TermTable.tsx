import { useState } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { fetchStatistics, type RowsQuery } from "../data/api.ts";
import { columnKey, type Recording } from "../data/recording.ts";
import type { TermFigures } from "../data/statistics.ts";
import { formatStepRange } from "../model/format.ts";
import { columnTitle, termKey } from "../model/gradients.ts";
import type { Grouping } from "../model/grouping.ts";
import { shortNames } from "../model/names.ts";
import { TOTAL_KEY } from "../model/picture.ts";
import { LARGEST_FIRST, NONE, sortRows, TABLE_COLUMNS, type TableOrder } from "../model/table.ts";
import { highlight } from "./highlight.ts";
import { useAnswer } from "./hooks.ts";
import { TableHead } from "./TableHead.tsx";

interface Props {
  dashboard: Dashboard;
  recording: Recording;
  label: string;
  query: RowsQuery;
  isWanted: boolean;
  grouping: Grouping;
  pattern: RegExp | undefined;
  /** The colour of a column by its key. */
  colourOf: (key: string) => string;
  onIsolate: (key: string) => void;
}

/** Every term with its figures over the steps shown: the chart for those who read numbers. */
export function TermTable(props: Props) {
  const { dashboard, recording, label, query, isWanted, grouping, pattern, onIsolate } = props;
  const [order, setOrder] = useState<TableOrder>();
  const { range, x, group } = query;
  const question = JSON.stringify([recording.key, range, x, group, grouping.group]);
  const { value, failure } = useAnswer(dashboard, question, isWanted, async (signal) => {
    const answer = await fetchStatistics(recording, query, signal);
    const rename = (row: TermFigures) => ({ ...row, column: grouping.rename(row.column) });
    return { ...answer, terms: answer.terms.map(rename) };
  });
  if (value === undefined) {
    return <p class="subtitle">{failure ?? "Loading…"}</p>;
  }
  const { firstStep, lastStep, terms } = value;
  const matching = terms.filter(({ column }) => pattern === undefined || pattern.test(column.name));
  const names = shortNames(
    matching.map(({ column }) => columnTitle(column)),
    40,
  );
  // Of groups, nobody recorded a variable.
  const columns = TABLE_COLUMNS.filter(({ show }) => matching.some((row) => show(row) !== NONE));
  const steps =
    firstStep === null || lastStep === null ? "no steps" : formatStepRange(firstStep, lastStep);
  return (
    // A region that scrolls must be reachable from the keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section class="table-box" tabIndex={0} aria-label={`Table of terms of ${label}`}>
      <table class="terms">
        <caption class="subtitle">Steps {steps}</caption>
        <TableHead columns={columns} order={order} onOrder={setOrder} />
        <tbody>
          {sortRows(matching, order ?? LARGEST_FIRST, TABLE_COLUMNS).map((row) => {
            const { role } = row.column;
            const key = role === "total" ? TOTAL_KEY : termKey(row.column);
            const title = columnTitle(row.column);
            return (
              <tr
                key={columnKey(row.column)}
                data-term={key}
                onMouseEnter={() => highlight(key)}
                onMouseLeave={() => highlight(undefined)}
              >
                <th scope="row" title={title}>
                  <button type="button" onClick={() => onIsolate(key)}>
                    <span
                      class={role === "total" ? "swatch swatch-line" : "swatch"}
                      style={role === "total" ? {} : { background: props.colourOf(key) }}
                      aria-hidden="true"
                    />
                    {names.get(title)}
                  </button>
                </th>
                {columns.slice(1).map(({ id, show }) => (
                  <td key={id}>{show(row)}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {failure !== undefined && <p class="warning">{failure}</p>}
    </section>
  );
}
