/**
 * Which bands a picture has: the largest penalty terms, the rest as one, data loss, the residual;
 * then, as lines beside the stack, the largest of what is no summand of the loss.
 */

import type { Curves, Series } from "../data/curves.ts";
import {
  type Column,
  columnKey,
  elements,
  isOutside,
  OUTSIDE_ROLES,
  type OutsideRole,
} from "../data/recording.ts";
import { naturalCompare } from "./runs.ts";
import { DEFAULT_TOP, type StackOrder, type TermOrder } from "./settings.ts";
import { spikesOf, spikesOfSum } from "./spikes.ts";

export const MORE_KEY = "more";

/** "total" stands for every line over all parts, "run" for a line of a whole run. */
export type BandRole = "data" | "penalty" | "unexplained" | OutsideRole | "total" | "run";

export interface Band {
  /** Identifies the band across runs and reloads. */
  readonly key: string;
  readonly label: string;
  readonly role: BandRole;
  /** One series, or the several that the band sums. */
  readonly members: readonly Series[];
  /** Per bucket; NaN where there is a gap or nothing finite. */
  readonly values: Float64Array;
  /** The values before they were smoothed. */
  readonly raw?: Float64Array;
  /** Of those that share a colour, which one it is, from 0: each has a hatch and a dash of its own. */
  readonly variant?: number;
  /** What a single step of a bucket has, where it sticks out; else NaN. */
  readonly spikes?: Float64Array;
}

export interface BandOptions {
  /** Terms that get a band of their own however small they are. */
  readonly keep?: ReadonlySet<string>;
  /** How many penalties have bands of their own; 0 for all. */
  readonly top?: number;
  /** Terms that do not match are left out. */
  readonly pattern?: RegExp | undefined;
  readonly order?: TermOrder;
  readonly stackOrder?: StackOrder;
  /** The groups around a band, the largest first; those of one lie side by side, where their sum would. */
  readonly groupsOf?: (key: string) => readonly string[];
}

/**
 * The bands from bottom to top: penalty terms, largest first, then data loss, unless it was chosen
 * to be the bottom. It is the noisiest: what lies on it is as noisy.
 *
 * Sizes are those of the range that the curves cover, hidden or not, so that hiding a band never
 * changes which others there are.
 */
export function chooseBands(curves: Curves, options: BandOptions = {}): Band[] {
  const { keep, top = DEFAULT_TOP, pattern, order = "share", stackOrder } = options;
  const { groupsOf = () => [] } = options;
  const inBucket = rowsPerBucket(curves);
  const sized = (role: BandRole) =>
    curves.series
      .filter(({ column }) => column.role === role && (!column.derived || column.significant))
      .filter(({ column }) => pattern === undefined || pattern.test(column.name))
      .map((series) => singleBand(series, role, inBucket))
      .map((band) => ({ band, size: size(band.values) }));

  const pathOf = ({ key }: Band) => [...groupsOf(key), key];
  const ofRole = (role: BandRole) => {
    const bands = sized(role);
    const sums = new Map<string, number>();
    for (const { band, size } of bands) {
      for (const part of pathOf(band)) {
        sums.set(part, (sums.get(part) ?? 0) + size);
      }
    }
    const sum = (part: string) => sums.get(part) ?? 0;
    return nested(
      bands.map(({ band }) => band),
      pathOf,
      (left, right) => sum(right) - sum(left),
    );
  };

  const penalties = ofRole("penalty").filter(({ key }) => key !== MORE_KEY);
  const summed = ofRole("penalty").filter(({ key }) => key === MORE_KEY);
  // The terms of an opened group count as the one band that they were.
  const ranks = new Map<string, number>();
  for (const band of penalties) {
    const [outermost = band.key] = pathOf(band);
    ranks.set(outermost, ranks.get(outermost) ?? ranks.size);
  }
  const rankOf = (band: Band) => ranks.get(pathOf(band)[0] ?? band.key) ?? 0;
  // A band that stands for one more term would take as much room as the term itself.
  const own =
    top === 0 || penalties.length <= top + 1
      ? penalties
      : penalties.filter((band) => rankOf(band) < top || keep?.has(band.key));
  const rest = penalties.filter((band) => !own.includes(band));
  const more = rest.length === 0 ? summed : [sumBand([...rest, ...summed])];
  const outside = OUTSIDE_ROLES.flatMap(ofRole).filter(
    (band, rank) => top === 0 || rank < top || keep?.has(band.key),
  );
  const terms = [...together(arrange(own, order, curves), pathOf), ...more];
  const data = ofRole("data");
  const summands = stackOrder === "data" ? [...data, ...terms] : [...terms, ...data];
  return [...summands, ...ofRole("unexplained"), ...outside];
}

