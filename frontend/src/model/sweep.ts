/** What a sweep has to show, and in which words. */

import type { Figure, Spread, Strength, Sweep, SweepEntry, SweepPoint } from "../data/sweep.ts";
import { formatShare, formatStep, formatValue } from "./format.ts";
import type { NumberTable } from "./numbers.ts";
import { formatOptional, NONE } from "./table.ts";

/** Fewer runs are no sweep, whatever they are. */
export const FEWEST_RUNS = 3;

/** Three strengths, or two with several runs each: one run more that has a penalty is no sweep. */
export function isSweep({ entries }: Sweep): boolean {
  const known = entries.filter(({ strength }) => strength !== null);
  return known.length > 2 || (known.length > 1 && known.every(({ points }) => points.length > 1));
}

/** An entry that has a place on an axis of strengths. */
export type PlacedEntry = SweepEntry & { readonly strength: number };

/** Those with one number as their strength; none where some are below any logarithm. */
export function placedEntries({ entries }: Sweep): readonly PlacedEntry[] {
  const placed = entries.filter(
    (entry): entry is PlacedEntry => typeof entry.strength === "number",
  );
  return placed.every(({ strength }) => strength >= 0) ? placed : [];
}

/** What a sweep tells of each run, and of each strength. */
export interface Measure {
  readonly kind: Figure | "norm";
  /** Beside others of its plot; in full; and as other programs have it. */
  readonly name: string;
  readonly label: string;
  readonly column: string;
  /** The plot that it is in. */
  readonly panel: string;
  /** Its own; one for all where it is undefined. */
  readonly colour?: string;
  readonly of: (point: SweepPoint) => number | null;
  readonly spread: (entry: SweepEntry) => Spread | null;
}

const LOSSES = { data_loss: "training", validation_data_loss: "validation" };

/** Those of losses, and of the metric, that some strength has. */
export function measuresOf({ entries, metric }: Sweep): readonly Measure[] {
  const named = (kind: Figure, name: string, label: string, column: string, panel: string) => {
    return {
      ...{ kind, name, label, column, panel },
      of: (point: SweepPoint) => point[kind],
      spread: (entry: SweepEntry) => entry[kind],
    };
  };
  const losses = (["data_loss", "validation_data_loss"] as const).map((kind) =>
    named(kind, LOSSES[kind], `data loss, ${LOSSES[kind]}`, kind, "data loss"),
  );
  const scalar = metric === null ? [] : [named("metric", metric, metric, metric, metric)];
  return [...losses, ...scalar].filter(({ kind, spread }) =>
    entries.some(
      (entry) => spread(entry) !== null || (kind === "data_loss" && entry.points.length > 0),
    ),
  );
}

export function formatStrength(strength: Strength): string {
  return strength !== null && typeof strength === "object"
    ? Object.entries(strength)
        .map(([name, value]) => `${name} ${formatValue(value)}`)
        .join(", ")
    : formatOptional(strength, formatValue);
}

/** What one must know of a run before its values are compared. */
export function flagsOf({ isUnfinished, isRestarted, isDiverged }: SweepPoint): readonly string[] {
  return [
    ...(isUnfinished ? ["ended early"] : []),
    ...(isRestarted ? ["restarted"] : []),
    ...(isDiverged ? ["NaN or infinite"] : []),
  ];
}

/** All that is known of a run of a sweep, as names and values. */
export function readPoint(
  measures: readonly Measure[],
  point: SweepPoint,
): readonly (readonly [name: string, value: string])[] {
  const flags = flagsOf(point);
  return [
    ...measures.map(({ label, of }) => [label, formatOptional(of(point), formatValue)] as const),
    ["penalties’ share", formatOptional(point.penaltyShare, formatShare)],
    ["last step", formatOptional(point.lastStep, formatStep)],
    ...(flags.length > 0 ? [["note", flags.join(", ")] as const] : []),
  ];
}

/** A mean with the range over its runs. */
export function formatSpread(spread: Spread | null): string {
  if (spread === null) {
    return NONE;
  }
  const { mean, min, max, standardError } = spread;
  const range = min < max ? ` (${formatValue(min)} – ${formatValue(max)})` : "";
  const error = standardError === null ? "" : ` ± ${formatValue(standardError)}`;
  return `${formatValue(mean)}${error}${range}`;
}

/** Numbers as text, a line for what its first cells name. */
export interface TextTable {
  readonly name: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The means of strengths. */
export function sweepTable({ entries }: Sweep, measures: readonly Measure[]): TextTable {
  return {
    name: "Strengths",
    headings: [
      ...["Strength", "Runs"],
      ...measures.map(({ kind, label, name }) => (kind in LOSSES ? `Data loss, ${name}` : label)),
      "Penalties’ share",
    ],
    rows: entries.map((entry) => [
      formatStrength(entry.strength),
      String(entry.points.length),
      ...measures.map(({ spread }) => formatSpread(spread(entry))),
      formatOptional(entry.penaltyShare, formatShare),
    ]),
  };
}

/** A row for each run, for other programs. */
export function sweepNumbers({ entries }: Sweep, measures: readonly Measure[]): NumberTable {
  const known = (value: number | null) => value ?? Number.NaN;
  return {
    columns: [
      ...["strength", "run", "last_step"],
      ...measures.map(({ column }) => column),
      ...["penalty_share", "note"],
    ],
    rows: entries.flatMap(({ strength, points }) =>
      points.map((point) => [
        typeof strength === "object" ? formatStrength(strength) : strength,
        point.run,
        known(point.lastStep),
        ...measures.map(({ of }) => known(of(point))),
        known(point.penaltyShare),
        flagsOf(point).join(", "),
      ]),
    ),
  };
}
