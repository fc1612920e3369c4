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

/** What figures are called; the metric by its tag. */
export function figureName(figure: Figure, { metric }: Sweep): string {
  const names = { data_loss: "training", validation_data_loss: "validation" };
  return figure === "metric" ? (metric ?? "metric") : names[figure];
}

/** The figures that some strength has. */
export function shownFigures({ entries, metric }: Sweep): readonly Figure[] {
  const all: readonly Figure[] = ["data_loss", "validation_data_loss"];
  const wanted: readonly Figure[] = metric === null ? all : [...all, "metric"];
  return wanted.filter((figure) =>
    entries.some(
      (entry) => entry[figure] !== null || (figure === "data_loss" && entry.points.length > 0),
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
  sweep: Sweep,
  point: SweepPoint,
): readonly (readonly [name: string, value: string])[] {
  const flags = flagsOf(point);
  return [
    ...shownFigures(sweep).map((figure) => {
      const name = figureName(figure, sweep);
      const value = formatOptional(point[figure], formatValue);
      return [figure === "metric" ? name : `data loss, ${name}`, value] as const;
    }),
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

/** A row for each run, for other programs. */
export function sweepNumbers(sweep: Sweep): NumberTable {
  const figures = shownFigures(sweep);
  const known = (value: number | null) => value ?? Number.NaN;
  return {
    columns: [
      ...["strength", "run", "last_step"],
      ...figures.map((figure) => (figure === "metric" ? figureName(figure, sweep) : figure)),
      ...["penalty_share", "note"],
    ],
    rows: sweep.entries.flatMap(({ strength, points }) =>
      points.map((point) => [
        typeof strength === "object" ? formatStrength(strength) : strength,
        point.run,
        known(point.lastStep),
        ...figures.map((figure) => known(point[figure])),
        known(point.penaltyShare),
        flagsOf(point).join(", "),
      ]),
    ),
  };
}
