/** Moving along the x axis: with keys, with the wheel, by dragging. */

import type { Range } from "./picture.ts";

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

/** What a key leads to: a range, null for the whole; undefined where the key means nothing. */
export function rangeAfterKey(key: string, range: Range, whole: Range): Range | null | undefined {
  const width = range.max - range.min;
  const step = Number.isInteger(width) ? Math.max(1, STEP * width) : STEP * width;
  switch (key) {
    case "ArrowLeft":
      return pan(range, whole, -step);
    case "ArrowRight":
      return pan(range, whole, step);
    case "+":
    case "=":
      return scaleRange(range, whole, IN);
    case "-":
      return scaleRange(range, whole, 1 / IN);
    case "0":
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
