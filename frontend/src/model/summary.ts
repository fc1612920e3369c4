/** A chart said in words: the line under its title, and what a screen reader reads. */

import type { Curves, Series } from "../data/curves.ts";
import type { Finding } from "../data/findings.ts";
import type { Column, Strength } from "../data/recording.ts";
import { totalOf } from "./bands.ts";
import { enumerate, formatShare, formatStep, formatValue } from "./format.ts";
import type { ViewName } from "./settings.ts";

export interface LastStep {
  readonly step: number;
  /** Absent where none is known: of penalties alone, or in gradients. */
  readonly total?: number;
  /** Of the total; absent where a share means nothing. */
  readonly data?: number;
  readonly penalties?: number;
}

/** Of float32 sums of many parts. */
const ROUNDING = 1e-3;
/** A total read at another moment, as in the rule does_not_add_up. */
const FEW = 0.01;
/** How near to one another a residual and what is missing are. */
const SAME = 0.01;

/** The last step of the range that the curves cover, with the values recorded there. */
export function lastStep(curves: Curves): LastStep | undefined {
  const i = curves.buckets - 1;
  const step = curves.lastSteps[i];
  const total = totalOf(curves)?.last[i];
  if (step === undefined) {
    return undefined;
  }
  if (total === undefined) {
    return { step };
  }
  const valuesOf = (role: Column["role"]) =>
    curves.series
      .filter((series) => series.column.role === role && (series.rows[i] ?? 0) > 0)
      .map((series) => series.last[i] ?? Number.NaN);
  const data = valuesOf("data");
  const penalties = valuesOf("penalty");
  const parts = [...data, ...penalties];
  // Where they are more than the whole, or less, some are not in it.
  const areParts =
    parts.length > 0 &&
    residualOf(curves) === undefined &&
    canShare(total, parts) &&
    sum(parts) <= total * (1 + ROUNDING);
  const shares = areParts ? { data: sum(data) / total, penalties: sum(penalties) / total } : {};
  return { step, total, ...shares };
}

