/** What the tooltip reads off a picture at one place. */

import type { Series } from "../data/curves.ts";
import type { Band } from "./bands.ts";
import { formatShare, formatStepRange, formatValue } from "./format.ts";
import type { Line } from "./lines.ts";
import type { Picture } from "./picture.ts";
import { nearest } from "./ranges.ts";
import { describeNear } from "./restarts.ts";
import { naturalCompare } from "./runs.ts";
import type { ReadingOrder } from "./settings.ts";
import { canShare } from "./summary.ts";
import { formatX, isShare } from "./ticks.ts";

export interface ReadingOptions {
  readonly order: ReadingOrder;
  /** Rows beyond this are left out. */
  readonly limit: number;
}

/** Rows beyond this would not fit beside a chart. */
export const READING_ROWS = 16;

const AS_DRAWN: ReadingOptions = { order: "drawn", limit: READING_ROWS };

/** On a chart's own axes: which bucket that is depends on the curves that are drawn. */
export interface Place {
  readonly at: number;
  readonly value?: number;
}

export interface ReadingRow {
  readonly band: Band;
  readonly value: string;
  readonly share: string;
}

export interface Reading {
  /**
   * "step 5–9"; on a time axis the time, too, or alone where runs are at different steps; and
   * where the recording was taken up again.
   */
  readonly place: readonly string[];
  readonly total?: { readonly value: string; readonly range?: string };
  /** From the top of the stack to its bottom, unless ordered otherwise. */
  readonly rows: readonly ReadingRow[];
  /** How many rows were left out. */
  readonly more: number;
  /** The bucket stands for several steps: values are means. */
  readonly isMean: boolean;
}

/** A reading in one sentence, for those who hear it. */
export function describeReading({ place, total, rows, more }: Reading): string {
  const entries = [
    ...(total ? [`total ${total.value}`] : []),
    ...rows.map(({ band, value, share }) =>
      share === "" ? `${band.label} ${value}` : `${band.label} ${value}, ${share}`,
    ),
    ...(more > 0 ? [`${more} more`] : []),
  ];
  return `${place.join(", ")}: ${entries.join("; ")}`;
}

interface Entry {
  readonly band: Band;
  /** What rows are ordered by. */
  readonly number: number;
  /** Called for the rows that are kept alone: writing numbers takes longer than all else here. */
  readonly write: () => Omit<ReadingRow, "band">;
}

export function read(
  picture: Picture,
  { at, value }: Place,
  options: ReadingOptions = AS_DRAWN,
): Reading {
  const { curves, total } = picture;
  const bucket = nearest(picture.x, at) ?? 0;
  const first = curves.firstSteps[bucket] ?? 0;
  const last = curves.lastSteps[bucket] ?? first;
  const entries = [...layerEntries(picture, bucket), ...lineEntries(picture, bucket, at)];
  const kept = limit(entries, options.limit);
  const axis = curves.xAxis;
  const restart = describeNear(curves, bucket);
  return {
    place: [
      ...(Number.isNaN(first) ? [] : [`step ${formatStepRange(first, last)}`]),
      ...(axis === "step" ? [] : [formatX(axis, picture.x[bucket] ?? 0)]),
      ...(restart === undefined ? [] : [restart]),
    ],
    // In a picture of ratios, the line over all is none of the total.
    ...(total && picture.quantity !== "ratio" ? { total: totalValue(total, bucket) } : {}),
    rows: sort(kept, options.order, value).map(({ band, write }) => ({ band, ...write() })),
    more: entries.length - kept.length,
    isMean: last > first,
  };
}

function layerEntries({ layers, total, quantity }: Picture, bucket: number): Entry[] {
  const values = layers.map(({ band }) => band.values[bucket] ?? Number.NaN);
  const known = values.filter((value) => !Number.isNaN(value));
  // A hidden total still is the whole, in a picture of shares.
  const whole = total?.mean[bucket] ?? Number.NaN;
  const hasShares = quantity !== "difference" && canShare(whole, known);
  return layers
    .map(({ band }, i) => {
      const number = values[i] ?? Number.NaN;
      const write = () => ({
        value: bandValue(band, number, bucket),
        share: hasShares ? formatShare(number / whole) : "",
      });
      return { band, number, write };
    })
    .reverse();
}

