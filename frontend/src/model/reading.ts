/** What the tooltip reads off a picture at one bucket. */

import type { Series } from "../data/curves.ts";
import type { Band } from "./bands.ts";
import { formatShare, formatStepRange, formatValue } from "./format.ts";
import type { Picture } from "./picture.ts";
import { canShare } from "./summary.ts";

/** Rows beyond this would not fit beside a chart. */
export const READING_ROWS = 16;

export interface ReadingRow {
  readonly band: Band;
  readonly value: string;
  readonly share: string;
}

export interface Reading {
  readonly steps: string;
  readonly total?: { readonly value: string; readonly range?: string };
  /** From the top of the stack to its bottom. */
  readonly rows: readonly ReadingRow[];
  /** How many rows were left out. */
  readonly more: number;
  /** The bucket stands for several steps: values are means. */
  readonly isMean: boolean;
}

export function read(picture: Picture, bucket: number): Reading {
  const { curves, total } = picture;
  const first = curves.firstSteps[bucket] ?? 0;
  const last = curves.lastSteps[bucket] ?? first;
  const whole = total?.mean[bucket] ?? Number.NaN;
  const values = picture.layers.map(({ band }) => band.values[bucket] ?? Number.NaN);
  const shares = canShare(
    whole,
    values.filter((value) => !Number.isNaN(value)),
  );
  const rows = picture.layers
    .map(({ band }, i) => ({
      band,
      value: bandValue(band, values[i] ?? Number.NaN, bucket),
      share: shares ? formatShare((values[i] ?? Number.NaN) / whole) : "",
    }))
    .reverse();
  // The bottom of the stack, the data loss, stays: the small terms above it are left out.
  const kept = rows.length > READING_ROWS ? leaveOutSmall(rows, values) : rows;
  return {
    steps: formatStepRange(first, last),
    ...(total ? { total: totalValue(total, bucket) } : {}),
    rows: kept,
    more: rows.length - kept.length,
    isMean: last > first,
  };
}

function leaveOutSmall(rows: readonly ReadingRow[], values: readonly number[]): ReadingRow[] {
  const sizes = values.map((value) => Math.abs(value) || 0).reverse();
  const largest = sizes.map((_, i) => i).toSorted((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));
  const kept = new Set(largest.slice(0, READING_ROWS - 1));
  return rows.filter((_, i) => kept.has(i));
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
  const mean = only && others.length === 0 ? (only.mean[bucket] ?? Number.NaN) : value;
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
