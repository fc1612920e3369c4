/** Draws a chart: its frame, and in it areas, lines with their envelopes, and marks. */

import type { Range } from "../data/axis.ts";
import type { Band } from "../model/bands.ts";
import { cutOff } from "../model/cut.ts";
import type { Mark } from "../model/findings.ts";
import type { Line } from "../model/lines.ts";
import type { Picture } from "../model/picture.ts";
import type { Projection } from "../model/scales.ts";
import type { Area, Layer } from "../model/stack.ts";
import { boxOn, type Frame, paintFrame } from "./frame.ts";
import { LONE_WIDTH, LOOKS, type Look, type Theme } from "./look.ts";
import { paintCut, paintFindings, paintRestarts } from "./marks.ts";
import { paintScale, paintStrip } from "./strip.ts";
import type { Fill, Stroke, Surface } from "./surface.ts";
import { dashOf, hatchOf } from "./variants.ts";

const MARK_HEIGHT = 4;
const FAINT = 0.3;
/** Of what lies between minimum and maximum: enough to be seen beside the total, and on bands. */
const QUIET = 0.15;

export type ColourOf = (band: Band) => string;

/** What a chart shows, and how large. */
export interface Scene {
  readonly picture: Picture;
  /** The part of the x axis shown. */
  readonly range: Range;
  readonly theme: Theme;
  readonly width: number;
  readonly height: number;
  /** Without the names of the axes. */
  readonly isSmall?: boolean;
  readonly colourOf: ColourOf;
  /** Where findings begin. */
  readonly marks?: readonly Mark[] | undefined;
  /** What is filled of the picture's layers, unless it is their own areas. */
  readonly areas?: readonly Layer[];
}

export function paintScene(surface: Surface, frame: Frame, scene: Scene): void {
  const { picture, range, theme, marks = [] } = scene;
  const look = LOOKS[theme];
  const box = boxOn(surface, frame.box);
  const projection = frame.projectInto(box);
  paintFrame(surface, frame, look);
  if (picture.view === "strip") {
    paintScale(surface, picture, box, look);
  }
  surface.clip(box, () => {
    paintPicture(surface, projection, scene, look);
    paintRestarts(surface, projection, picture.curves, look);
    paintFindings(surface, projection, marks, look);
    const cut = cutOff(picture, range);
    if (cut !== undefined) {
      paintCut(surface, projection, cut, look);
    }
  });
}

function paintPicture(
  surface: Surface,
  projection: Projection,
  { picture, colourOf, areas = picture.layers }: Scene,
  look: Look,
): void {
  if (picture.view === "strip") {
    paintStrip(surface, projection, picture, look);
  } else {
    // From the outside in, each reaching a pixel under the next one: where two edges cover a pixel
    // in part, the page would show through as a seam.
    for (const layer of areas.toReversed()) {
      paintLayer(surface, projection, picture.x, layer, colourOf, surface.ratio);
    }
  }
  for (const reference of picture.references) {
    paintReference(surface, projection, reference, look);
  }
  for (const line of picture.lines) {
    paintBehind(surface, projection, picture, line, colourOf);
  }
  // Those of the terms lie on the total's: that one of them is as high tells which it is.
  for (const line of picture.lines.toReversed()) {
    paintSpikes(surface, projection, line.x, line, colourOf);
  }
  for (const layer of picture.view === "strip" ? [] : picture.layers) {
    paintSpikes(surface, projection, picture.x, layer, colourOf);
  }
  for (const line of picture.lines) {
    paintLine(surface, projection, line, colourOf);
  }
  paintMarks(surface, projection, picture, look);
}

export function paintLayer(
  surface: Surface,
  projection: Projection,
  x: Float64Array,
  { band, above, below }: Layer,
  colourOf: ColourOf,
  overlap = 0,
): void {
  const fills = fillsOf(band, colourOf);
  fillArea(surface, projection, x, above, fills, overlap);
  if (below !== undefined) {
    fillArea(surface, projection, x, below, fills, -overlap);
  }
}

/** What an area is filled with, one over the other. */
export function fillsOf(band: Band, colourOf: ColourOf): readonly Fill[] {
  const fill = { colour: colourOf(band), alpha: 1 };
  if (band.role === "unexplained") {
    return [{ ...fill, hatch: "/" }];
  }
  const hatch = hatchOf(band);
  return hatch === undefined ? [fill] : [fill, { colour: "#ffffff", alpha: 0.5, hatch }];
}

/** What is seen behind all lines: envelopes, and what was smoothed. */
function paintBehind(
  surface: Surface,
  projection: Projection,
  { spread }: Picture,
  { band, x, raw, envelope }: Line,
  colourOf: ColourOf,
): void {
  const colour = colourOf(band);
  if (envelope !== undefined && spread > 0) {
    fillArea(surface, projection, x, envelope, [{ colour, alpha: QUIET * spread }]);
  }
  if (raw !== undefined) {
    strokeLine(surface, projection, x, raw, { colour, alpha: FAINT, width: 1 });
  }
}

