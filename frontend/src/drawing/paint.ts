/** Draws a picture into a chart: areas, the total's envelope, and marks of what is not finite. */

import type uPlot from "uplot";
import type { Band } from "../model/bands.ts";
import type { Picture } from "../model/picture.ts";
import type { Area } from "../model/stack.ts";
import type { Look } from "./look.ts";

/** A single bucket between gaps has no width of its own. */
const LONE_WIDTH = 3;
const MARK_HEIGHT = 4;

/** Draws what lies under the total's line. */
export function paintAreas(
  chart: uPlot,
  picture: Picture,
  look: Look,
  colourOf: (band: Band) => string,
  highlighted: string | undefined,
): void {
  const { ctx } = chart;
  clipped(chart, () => {
    for (const { band, above, below } of picture.layers) {
      const colour = colourOf(band);
      ctx.fillStyle = band.role === "unexplained" ? hatching(ctx, colour) : colour;
      ctx.globalAlpha = highlighted === undefined || highlighted === band.key ? 1 : 0.25;
      fillArea(chart, picture.steps, above.lower, above.upper);
      if (below !== undefined) {
        fillArea(chart, picture.steps, below.lower, below.upper);
      }
    }
    const envelope = totalEnvelope(picture);
    if (envelope !== undefined) {
      ctx.fillStyle = look.total;
      ctx.globalAlpha = 0.25;
      fillArea(chart, picture.steps, envelope.lower, envelope.upper);
    }
  });
}

/** Draws strips at the top where a shown series holds NaN or an infinity. */
export function paintMarks(chart: uPlot, picture: Picture, look: Look): void {
  const { ctx, bbox } = chart;
  const { firstSteps, lastSteps } = picture.curves;
  const ratio = devicePixelRatio;
  clipped(chart, () => {
    ctx.fillStyle = look.warning;
    picture.nonFinite.forEach((mark, i) => {
      if (mark === 0) {
        return;
      }
      const left = chart.valToPos(firstSteps[i] ?? 0, "x", true);
      const right = chart.valToPos(lastSteps[i] ?? 0, "x", true);
      const width = Math.max(right - left, LONE_WIDTH * ratio);
      ctx.fillRect((left + right - width) / 2, bbox.top, width, MARK_HEIGHT * ratio);
    });
  });
}

function clipped(chart: uPlot, draw: () => void): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw();
  ctx.restore();
}

/** Where buckets hold several rows, the total's smallest and largest values. */
function totalEnvelope({ total, steps }: Picture): Area | undefined {
  if (total === undefined || !total.min.some((min, i) => min < (total.max[i] ?? min))) {
    return undefined;
  }
  return {
    lower: Float64Array.from(steps, (_, i) => total.min[i] ?? Number.NaN),
    upper: Float64Array.from(steps, (_, i) => total.max[i] ?? Number.NaN),
  };
}

/** Fills between two edges, one shape for each stretch without a gap. */
function fillArea(
  chart: uPlot,
  steps: Float64Array,
  lower: Float64Array,
  upper: Float64Array,
): void {
  const { ctx } = chart;
  const x = (i: number) => chart.valToPos(steps[i] ?? 0, "x", true);
  const y = (edge: Float64Array, i: number) => chart.valToPos(edge[i] ?? 0, "y", true);
  let begin = 0;
  while (begin < steps.length) {
    if (Number.isNaN(upper[begin] ?? Number.NaN)) {
      begin++;
      continue;
    }
    let end = begin + 1;
    while (end < steps.length && !Number.isNaN(upper[end] ?? Number.NaN)) {
      end++;
    }
    ctx.beginPath();
    if (end - begin === 1) {
      const width = LONE_WIDTH * devicePixelRatio;
      const top = y(upper, begin);
      ctx.rect(x(begin) - width / 2, top, width, y(lower, begin) - top);
    } else {
      for (let i = begin; i < end; i++) {
        ctx.lineTo(x(i), y(upper, i));
      }
      for (let i = end - 1; i >= begin; i--) {
        ctx.lineTo(x(i), y(lower, i));
      }
    }
    ctx.fill();
    begin = end;
  }
}

const patterns = new Map<string, CanvasPattern>();

/** Diagonal stripes: what nobody can explain must not look like a term. */
function hatching(ctx: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
  const size = Math.round(8 * devicePixelRatio);
  const name = `${colour} ${size}`;
  const known = patterns.get(name);
  if (known !== undefined) {
    return known;
  }
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const brush = tile.getContext("2d");
  if (brush === null) {
    return colour;
  }
  brush.strokeStyle = colour;
  brush.lineWidth = size / 4;
  for (const shift of [-size, 0, size]) {
    brush.moveTo(shift - 1, size + 1);
    brush.lineTo(shift + size + 1, -1);
  }
  brush.stroke();
  const pattern = ctx.createPattern(tile, "repeat");
  if (pattern === null) {
    return colour;
  }
  patterns.set(name, pattern);
  return pattern;
}
