/** The table of runs: its columns and what stands in them. */

import { type Finding, SEVERITIES, type Severity } from "../data/findings.ts";
import type { RunFigures } from "../data/overview.ts";
import { formatShare, formatStep, formatValue } from "./format.ts";
import { times } from "./restarts.ts";
import { recordingLabel } from "./runs.ts";
import { figure, formatOptional, NONE, type TableColumn, type TableOrder } from "./table.ts";

/** What a severity is called. */
const WORDS: Record<Severity, string> = { error: "error", warning: "warning", info: "note" };

/** With more runs than this the table is what one wants to see first. */
export const OPEN_LIMIT = 3;

export interface OverviewRow extends RunFigures {
  /** Worst first. */
  readonly findings: readonly Finding[];
}

const share = (id: string, label: string, pick: (row: OverviewRow) => number | null) => ({
  ...figure(id, label, pick),
  show: (row: OverviewRow) => formatOptional(pick(row), formatShare),
});

export const OVERVIEW_COLUMNS: readonly TableColumn<OverviewRow>[] = [
  { id: "run", label: "Run", key: recordingLabel, show: recordingLabel },
  {
    id: "strength",
    label: "Strength",
    key: ({ strength }) => strength ?? undefined,
    show: ({ strength }) =>
      typeof strength === "string" ? strength : formatOptional(strength, formatValue),
  },
  figure("dataFirst", "Data loss, first", ({ dataFirst }) => dataFirst),
  figure("dataLast", "Data loss, last", ({ dataLast }) => dataLast),
  figure("validation", "Validation data loss", ({ validationDataLast }) => validationDataLast),
  share("shareLargest", "Penalties’ share, largest", ({ shareLargest }) => shareLargest),
  share("shareLast", "Penalties’ share, last", ({ shareLast }) => shareLast),
  {
    ...figure<OverviewRow>("steps", "Steps", ({ steps }) => steps),
    show: ({ steps, restarts }) => `${restarts > 0 ? "↶ " : ""}${formatStep(steps)}`,
  },
  {
    id: "findings",
    label: "Findings",
    key: ({ findings }) => badness(findings),
    show: ({ findings }) => countFindings(findings),
  },
];

/** What a row's cell says in full; undefined where it says all. */
export function cellTitle(id: string, { strength, restarts }: OverviewRow): string | undefined {
  if (id === "steps" && restarts > 0) {
    return `Went back to an earlier step ${times(restarts)}, as from a checkpoint`;
  }
  return id === "strength" && strength !== null ? String(strength) : undefined;
}

/** The severity of the worst, and how many there are. */
export function countFindings(findings: readonly Finding[]): string {
  const [worst] = findings;
  return worst ? `${WORDS[worst.severity]} · ${findings.length}` : NONE;
}

/** By the worst one, then by how many there are; what all is well with comes last. */
function badness([worst, ...others]: readonly Finding[]): number | undefined {
  return worst && SEVERITIES.indexOf(worst.severity) + 1 - 1 / (others.length + 2);
}

/** As a link has it: the column, after a minus where the largest come first. */
export function encodeOrder({ id, isDescending }: TableOrder): string {
  return `${isDescending ? "-" : ""}${id}`;
}

export function decodeOrder(text: string): TableOrder | undefined {
  const id = text.replace(/^-/, "");
  return OVERVIEW_COLUMNS.some((column) => column.id === id)
    ? { id, isDescending: id !== text }
    : undefined;
}
