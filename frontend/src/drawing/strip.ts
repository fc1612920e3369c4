/** The heat strip: a row for each band, the stronger its colour the larger its share. */

import { formatShare } from "../model/format.ts";
import { yLabel } from "../model/labels.ts";
import type { Picture } from "../model/picture.ts";
import type { Box, Projection } from "../model/scales.ts";
import { labelWidth } from "./labels.ts";
import { LONE_WIDTH, type Look } from "./look.ts";
import type { Surface } from "./surface.ts";

/** As many shades as can be told apart: cells of one shade are drawn as one. */
const SHADES = 32;

/** Above the rows, for what their shades mean. */
export const SCALE_ROOM = 36;
const SCALE_WIDTH = 192;
const SCALE_HEIGHT = 10;
const SCALE_SHARES = [0.001, 0.01, 0.1, 1];

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
  layers.forEach(({ above, spikes }, row) => {
    const room = projection.y(row) - projection.y(row + 1);
    const gap = Math.min(surface.ratio, GAP_SHARE * room);
    const top = projection.y(row + 1) + gap;
    const height = room - gap;
    const shade = (i: number) => shadeOf((above.upper[i] ?? 0) - (above.lower[i] ?? 0));
    const paint = (shade: number, left: number, width: number) => {
      if (shade > 0) {
        const fill = { colour: look.heat, alpha: shade / SHADES };
        surface.rectangle(left, top, width, height, fill);
      }
    };
    const lone = LONE_WIDTH * surface.ratio;
    let begin = 0;
    for (let i = 1; i <= x.length; i++) {
      if (i < x.length && shade(i) === shade(begin)) {
        continue;
      }
      // On whole pixels: two half covered ones would show as a seam.
      const left = Math.round(projection.x(edge(curves.firstXs, curves.lastXs, begin)));
      const right = Math.round(projection.x(edge(curves.firstXs, curves.lastXs, i)));
      // A single step between gaps has no width of its own.
      paint(shade(begin), left, Math.max(right - left, x.length === 1 ? lone : 0));
      begin = i;
    }
    spikes?.upper.forEach((upper, i) => {
      if (!Number.isNaN(upper)) {
        const left = Math.round(projection.x(x[i] ?? 0) - lone / 2);
        surface.rectangle(left, top, lone, height, { colour: look.page, alpha: 1 });
        paint(shadeOf(upper - (above.lower[i] ?? 0)), left, lone);
      }
    });
  });
}

/** What the shades mean, above the rows and to the right. */
export function paintScale(surface: Surface, picture: Picture, box: Box, look: Look): void {
  const { ratio } = surface;
  const width = Math.min(SCALE_WIDTH * ratio, box.width / 2);
  const left = box.left + box.width - width;
  const top = box.top - SCALE_ROOM * ratio;
  const height = SCALE_HEIGHT * ratio;
  for (let shade = 1; shade <= SHADES; shade++) {
    const at = (edge: number) => Math.round(left + (width * edge) / SHADES);
    const fill = { colour: look.heat, alpha: shade / SHADES };
    surface.rectangle(at(shade - 1), top, at(shade) - at(shade - 1), height, fill);
  }
  SCALE_SHARES.forEach((share, i) => {
    const at = left + (width * i) / (SCALE_SHARES.length - 1);
    const align = i === 0 ? "left" : i === SCALE_SHARES.length - 1 ? "right" : "center";
    const label = formatShare(share);
    surface.text(at, top + height + 14 * ratio, label, { colour: look.text, align });
  });
  const name = yLabel(picture);
  if (labelWidth(name) * ratio < left - box.left) {
    surface.text(left - 8 * ratio, top + height, name, { colour: look.text, align: "right" });
  }
}

/** Shares of a thousandth and of all: the eye tells ratios apart, not differences. */
function shadeOf(share: number): number {
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
