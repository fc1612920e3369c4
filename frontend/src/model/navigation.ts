/** Moving along the x axis: with keys, with the wheel, by dragging. */

import type { Range } from "../data/axis.ts";
import { nearest } from "./ranges.ts";

/** A key pans by this part of what is shown. */
const STEP = 0.2;
const IN = 0.5;

/** The same width elsewhere, within the whole. */
export function pan(range: Range, whole: Range, by: number): Range {
  const width = range.max - range.min;
  // A range of whole steps stays one: rounding it outwards later would make it grow.
  const isWhole = Number.isInteger(range.min) && Number.isInteger(range.max);
  const shift = isWhole ? Math.round(by) : by;
  const min = Math.min(Math.max(range.min + shift, whole.min), whole.max - width);
  return { min, max: min + width };
}

/** A part or a multiple of the width; what is at a share of it stays there. */
export function scaleRange(range: Range, whole: Range, factor: number, at = 0.5): Range {
  const width = Math.min((range.max - range.min) * factor, whole.max - whole.min);
  const min = range.min + at * (range.max - range.min - width);
  return pan({ min, max: min + width }, whole, 0);
}

/**
 * What a key leads to: a range, null for the whole; undefined where the key means nothing.
 * Zooming keeps what is at a place of the x axis where it is.
 */
export function rangeAfterKey(
  key: string,
  range: Range,
  whole: Range,
  place = (range.min + range.max) / 2,
): Range | null | undefined {
  const width = range.max - range.min;
  const at = (place - range.min) / width;
  const step = Number.isInteger(width) ? Math.max(1, STEP * width) : STEP * width;
  switch (key) {
    case "ArrowLeft":
      return pan(range, whole, -step);
    case "ArrowRight":
      return pan(range, whole, step);
    case "+":
    case "=":
      return scaleRange(range, whole, IN, at);
    case "-":
      return scaleRange(range, whole, 1 / IN, at);
    case "0":
      return null;
    default:
      return undefined;
  }
}

/** So many times the page keys go through what is shown. */
const PAGES = 10;

/**
 * Where a key takes the cursor that reads a chart bucket by bucket, from a place or from none: a
 * place, null for none; undefined where the key means nothing.
 */
export function placeAfterKey(
  key: string,
  x: Float64Array,
  { min, max }: Range,
  place: number | undefined,
): number | null | undefined {
  const shown = x.filter((at) => at >= min && at <= max);
  const last = shown.length - 1;
  const at = place === undefined ? undefined : nearest(shown, place);
  const page = Math.ceil(shown.length / PAGES);
  const go = (index: number) => shown[Math.max(0, Math.min(index, last))];
  switch (key) {
    case ".":
      return go(at === undefined ? 0 : at + 1);
    case ",":
      return go(at === undefined ? last : at - 1);
  }
  if (at === undefined) {
    return undefined;
  }
  switch (key) {
    case "PageDown":
      return go(at + page);
    case "PageUp":
      return go(at - page);
    case "Home":
      return go(0);
    case "End":
      return go(last);
    case "Escape":
      return null;
    default:
      return undefined;
  }
}

/** Whether a range is all there is, but for rounding. */
export function isWhole(range: Range, whole: Range): boolean {
  const slack = 1e-9 * (whole.max - whole.min);
  return range.min <= whole.min + slack && range.max >= whole.max - slack;
}
