/** Terms as lines, each for itself: values, or penalties as parts of the data loss. */

import type { Series } from "../data/curves.ts";
import { type Band, sumOf, withGaps } from "./bands.ts";
import { spikesOfSum } from "./spikes.ts";
import type { Area } from "./stack.ts";

export interface Line {
  readonly band: Band;
  readonly x: Float64Array;
  /** NaN is a gap. */
  readonly values: Float64Array;
  /** What was smoothed, drawn faint behind. */
  readonly raw?: Float64Array;
  /** From the smallest to the largest value of each bucket; absent where buckets hold one. */
  readonly envelope?: Area;
  /** From the line to where a single step sticks out. */
  readonly spikes?: Area;
}

/** What a penalty amounts to beside the data loss, in three words: little, some, as much. */
export const REFERENCES: readonly number[] = [0.01, 0.1, 1];

export function makeLines(x: Float64Array, bands: readonly Band[]): Line[] {
  return bands.map((band) => {
    const [only, ...others] = band.members;
    const envelope = only && others.length === 0 ? envelopeOf(only) : undefined;
    const values = lineValues(band);
    return {
      band,
      x,
      values,
      ...spikeArea(values, band.spikes),
      ...(band.raw === undefined ? {} : { raw: band.raw }),
      ...(envelope === undefined ? {} : { envelope }),
    };
  });
}

/** A band of one series is drawn by its weight in the bucket in a stack, as a line by its mean. */
function lineValues(band: Band): Float64Array {
  const [only, ...others] = band.members;
  return band.raw === undefined && only !== undefined && others.length === 0
    ? withGaps(only.mean, only.rows)
    : band.values;
}

function spikeArea(values: Float64Array, spikes: Float64Array | undefined): Pick<Line, "spikes"> {
  if (spikes === undefined) {
    return {};
  }
  const ends = (pick: (...values: number[]) => number) =>
    spikes.map((spike, i) => pick(spike, values[i] ?? Number.NaN));
  return { spikes: { lower: ends(Math.min), upper: ends(Math.max) } };
}

function envelopeOf({ min, max }: Series): Area | undefined {
  return min.some((low, i) => low < (max[i] ?? low))
    ? { lower: Float64Array.from(min), upper: Float64Array.from(max) }
    : undefined;
}

export const RATIO_LABEL = "all penalties";

/** Each shown penalty, and all together, divided by the data loss; NaN where that is not above 0. */
export function makeRatio(
  x: Float64Array,
  data: readonly Band[],
  penalties: readonly Band[],
  shown: readonly Band[],
  withAll: boolean,
): Line[] {
  const whole = sumOf(data);
  const lineOf = (band: Band): Line => {
    const values = divide(band.values, whole);
    return { band, x, values, ...spikeArea(values, band.spikes && divide(band.spikes, whole)) };
  };
  const lines = shown.map(lineOf);
  if (!withAll) {
    return lines;
  }
  const members = penalties.flatMap((band) => band.members);
  const values = sumOf(penalties);
  const spikes = spikesOfSum(values, penalties);
  const all: Band = {
    key: "total",
    label: RATIO_LABEL,
    role: "total",
    members,
    values,
    ...(spikes ? { spikes } : {}),
  };
  return [...lines, lineOf(all)];
}

/** NaN where the divisor is not above zero, or is not known. */
export function divide(values: Float64Array, by: Float64Array | undefined): Float64Array {
  return values.map((value, i) => {
    const divisor = by?.[i] ?? Number.NaN;
    return divisor > 0 ? value / divisor : Number.NaN;
  });
}
