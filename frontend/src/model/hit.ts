/** Which band the pointer means. */

import type { Band } from "./bands.ts";
import type { Picture } from "./picture.ts";
import { nearest } from "./ranges.ts";
import { layerAt } from "./stack.ts";

/** In pixels from a line. */
const REACH = 12;

/** The band at a place of a picture; `distance` tells how far a value is from the pointer. */
export function bandAt(
  picture: Picture,
  x: number,
  value: number,
  distance: (value: number) => number,
): Band | undefined {
  const bucket = nearest(picture.x, x);
  if (bucket === undefined) {
    return undefined;
  }
  if (picture.view === "strip") {
    return picture.layers[Math.floor(value)]?.band;
  }
  if (picture.layers.length > 0) {
    return layerAt(picture.layers, bucket, value)?.band;
  }
  let found: Band | undefined;
  let least = REACH;
  for (const { band, x: places, values } of picture.lines) {
    const at = nearest(places, x);
    const away = distance(at === undefined ? Number.NaN : (values[at] ?? Number.NaN));
    if (away < least) {
      found = band;
      least = away;
    }
  }
  return found;
}
