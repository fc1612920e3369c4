/** What tells bands of one colour apart: stripes on their areas, dashes in their lines. */

import { type Band, isSummand } from "../model/bands.ts";
import type { Hatch } from "./surface.ts";

/** What is no term, or no summand. */
const DASHED = [4, 4];

const HATCHES: readonly (Hatch | undefined)[] = [undefined, "\\", "-", "|"];
const DASHES: readonly (readonly number[])[] = [[], [10, 3], [2, 3], [10, 3, 2, 3]];

export function hatchOf({ variant = 0 }: Band): Hatch | undefined {
  return HATCHES[variant % HATCHES.length];
}

export function dashOf(band: Band): readonly number[] {
  const isBeside = band.role === "unexplained" || !isSummand(band);
  return isBeside ? DASHED : dashes(band.variant ?? 0);
}

/** In the lines of the second of a colour, the third, … */
export function dashes(variant: number): readonly number[] {
  return DASHES[variant % DASHES.length] ?? [];
}