function arrange(bands: readonly Band[], order: TermOrder, curves: Curves): readonly Band[] {
  switch (order) {
    case "share":
      return bands;
    case "size":
      return bands.toSorted((left, right) => variableSize(right) - variableSize(left));
    case "name":
      return bands.toSorted((left, right) => naturalCompare(left.label, right.label));
    case "recorded": {
      const places = new Map(curves.series.map(({ column }, i) => [columnKey(column), i]));
      const place = (band: Band) => places.get(band.key) ?? 0;
      return bands.toSorted((left, right) => place(left) - place(right));
    }
  }
}

type PathOf = (band: Band) => readonly string[];

/** Bands of one group side by side, where the first of them was. */
function together(bands: readonly Band[], pathOf: PathOf): readonly Band[] {
  const places = new Map<string, number>();
  for (const part of bands.flatMap(pathOf)) {
    places.set(part, places.get(part) ?? places.size);
  }
  const place = (part: string) => places.get(part) ?? 0;
  return nested(bands, pathOf, (left, right) => place(left) - place(right));
}

/** Orders bands by the first groups that they don't share, or by themselves. */
function nested(
  bands: readonly Band[],
  pathOf: PathOf,
  compare: (left: string, right: string) => number,
): readonly Band[] {
  const paths = new Map(bands.map((band) => [band, pathOf(band)]));
  return bands.toSorted((left, right) => {
    const [a = [], b = []] = [paths.get(left), paths.get(right)];
    const at = a.findIndex((part, i) => part !== b[i]);
    return at < 0 ? 0 : compare(a[at] ?? "", b[at] ?? "");
  });
}

/** How many numbers a band penalises; none where that was not recorded. */
function variableSize({ members }: Band): number {
  return members.reduce((size, { column }) => size + (elements(column) ?? 0), 0);
}

/** Whether a band is a part of the loss, and not a line beside it. */
export function isSummand({ role }: Band): boolean {
  return !isOutside(role);
}

/** The total as a band like any other, for lines and legends. */
export function totalBand(curves: Curves): Band | undefined {
  const series = totalOf(curves);
  return series && { ...singleBand(series, "total", rowsPerBucket(curves)), key: "total" };
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
  const means = Float64Array.from(series.mean, (mean, i) => {
    const rows = series.rows[i] ?? 0;
    // Where a term was recorded in some of a bucket's rows only, its share of the mean total is
    // that much smaller: without this the bands would not add up where the set of terms changes.
    return rows === 0 ? Number.NaN : (mean * rows) / (inBucket[i] ?? rows);
  });
  const spikes = spikesOf(series);
  return {
    key: bandKey(series.column),
    label: series.column.name,
    role,
    members: [series],
    ...(series.smoothed === undefined
      ? { values: means }
      : { values: withGaps(series.smoothed, series.rows), raw: means }),
    ...(spikes === undefined ? {} : { spikes }),
  };
}

function bandKey(column: Column): string {
  return column.isRest === true ? MORE_KEY : columnKey(column);
}

/** Values per bucket, NaN where none was recorded. */
export function withGaps(values: Float32Array, rows: Uint32Array): Float64Array {
  return Float64Array.from(values, (value, i) => (rows[i] === 0 ? Number.NaN : value));
}

/** Means add up, so the sum of the means is the mean of the sums. */
function sumBand(bands: readonly Band[]): Band {
  const values = sumOf(bands);
  const spikes = spikesOfSum(values, bands);
  return {
    key: MORE_KEY,
    label: `${bands.reduce((terms, band) => terms + termsOf(band), 0)} more terms`,
    role: "penalty",
    members: bands.flatMap((band) => band.members),
    values,
    ...(spikes === undefined ? {} : { spikes }),
  };
}

/** How many recorded terms a band stands for. */
export function termsOf({ members }: Band): number {
  return members.reduce((terms, { column }) => terms + (column.terms ?? 1), 0);
}

/** How much of the picture a band takes up: its mean magnitude, gaps counting as nothing. */
function size(values: Float64Array): number {
  let sum = 0;
  for (const value of values) {
    sum += Number.isNaN(value) ? 0 : Math.abs(value);
  }
  return values.length === 0 ? 0 : sum / values.length;
}

/**
 * The sum per bucket. What is not recorded counts as nothing, where anything is; a sum with a part
 * that is not finite is not known.
 */
export function sumOf(bands: readonly Band[]): Float64Array {
  const buckets = bands[0]?.values.length ?? 0;
  const sums = new Float64Array(buckets).fill(Number.NaN);
  const isBegun = new Uint8Array(buckets);
  for (const { values, members } of bands) {
    for (let i = 0; i < buckets; i++) {
      if (members.some(({ rows }) => (rows[i] ?? 0) > 0)) {
        sums[i] = (isBegun[i] ? (sums[i] ?? 0) : 0) + (values[i] ?? Number.NaN);
        isBegun[i] = 1;
      }
    }
  }
  return sums;
}
