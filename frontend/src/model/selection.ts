/** Steps selected on a chart, whose figures are shown below it. */

import type { Range, XAxis } from "../data/axis.ts";
import { describeSteps } from "./findings.ts";
import type { Picture } from "./picture.ts";
import { nearest } from "./ranges.ts";
import { formatX } from "./ticks.ts";

/** All steps of the buckets at two places of the x axis, in either order, and of those between. */
export function stepsBetween({ x, curves }: Picture, first: number, second: number): Range {
  const begin = nearest(x, Math.min(first, second)) ?? 0;
  const end = nearest(x, Math.max(first, second)) ?? 0;
  return { min: curves.firstXs[begin] ?? 0, max: curves.lastXs[end] ?? 0 };
}

/** What a hand drew, to the nearest steps. */
export function wholeSteps({ min, max }: Range, axis: XAxis): Range {
  return axis === "step" ? { min: Math.round(min), max: Math.round(max) } : { min, max };
}

export function describeSelection({ min, max }: Range, axis: XAxis): string {
  return axis === "step"
    ? describeSteps([min, max])
    : `${formatX(axis, min)} to ${formatX(axis, max)}`;
}
