/** The ranges of a chart's axes. */

import type { Range, XAxis } from "../data/axis.ts";
import type { Curves } from "../data/curves.ts";
import { isSummand } from "./bands.ts";
import { limitRange, withoutOutliers } from "./limits.ts";
import type { Line } from "./lines.ts";
import type { Picture } from "./picture.ts";
import type { Area } from "./stack.ts";
import { isShare } from "./ticks.ts";

/** The x axis of the whole recording; a single step gets room on both sides. */
export function fullRange({ firstX, lastX }: Curves): Range {
  const min = firstX ?? 0;
  const max = lastX ?? min;
  return max > min ? { min, max } : { min: min - 0.5, max: max + 0.5 };
}

/** Pictures never change, and a chart asks several times a frame: of 66 series, 1 ms each time. */
export function remember<Value>(compute: (picture: Picture, range: Range) => Value) {
  const known = new WeakMap<Picture, { readonly range: Range; readonly value: Value }>();
  return (picture: Picture, range: Range): Value => {
    const last = known.get(picture);
    if (last !== undefined && last.range.min === range.min && last.range.max === range.max) {
      return last.value;
    }
    const value = compute(picture, range);
    known.set(picture, { range, value });
    return value;
  };
}

/** The y range of what is shown between two places on the x axis. */
export const valueRange = remember((picture, range) => {
  const { limits = {}, scale } = picture;
  return (
    fixedRange(picture) ??
    limitRange(limits.shared ?? automaticRange(picture, range), limits, scale.kind)
  );
});

/** Of an axis that is the same whatever the values are. */
export function fixedRange(picture: Picture): Range | undefined {
  if (picture.view === "strip") {
    return { min: 0, max: Math.max(1, picture.layers.length) };
  }
  if (picture.quantity === "cosine") {
    return { min: -1, max: 1 };
  }
  if (picture.view === "share") {
    return { min: 0, max: 1 };
  }
  return undefined;
}

function automaticRange(picture: Picture, range: Range): Range {
  const { lowest, highest, leastPositive } = extremes(picture, range);
  if (picture.scale.kind === "log") {
    return logRange(leastPositive, highest);
  }
  if (lowest > highest) {
    return { min: 0, max: 1 };
  }
  return picture.layers.length > 0 || isShare(picture.quantity)
    ? fromZero(lowest, highest)
    : around(lowest, highest);
}

interface Extremes {
  readonly lowest: number;
  readonly highest: number;
  readonly leastPositive: number;
}

function extremes(picture: Picture, range: Range): Extremes {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let leastPositive = Number.POSITIVE_INFINITY;
  const include = (values: ArrayLike<number>) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? Number.NaN;
      if (Number.isFinite(value)) {
        lowest = Math.min(lowest, value);
        highest = Math.max(highest, value);
        leastPositive = value > 0 ? Math.min(leastPositive, value) : leastPositive;
      }
    }
  };
  const isTrimmed = picture.limits?.ignoresOutliers === true;
  // What is no part of a stack never makes it small; but for the validation, which is read with it.
  const isBeside = ({ band }: Line) =>
    picture.layers.length > 0 && !isSummand(band) && band.role !== "validation";
  const lines = picture.lines.filter((line) => !isBeside(line));
  for (const { edges, spikes } of drawnEdges({ ...picture, lines }, range)) {
    for (const edge of edges) {
      include(isTrimmed ? withoutOutliers(edge) : edge);
    }
    // Not the mean alone: no spike may leave the picture, unless that was asked for.
    for (const edge of isTrimmed ? [] : spikes) {
      include(edge);
    }
  }
  if (picture.scale.kind === "log" && leastPositive <= highest) {
    include(picture.references);
  }
  return { lowest, highest, leastPositive };
}

interface Drawn {
  readonly x: Float64Array;
  /** As many as there are places. */
  readonly edges: readonly Float64Array[];
  /** Single steps that stick out. */
  readonly spikes: readonly Float64Array[];
}

/** What is drawn between two places on the x axis. */
export function drawnEdges({ x, layers, lines, spread }: Picture, range: Range): Drawn[] {
  const [begin, end] = between(x, range);
  return [
    ...layers.map(({ above, below, spikes }) => ({
      x,
      ends: [begin, end] as const,
      edges: [above.upper, ...(below ? [below.lower] : [])],
      spikes: edgesOf(spikes),
    })),
    ...lines.map((line) => ({
      x: line.x,
      ends: line.x === x ? ([begin, end] as const) : between(line.x, range),
      edges: [line.values, line.raw, spread > 0 ? line.envelope : undefined].flatMap(edgesOf),
      spikes: edgesOf(line.spikes),
    })),
  ].map(({ x, ends, edges, spikes }) => {
    const part = (values: Float64Array) => values.subarray(...ends);
    return { x: part(x), edges: edges.map(part), spikes: spikes.map(part) };
  });
}

function edgesOf(drawn: Float64Array | Area | undefined): Float64Array[] {
  if (drawn === undefined) {
    return [];
  }
  return "lower" in drawn ? [drawn.lower, drawn.upper] : [drawn];
}

export function fromZero(lowest: number, highest: number): Range {
  const min = Math.min(0, lowest);
  const max = Math.max(0, highest);
  if (min === 0 && max === 0) {
    return { min: 0, max: 1 };
  }
  const room = 0.05 * (max - min);
  return { min: min < 0 ? min - room : 0, max: max > 0 ? max + room : 0 };
}

/** Lines are read by their shape: zero need not be in the picture. */
export function around(lowest: number, highest: number): Range {
  const room = 0.05 * (highest - lowest) || 0.05 * Math.abs(highest) || 1;
  const min = lowest - room;
  return { min: lowest >= 0 ? Math.max(0, min) : min, max: highest + room };
}

export function logRange(least: number, highest: number): Range {
  if (!(least <= highest)) {
    return { min: 0.1, max: 10 };
  }
  const room = (highest / least) ** 0.05 || 1;
  const factor = room > 1 ? room : 1.5;
  return { min: least / factor, max: highest * factor };
}

/** The places in a range; where there is none, the two around it. */
export function between(x: Float64Array, range: Range): [begin: number, end: number] {
  const begin = firstNotBelow(x, range.min);
  let end = begin;
  while (end < x.length && (x[end] ?? 0) <= range.max) {
    end++;
  }
  return begin < end ? [begin, end] : [Math.max(0, begin - 1), Math.min(x.length, end + 1)];
}

function firstNotBelow(x: Float64Array, value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const at = (low + high) >> 1;
    if ((x[at] ?? 0) < value) {
      low = at + 1;
    } else {
      high = at;
    }
  }
  return low;
}

/** The place nearest to a value; undefined where there is none. */
export function nearest(x: Float64Array, value: number): number | undefined {
  if (x.length === 0) {
    return undefined;
  }
  const at = Math.min(firstNotBelow(x, value), x.length - 1);
  return at > 0 && value - (x[at - 1] ?? 0) < (x[at] ?? 0) - value ? at - 1 : at;
}

/** A dragged range within the recording, of whole steps; undefined where it holds no stretch. */
export function zoomRange(dragged: Range, whole: Range, axis: XAxis = "step"): Range | undefined {
  const low = Math.min(dragged.min, dragged.max);
  const high = Math.max(dragged.min, dragged.max);
  const [min, max] =
    axis === "step"
      ? [
          Math.max(Math.floor(low), Math.ceil(whole.min)),
          Math.min(Math.ceil(high), Math.floor(whole.max)),
        ]
      : [Math.max(low, whole.min), Math.min(high, whole.max)];
  return max > min ? { min, max } : undefined;
}
