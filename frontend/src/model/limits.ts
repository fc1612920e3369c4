/** Which part of the y axis is shown where a person chose one; what is not in view then: cut.ts. */

import type { Range } from "../data/axis.ts";
import { formatValue } from "./format.ts";
import type { Picture } from "./picture.ts";
import type { Scale } from "./scales.ts";
import type { Quantity } from "./ticks.ts";

export interface Limits {
  readonly ignoresOutliers?: boolean;
  /** By hand; what is undefined is automatic. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** The range of all cards. */
  readonly shared?: Range | undefined;
}

/** Whether anything can be out of view. */
export function isLimited({ ignoresOutliers = false, min, max }: Limits = {}): boolean {
  return ignoresOutliers || min !== undefined || max !== undefined;
}

/** Of a curve's values, at either end; as in Time Series. */
const OUTLYING = 0.05;

/** The finite values without the outlying ones. */
export function withoutOutliers(values: Float64Array): Float64Array {
  const sorted = values.filter(Number.isFinite).sort();
  const cut = Math.floor(OUTLYING * sorted.length);
  return sorted.subarray(cut, sorted.length - cut);
}

/** Why ends chosen by hand are not used; undefined where they are. */
export function refuseLimits({ min, max }: Limits, kind: Scale["kind"]): string | undefined {
  if (kind === "log" && Math.min(min ?? 1, max ?? 1) <= 0) {
    return "A log axis has only values above 0.";
  }
  return min !== undefined && max !== undefined && min >= max
    ? `${formatValue(min)} is not below ${formatValue(max)}.`
    : undefined;
}

/** An automatic range with the ends chosen by hand in place of its own. */
export function limitRange(automatic: Range, limits: Limits, kind: Scale["kind"]): Range {
  if (refuseLimits(limits, kind) !== undefined) {
    return automatic;
  }
  const { min = automatic.min, max = automatic.max } = limits;
  if (min < max) {
    return { min, max };
  }
  // All values are beyond the one end chosen: something of the axis is shown there.
  const room = (end: number) => Math.abs(end) / 2 || 1;
  return limits.min === undefined ? { min: max - room(max), max } : { min, max: min + room(min) };
}

export interface OwnRange {
  readonly quantity: Quantity;
  readonly scale: Scale;
  readonly values: Range;
}

/** The range and the scale that hold all of those on such an axis. */
export function shareRange(
  all: Iterable<OwnRange>,
  { quantity, scale }: Pick<Picture, "quantity" | "scale">,
): { readonly values: Range | undefined; readonly scale: Scale } {
  const alike = [...all].filter(
    (one) => one.quantity === quantity && one.scale.kind === scale.kind,
  );
  const values = alike.map((one) => one.values);
  return {
    values:
      alike.length === 0
        ? undefined
        : {
            min: Math.min(...values.map(({ min }) => min)),
            max: Math.max(...values.map(({ max }) => max)),
          },
    scale: {
      ...scale,
      threshold: Math.max(scale.threshold, ...alike.map((one) => one.scale.threshold)),
    },
  };
}