/** The largest on top, as lines lie mostly. */
function lineEntries(picture: Picture, bucket: number, at: number): Entry[] {
  const { lines, quantity, x, layers } = picture;
  // Of a stack, the total is read by itself.
  const isRead = ({ band }: Line) =>
    band.role !== "total" || (quantity !== "loss" && layers.length === 0);
  return lines
    .filter(isRead)
    .map((line) => entryOf(line, line.x === x ? bucket : nearest(line.x, at), isShare(quantity)))
    .toSorted((left, right) => compareNumbers(right.number, left.number));
}

function entryOf({ band, values }: Line, bucket: number | undefined, isRatio: boolean): Entry {
  const number = bucket === undefined ? Number.NaN : (values[bucket] ?? Number.NaN);
  const value = () => {
    if (isRatio) {
      return formatShare(number);
    }
    const isSeries = band.role !== "run" && bucket !== undefined;
    return isSeries ? bandValue(band, number, bucket) : formatGap(number);
  };
  return { band, number, write: () => ({ value: value(), share: "" }) };
}

function formatGap(number: number): string {
  return Number.isNaN(number) ? "–" : formatValue(number);
}

/** What is not known comes last. */
function compareNumbers(left: number, right: number): number {
  return (Number.isNaN(left) ? -Infinity : left) - (Number.isNaN(right) ? -Infinity : right) || 0;
}

/** The small ones are left out: the data loss, on top of the stack, mostly stays. */
function limit(entries: readonly Entry[], most: number): readonly Entry[] {
  if (entries.length <= most) {
    return entries;
  }
  const size = ({ number }: Entry) => Math.abs(number) || 0;
  const largest = entries.toSorted((left, right) => size(right) - size(left));
  const kept = new Set(largest.slice(0, Math.max(1, most - 1)));
  return entries.filter((entry) => kept.has(entry));
}

function sort(
  entries: readonly Entry[],
  order: ReadingOrder,
  value: number | undefined,
): readonly Entry[] {
  switch (order) {
    case "drawn":
      return entries;
    case "largest":
      return entries.toSorted((left, right) => compareNumbers(right.number, left.number));
    case "smallest":
      return entries.toSorted((left, right) => compareNumbers(left.number, right.number));
    case "name":
      return entries.toSorted((left, right) => naturalCompare(left.band.label, right.band.label));
    case "nearest": {
      const away = ({ number }: Entry) => -Math.abs(number - (value ?? 0));
      return entries.toSorted((left, right) => compareNumbers(away(right), away(left)));
    }
  }
}

function totalValue(total: Series, bucket: number): { value: string; range?: string } {
  const rows = total.rows[bucket] ?? 0;
  if (rows === 0) {
    return { value: "–" };
  }
  const value = withNonFinite(total.mean[bucket] ?? Number.NaN, [total], bucket);
  const min = total.min[bucket] ?? Number.NaN;
  const max = total.max[bucket] ?? Number.NaN;
  return rows > 1 && min < max
    ? { value, range: `${formatValue(min)} – ${formatValue(max)}` }
    : { value };
}

function bandValue(band: Band, value: number, bucket: number): string {
  if (band.members.every((series) => (series.rows[bucket] ?? 0) === 0)) {
    return "–";
  }
  // A band is drawn by its weight in the bucket, and read by its own mean.
  const [only, ...others] = band.members;
  const isOwn = only !== undefined && others.length === 0 && band.raw === undefined;
  const mean = isOwn ? (only.mean[bucket] ?? Number.NaN) : value;
  return withNonFinite(mean, band.members, bucket);
}

/** "1.2 + 3 NaN" where some values of the bucket are not finite, "NaN" where none is. */
function withNonFinite(mean: number, members: readonly Series[], bucket: number): string {
  const count = (pick: (series: NonNullable<Series["nonFinite"]>) => Uint32Array) =>
    members.reduce(
      (sum, { nonFinite }) => sum + (nonFinite ? (pick(nonFinite)[bucket] ?? 0) : 0),
      0,
    );
  const counts = [
    [count((n) => n.nan), "NaN"],
    [count((n) => n.positiveInfinity), "∞"],
    [count((n) => n.negativeInfinity), "−∞"],
  ] as const;
  const found = counts.filter(([n]) => n > 0);
  if (Number.isNaN(mean)) {
    return found.map(([, name]) => name).join(", ") || "–";
  }
  return [formatValue(mean), ...found.map(([n, name]) => `${n} ${name}`)].join(" + ");
}
