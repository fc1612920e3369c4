/** The heat strip: a row for each band, the stronger its colour the larger its share. */

import type { Picture } from "../model/picture.ts";
import type { Projection } from "../model/scales.ts";
import type { Look } from "./look.ts";
import type { Surface } from "./surface.ts";

/** As many shades as can be told apart: cells of one shade are drawn as one. */
const SHADES = 32;

/** Of a row at most: many rows leave no room for gaps of a pixel. */
const GAP_SHARE = 0.2;

export function paintStrip(
  surface: Surface,
  projection: Projection,
  { layers, x, curves }: Picture,
  look: Look,
): void {
  const { left, top, width, height } = projection.box;
  // The grid would show through as stripes.
  surface.rectangle(left, top, width, height, { colour: look.page, alpha: 1 });
  layers.forEach(({ above }, row) => {
    const room = projection.y(row) - projection.y(row + 1);
    const gap = Math.min(surface.ratio, GAP_SHARE * room);
    const top = projection.y(row + 1) + gap;
    const height = room - gap;
    const shade = (i: number) => shadeOf((above.upper[i] ?? 0) - (above.lower[i] ?? 0));
    let begin = 0;
    for (let i = 1; i <= x.length; i++) {
      if (i < x.length && shade(i) === shade(begin)) {
        continue;
      }
      // On whole pixels: two half covered ones would show as a seam.
      const left = Math.round(projection.x(edge(curves.firstXs, curves.lastXs, begin)));
      const right = Math.round(projection.x(edge(curves.firstXs, curves.lastXs, i)));
      if (shade(begin) > 0) {
        const fill = { colour: look.heat, alpha: shade(begin) / SHADES };
        surface.rectangle(left, top, right - left, height, fill);
      }
      begin = i;
    }
  });
}

/** Shares of a thousandth and of all: the eye tells ratios apart, not differences. */
export function shadeOf(share: number): number {
  if (!(share > 0)) {
    return 0;
  }
  const decades = Math.max(0, 1 + Math.log10(Math.min(1, share)) / 3);
  return Math.max(1, Math.round(SHADES * decades));
}

/** Halfway between two buckets; the ends at the outer ones. */
function edge(first: Float64Array, last: Float64Array, i: number): number {
  const before = last[i - 1];
  const after = first[i];
  return before === undefined ? (after ?? 0) : after === undefined ? before : (before + after) / 2;
}
