/** Which bands a stack has: data loss, the largest penalty terms, the rest as one, the residual. */

import type { Curves, Series } from "../data/curves.ts";
import { columnKey } from "../data/recording.ts";

/** More bands than this cannot be told apart; the smaller penalty terms are summed. */
export const PENALTY_BANDS = 12;

export const MORE_KEY = "more";

export type BandRole = "data" | "penalty" | "unexplained";

export interface Band {
  /** Identifies the band across runs and reloads. */
  readonly key: string;
  readonly label: string;
  readonly role: BandRole;
  /** One series, or the several that the band sums. */
  readonly members: readonly Series[];
  /** Per bucket; NaN where there is a gap or nothing finite. */
  readonly values: Float64Array;
}

/**
 * The bands from bottom to top: data loss first, then penalty terms, largest first.
 *
 * Sizes are those of the range that the curves cover, hidden or not, so that hiding a band never
 * changes which others there are. Terms in `keep` get a band of their own however small they are.
 */
export function chooseBands(curves: Curves, keep: ReadonlySet<string> = new Set()): Band[] {
  const inBucket = rowsPerBucket(curves);
  const ofRole = (role: BandRole) =>
    curves.series
      .filter(({ column }) => column.role === role && (!column.derived || column.significant))
      .map((series) => singleBand(series, role, inBucket))
      .map((band) => ({ band, size: size(band.values) }))
      .toSorted((left, right) => right.size - left.size)
      .map(({ band }) => band);

  const penalties = ofRole("penalty");
  // A band that stands for one more term would take as much room as the term itself.
  const own =
    penalties.length <= PENALTY_BANDS + 1
      ? penalties
      : penalties.filter((band, rank) => rank < PENALTY_BANDS || keep.has(band.key));
  const rest = penalties.filter((band) => !own.includes(band));
  const more = rest.length === 0 ? [] : [sumBand(rest)];
  return [...ofRole("data"), ...own, ...more, ...ofRole("unexplained")];
}

export function totalOf(curves: Curves): Series | undefined {
  return curves.series.find(({ column }) => column.role === "total");
}

/** Rows of each bucket, whichever columns they hold. */
function rowsPerBucket(curves: Curves): Uint32Array {
  const most = new Uint32Array(curves.buckets);
  for (const { rows } of curves.series) {
    for (let i = 0; i < most.length; i++) {
      most[i] = Math.max(most[i] ?? 0, rows[i] ?? 0);
    }
  }
  return most;
}

function singleBand(series: Series, role: BandRole, inBucket: Uint32Array): Band {
  const values = Float64Array.from(series.mean, (mean, i) => {
    const rows = series.rows[i] ?? 0;
    // Where a term was recorded in some of a bucket's rows only, its share of the mean total is
    // that much smaller: without this the bands would not add up where the set of terms changes.
    return rows === 0 ? Number.NaN : (mean * rows) / (inBucket[i] ?? rows);
  });
  return {
    key: columnKey(series.column),
    label: series.column.name,
    role,
    members: [series],
    values,
  };
}

/** Means add up, so the sum of the means is the mean of the sums. */
function sumBand(bands: readonly Band[]): Band {
  const buckets = bands[0]?.values.length ?? 0;
  const values = new Float64Array(buckets).fill(Number.NaN);
  for (const band of bands) {
    const rows = band.members[0]?.rows;
    for (let i = 0; i < buckets; i++) {
      const recorded = (rows?.[i] ?? 0) > 0;
      const seen = values[i] ?? Number.NaN;
      if (recorded) {
        values[i] = (Number.isNaN(seen) ? 0 : seen) + (band.values[i] ?? Number.NaN);
      }
    }
  }
  // A sum with a part that is not finite is not known; NaN would be lost in the loop above.
  for (const { members, values: part } of bands) {
    for (let i = 0; i < buckets; i++) {
      if ((members[0]?.rows[i] ?? 0) > 0 && Number.isNaN(part[i])) {
        values[i] = Number.NaN;
      }
    }
  }
  return {
    key: MORE_KEY,
    label: `${bands.length} more terms`,
    role: "penalty",
    members: bands.flatMap((band) => band.members),
    values,
  };
}

/** How much of the picture a band takes up: its mean magnitude, gaps counting as nothing. */
function size(values: Float64Array): number {
  let sum = 0;
  for (const value of values) {
    sum += Number.isNaN(value) ? 0 : Math.abs(value);
  }
  return values.length === 0 ? 0 : sum / values.length;
}
