/** Single steps that stick out of what is around them: a mean over a bucket would hide them. */

import type { Series } from "../data/curves.ts";

/** So many times as far from the mean as buckets reach on average: noise does not get there. */
const REACH = 3;
/** The buckets before and after: a spike may lie across two. */
const BESIDE = 2;

/** What sticks out furthest, bucket by bucket; NaN where nothing does, undefined where nowhere. */
export function spikesOf({ mean, min, max }: Series): Float64Array | undefined {
  const highest = peaks(mean, max, 1);
  const lowest = peaks(mean, min, -1);
  return highest && lowest
    ? highest.map((value, i) => (Number.isNaN(value) ? (lowest[i] ?? value) : value))
    : (highest ?? lowest);
}

/** The ends of buckets that lie far beyond their own mean and beyond the ends beside them. */
function peaks(mean: Float32Array, ends: Float32Array, sign: 1 | -1): Float64Array | undefined {
  const beyond = ends.map((end, i) => sign * (end - (mean[i] ?? Number.NaN)));
  const threshold = REACH * average(beyond);
  if (!(threshold > 0)) {
    return undefined;
  }
  let found: Float64Array | undefined;
  // Most losses fall steeply from their first step on: that is no spike.
  for (let i = BESIDE; i < ends.length; i++) {
    const end = ends[i] ?? Number.NaN;
    // What is not there is no hindrance: NaN compares as false.
    const isBeyond = (other = Number.NaN) => !(sign * (end - other) <= threshold);
    if ((beyond[i] ?? 0) > threshold && isBeyond(ends[i - BESIDE]) && isBeyond(ends[i + BESIDE])) {
      found ??= new Float64Array(ends.length).fill(Number.NaN);
      found[i] = end;
    }
  }
  return found;
}

function average(values: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (!Number.isNaN(value)) {
      sum += value;
      count++;
    }
  }
  return sum / count;
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