/** A share needs a whole above zero and no part below it. */
export function canShare(total: number, parts: readonly number[]): boolean {
  return total > 0 && Number.isFinite(total) && parts.every((part) => part >= 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((partial, value) => partial + value, 0);
}

/** What a headline tells beside the curves. */
export interface Told {
  readonly columns: readonly Column[];
  readonly findings: readonly Finding[];
}

/** The story of a loss in a line: its total, its parts, and what they were made with. */
export function subtitle(curves: Curves, told: Told = { columns: [], findings: [] }): string {
  const last = lastStep(curves);
  if (last === undefined) {
    return "No steps recorded yet";
  }
  const parts = [
    describeLast(last),
    describeData(curves),
    describePenalties(curves, last, told.findings),
    describeUnused(told.columns),
    describeStrengths(told),
  ];
  return parts.filter((part) => part !== undefined).join(" · ");
}

/** "data loss 2.31 → 0.29", from the first step to the last. */
function describeData(curves: Curves): string | undefined {
  const data = curves.series.filter(({ column }) => column.role === "data");
  if (data.length === 0) {
    return undefined;
  }
  const first = formatValue(sum(data.map(({ column }) => column.first ?? Number.NaN)));
  const last = formatValue(sum(data.map((series) => series.last.at(-1) ?? Number.NaN)));
  return `data loss ${first === last ? last : `${first} → ${last}`}`;
}

/** Their share now and at its largest; or why they have none. */
function describePenalties(
  curves: Curves,
  { penalties: now }: LastStep,
  findings: readonly Finding[],
): string | undefined {
  const residual = residualOf(curves);
  const penalties = curves.series.filter(({ column }) => column.role === "penalty");
  if (residual !== undefined && penalties.length > 0) {
    const missing = residual.mean.every((rest, i) => {
      const all = sum(penalties.map(({ mean }) => mean[i] ?? Number.NaN));
      return Number.isNaN(rest) || Math.abs(rest + all) <= SAME * Math.abs(all);
    });
    return missing ? "penalties not in the total" : "the parts do not add up to the total";
  }
  if (findings.some(({ code }) => code === "does_not_add_up")) {
    return "the parts do not add up to the total";
  }
  if (now === undefined || penalties.length === 0) {
    return undefined;
  }
  const shown = formatShare(now);
  const most = formatShare(Math.max(now, curves.shareLargest ?? 0));
  return `penalties ${shown}${most === shown ? "" : `, up to ${most}`}`;
}

/** What was collected and is missing in the loss. */
function describeUnused(columns: readonly Column[]): string | undefined {
  const names = columns.filter(({ role }) => role === "unused").map(({ name }) => name);
  return names.length === 0 ? undefined : `${enumerate(names, 1)} not in the loss`;
}

const MOST_STRENGTHS = 3;

/** "strength 0.01 → 0.1", "strengths 0.001 and 0.01"; and when they changed. */
function describeStrengths({ columns, findings }: Told): string | undefined {
  const first = strengthsOf(columns, ({ firstStrength, strength }) => firstStrength ?? strength);
  const last = strengthsOf(columns, ({ strength }) => strength);
  const [change, ...others] = findings.filter(({ code }) => code === "strength_changed");
  if (last.length === 0) {
    return undefined;
  }
  const ends = [...new Set([first, last].map(formatStrengths))].join(" → ");
  const now = `strength${Math.max(first.length, last.length) > 1 ? "s" : ""} ${ends}`;
  if (change?.steps === undefined) {
    return now;
  }
  const when = others.length > 0 ? `${others.length + 1} times, first ` : "";
  return `${now}, changed ${when}at step ${formatStep(change.steps[0])}`;
}

/** Each once, the smallest first. */
function strengthsOf(
  columns: readonly Column[],
  pick: (column: Column) => Strength | undefined,
): readonly number[] {
  const known = columns.filter(({ role }) => role === "penalty").map(pick);
  const strengths = [...new Set(known.flat().filter((strength) => strength !== undefined))];
  return strengths.toSorted((left, right) => left - right);
}

function formatStrengths(strengths: readonly number[]): string {
  const told = strengths.map(formatValue);
  return told.length > MOST_STRENGTHS ? `${told[0]} to ${told.at(-1)}` : enumerate(told);
}

/** What the total has and no part explains, where that is more than rounding at many steps. */
function residualOf(curves: Curves): Series | undefined {
  const residual = curves.series.find(({ column }) => column.derived && column.significant);
  const total = totalOf(curves);
  const off = residual?.mean.filter(
    (rest, i) => Math.abs(rest) > ROUNDING * Math.abs(total?.mean[i] ?? Number.NaN),
  );
  return off !== undefined && off.length > FEW * curves.buckets ? residual : undefined;
}

function describeLast({ step, total }: LastStep): string {
  return total === undefined
    ? `up to step ${formatStep(step)}`
    : `total ${formatValue(total)} at step ${formatStep(step)}`;
}

const PICTURES: Record<ViewName, string> = {
  stack: "Stacked loss",
  share: "Shares of the loss",
  lines: "Losses as lines",
  ratio: "Penalties divided by the data loss",
  multiples: "Terms in small charts",
  strip: "Heat strip of shares",
  pull: "Gradients of penalties divided by the data loss's",
  cosine: "Cosine of the gradients of penalties and data loss",
};

export function describeChart(name: string, curves: Curves, view: ViewName = "stack"): string {
  const picture = `${PICTURES[view]} of run ${name}`;
  const last = lastStep(curves);
  if (last === undefined) {
    return `${picture}: no steps recorded yet`;
  }
  const shares =
    last.data === undefined || last.penalties === undefined
      ? ""
      : `, data ${formatShare(last.data)}, penalties ${formatShare(last.penalties)}`;
  return `${picture}: ${describeLast(last)}${shares}`;
}

/** Which series hold NaN or an infinity, and from where on; undefined where none does. */
export function describeNonFinite(columns: readonly Column[]): string | undefined {
  const firstSteps = new Map<number, string[]>();
  for (const { name, firstNonFiniteStep: step } of columns) {
    if (step !== undefined) {
      firstSteps.set(step, [...(firstSteps.get(step) ?? []), name]);
    }
  }
  // The first step tells most: what comes later mostly follows from it.
  const first = [...firstSteps].toSorted(([left], [right]) => left - right)[0];
  if (first === undefined) {
    return undefined;
  }
  const [step, names] = first;
  return `${enumerate(names)}: first NaN or infinite at step ${formatStep(step)}`;
}