/** Of a single step, but at full strength. */
function paintSpikes(
  surface: Surface,
  projection: Projection,
  x: Float64Array,
  { band, spikes }: Layer | Line,
  colourOf: ColourOf,
): void {
  const width = LONE_WIDTH * surface.ratio;
  spikes?.upper.forEach((value, i) => {
    if (!Number.isNaN(value)) {
      const top = projection.y(value);
      const height = projection.y(spikes.lower[i] ?? value) - top;
      const left = Math.round(projection.x(x[i] ?? 0) - width / 2);
      surface.rectangle(left, top, width, height, { colour: colourOf(band), alpha: 1 });
    }
  });
}

export function paintLine(
  surface: Surface,
  projection: Projection,
  { band, x, values }: Line,
  colourOf: ColourOf,
): void {
  const width = band.role === "total" ? 1 : 1.5;
  const stroke = { colour: colourOf(band), alpha: 1, width, dash: dashOf(band) };
  strokeLine(surface, projection, x, values, stroke);
}

function paintReference(surface: Surface, projection: Projection, value: number, look: Look): void {
  const at = placeOf(projection, value);
  if (at !== undefined) {
    const { left, width } = projection.box;
    const stroke = { colour: look.text, alpha: 0.7, width: 1, dash: [4, 4] };
    surface.polyline([left, at, left + width, at], stroke);
  }
}

function placeOf({ box, y }: Projection, value: number): number | undefined {
  const at = Math.round(y(value)) + 0.5;
  return at < box.top || at > box.top + box.height ? undefined : at;
}

/** Strips at the top where a shown series holds NaN or an infinity. */
function paintMarks(surface: Surface, projection: Projection, picture: Picture, look: Look): void {
  const { firstXs, lastXs } = picture.curves;
  const { box } = projection;
  picture.nonFinite.forEach((mark, i) => {
    if (mark === 0) {
      return;
    }
    const left = projection.x(firstXs[i] ?? 0);
    const right = projection.x(lastXs[i] ?? 0);
    const width = Math.max(right - left, LONE_WIDTH * surface.ratio);
    const fill = { colour: look.warning, alpha: 1 };
    const height = MARK_HEIGHT * surface.ratio;
    surface.rectangle((left + right - width) / 2, box.top, width, height, fill);
  });
}

/** Calls back for each stretch without a gap. */
function forStretches(values: Float64Array, call: (begin: number, end: number) => void): void {
  let begin = 0;
  while (begin < values.length) {
    if (Number.isNaN(values[begin] ?? Number.NaN)) {
      begin++;
      continue;
    }
    let end = begin + 1;
    while (end < values.length && !Number.isNaN(values[end] ?? Number.NaN)) {
      end++;
    }
    call(begin, end);
    begin = end;
  }
}

/**
 * Fills between two edges, one shape for each stretch without a gap. An overlap moves the lower edge
 * down by as many pixels, a negative one the upper edge up, but neither beyond zero.
 */
function fillArea(
  surface: Surface,
  projection: Projection,
  x: Float64Array,
  { lower, upper }: Area,
  fills: readonly Fill[],
  overlap = 0,
): void {
  const [rise, sink] = [Math.min(0, overlap), Math.max(0, overlap)];
  const zero = projection.y(0);
  const topOf = (value: number) => {
    const edge = projection.y(value);
    return Math.max(edge + rise, Math.min(edge, zero));
  };
  const bottomOf = (value: number) => {
    const edge = projection.y(value);
    return Math.min(edge + sink, Math.max(edge, zero));
  };
  forStretches(upper, (begin, end) => {
    if (end - begin === 1) {
      const width = LONE_WIDTH * surface.ratio;
      const top = projection.y(upper[begin] ?? 0);
      const height = projection.y(lower[begin] ?? 0) - top;
      const left = projection.x(x[begin] ?? 0) - width / 2;
      for (const fill of fills) {
        surface.rectangle(left, top, width, height, fill);
      }
      return;
    }
    // To the end along the upper edge, and back along the lower one.
    const points = new Float64Array(4 * (end - begin));
    const back = points.length - 2;
    for (let i = begin; i < end; i++) {
      const at = 2 * (i - begin);
      points[at] = points[back - at] = projection.x(x[i] ?? 0);
      points[at + 1] = topOf(upper[i] ?? 0);
      points[back - at + 1] = bottomOf(lower[i] ?? 0);
    }
    surface.polygon(points, ...fills);
  });
}

function strokeLine(
  surface: Surface,
  projection: Projection,
  x: Float64Array,
  values: Float64Array,
  stroke: Stroke,
): void {
  forStretches(values, (begin, end) => {
    const points = new Float64Array(2 * (end - begin));
    for (let i = begin; i < end; i++) {
      points[2 * (i - begin)] = projection.x(x[i] ?? 0);
      points[2 * (i - begin) + 1] = projection.y(values[i] ?? 0);
    }
    if (end - begin === 1) {
      // A line of one point has no length.
      const [left = 0, top = 0] = points;
      const half = (LONE_WIDTH * surface.ratio) / 2;
      const fill = { colour: stroke.colour, alpha: stroke.alpha };
      surface.rectangle(left - half, top - half, 2 * half, 2 * half, fill);
      return;
    }
    surface.polyline(points, stroke);
  });
}
