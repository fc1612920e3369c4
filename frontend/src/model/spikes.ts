/** Single steps that stick out of what is around them: a mean over a bucket would hide them. */

import type { Series } from "../data/curves.ts";

/** So many buckets are what is around one. */
const SURROUNDINGS = 50;
/** Of them, what four in five do not exceed is usual: several spikes in them hide none. */
const USUAL = 0.8;
/** So many times what buckets usually span, beyond where they usually end, as in Tukey's fences. */
const FENCE = 3;
/** The buckets before and after: of two, as a spike may lie beside another. */
const SIDES = [
  [-2, -1],
  [1, 2],
] as const;
/** Most losses fall steeply from their first step on: that is no spike. */
const START = 2;

/** What sticks out, bucket by bucket; NaN where nothing does, undefined where nowhere. */
export function spikesOf({ mean, min, max }: Series): Float64Array | undefined {
  let found: Float64Array | undefined;
  // With the next one: a bucket of a single row spans nothing.
  const spans = max.map((top, i) => {
    const next = Number.isNaN(max[i + 1] ?? Number.NaN) ? i : i + 1;
    return Math.max(top, max[next] ?? top) - Math.min(min[i] ?? top, min[next] ?? top);
  });
  const stretches = Math.max(1, Math.floor(mean.length / SURROUNDINGS));
  const bound = (stretch: number) => Math.round((stretch * mean.length) / stretches);
  for (let stretch = 0; stretch < stretches; stretch++) {
    const [first, stop] = [bound(stretch), bound(stretch + 1)];
    const sorted = (values: Float32Array) => values.slice(first, stop).sort();
    const sortedSpans = sorted(spans);
    const reach = FENCE * quantile(sortedSpans, USUAL);
    // Nearly all stretches end here: no bucket of them holds a spike.
    if (!(quantile(sortedSpans, 1) > reach)) {
      continue;
    }
    const high = quantile(sorted(max), USUAL) + reach;
    const low = quantile(sorted(min), 1 - USUAL) - reach;
    for (let i = Math.max(START, first); i < stop; i++) {
      const top = max[i] ?? Number.NaN;
      const bottom = min[i] ?? Number.NaN;
      const isPeak = top > high && isAlone(max, mean, i, (by) => by > reach);
      if (isPeak || (bottom < low && isAlone(min, mean, i, (by) => -by > reach))) {
        found ??= new Float64Array(mean.length).fill(Number.NaN);
        found[i] = isPeak ? top : bottom;
      }
    }
  }
  return found;
}

/** Whether an end is beyond the means here and beside it, and beyond the ends before and after. */
function isAlone(
  ends: Float32Array,
  means: Float32Array,
  i: number,
  isFar: (by: number) => boolean,
): boolean {
  // What is not there is no hindrance.
  const isBeyond = (other = Number.NaN) => {
    return Number.isNaN(other) || isFar((ends[i] ?? Number.NaN) - other);
  };
  // A level that changes for good carries the means with it, and on a slope one side is beyond.
  return (
    [-1, 0, 1].every((by) => isBeyond(means[i + by])) &&
    SIDES.every((side) => side.some((by) => isBeyond(ends[i + by])))
  );
}

/** Of sorted values; NaN where none is there. */
function quantile(sorted: Float32Array, part: number): number {
  // NaN comes last.
  const last = sorted.findLastIndex((value) => !Number.isNaN(value));
  return sorted[Math.round(part * last)] ?? Number.NaN;
}

/** The spikes of a sum: where a part sticks out, by how much it does. */
export function spikesOfSum(
  values: Float64Array,
  parts: readonly { readonly values: Float64Array; readonly spikes?: Float64Array }[],
): Float64Array | undefined {
  const spiky = parts.filter(({ spikes }) => spikes !== undefined);
  if (spiky.length === 0) {
    return undefined;
  }
  return values.map((value, i) => {
    let sum = Number.NaN;
    for (const part of spiky) {
      const spike = part.spikes?.[i] ?? Number.NaN;
      if (!Number.isNaN(spike)) {
        sum = (Number.isNaN(sum) ? value : sum) + spike - (part.values[i] ?? 0);
      }
    }
    return sum;
  });
}
