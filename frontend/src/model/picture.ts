/** Everything that a chart draws of one recording, computed from its curves and what is hidden. */

import type { Curves, Series } from "../data/curves.ts";
import { type Band, totalOf } from "./bands.ts";
import { type Layer, stack } from "./stack.ts";

export const TOTAL_KEY = "total";

export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface Picture {
  /** Where each bucket lies on the x axis: in the middle of its steps. */
  readonly steps: Float64Array;
  readonly curves: Curves;
  /** From bottom to top, without the hidden ones. */
  readonly layers: readonly Layer[];
  readonly total: Series | undefined;
  /** 1 where a shown series holds NaN or an infinity. */
  readonly nonFinite: Uint8Array;
}

export function makePicture(
  curves: Curves,
  bands: readonly Band[],
  isShown: (key: string) => boolean,
): Picture {
  const shown = bands.filter((band) => isShown(band.key));
  const total = isShown(TOTAL_KEY) ? totalOf(curves) : undefined;
  const series = [...(total ? [total] : []), ...shown.flatMap((band) => band.members)];
  return {
    steps: curves.firstSteps.map((first, i) => (first + (curves.lastSteps[i] ?? first)) / 2),
    curves,
    layers: stack(shown),
    total,
    nonFinite: nonFiniteBuckets(series, curves.buckets),
  };
}

function nonFiniteBuckets(series: readonly Series[], buckets: number): Uint8Array {
  const marks = new Uint8Array(buckets);
  for (const { nonFinite } of series) {
    for (const counts of nonFinite ? Object.values(nonFinite) : []) {
      for (let i = 0; i < buckets; i++) {
        marks[i] ||= counts[i] ? 1 : 0;
      }
    }
  }
  return marks;
}

/** The steps of the whole recording; a single step gets room on both sides. */
export function fullRange(curves: Curves): Range {
  const min = curves.firstStep ?? 0;
  const max = curves.lastStep ?? min;
  return max > min ? { min, max } : { min: min - 0.5, max: max + 0.5 };
}

/** The y range of what is drawn between two steps: from zero, with a little room at the top. */
export function valueRange(picture: Picture, steps: Range): Range {
  let min = 0;
  let max = 0;
  const include = (value: number | undefined) => {
    if (value !== undefined && Number.isFinite(value)) {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  };
  const [begin, end] = bucketsBetween(picture, steps);
  for (let i = begin; i < end; i++) {
    for (const { above, below } of picture.layers) {
      include(above.upper[i]);
      include(below?.lower[i]);
    }
    // Not the mean alone: no spike may leave the picture.
    include(picture.total?.min[i]);
    include(picture.total?.max[i]);
  }
  if (min === 0 && max === 0) {
    return { min: 0, max: 1 };
  }
  const room = 0.05 * (max - min);
  return { min: min < 0 ? min - room : 0, max: max > 0 ? max + room : 0 };
}

/** The buckets with a step in the range; where there is none, the two around it. */
function bucketsBetween({ steps }: Picture, range: Range): [begin: number, end: number] {
  let begin = 0;
  while (begin < steps.length && (steps[begin] ?? 0) < range.min) {
    begin++;
  }
  let end = begin;
  while (end < steps.length && (steps[end] ?? 0) <= range.max) {
    end++;
  }
  return begin < end ? [begin, end] : [Math.max(0, begin - 1), Math.min(steps.length, end + 1)];
}

/** Whole steps for a dragged range, within the recording; undefined where it holds no stretch. */
export function zoomRange(dragged: Range, whole: Range): Range | undefined {
  const min = Math.max(Math.floor(Math.min(dragged.min, dragged.max)), Math.ceil(whole.min));
  const max = Math.min(Math.ceil(Math.max(dragged.min, dragged.max)), Math.floor(whole.max));
  return max > min ? { min, max } : undefined;
}
