/** A chart said in words: the line under its title, and what a screen reader reads. */

import type { Curves } from "../data/curves.ts";
import type { Column } from "../data/recording.ts";
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
  // Where they are more than the whole, some are not in it.
  const areParts = canShare(total, parts) && sum(parts) <= total * (1 + ROUNDING);
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

export function subtitle(curves: Curves): string {
  const last = lastStep(curves);
  if (last === undefined) {
    return "No steps recorded yet";
  }
  const share = last.penalties === undefined ? "" : ` · penalties ${formatShare(last.penalties)}`;
  return `${describeLast(last)}${share}`;
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
  ratio: "Penalties beside the data loss",
  multiples: "Losses one by one",
  strip: "Heat strip of shares",
  pull: "Gradients of penalties beside the data loss's",
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
  return `${enumerate(names)} ${names.length > 1 ? "are" : "is"} not finite from step ${formatStep(step)}`;
}
