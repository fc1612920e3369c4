/** What a picture is drawn on: a canvas here, a file in svg.ts. */

import type { Box } from "../model/scales.ts";
import { FONT_SIZE } from "./look.ts";

/** x and y of one point after the other. */
export type Points = ArrayLike<number>;

export interface Fill {
  readonly colour: string;
  readonly alpha: number;
  /** In stripes that lean like that, with what is behind between them. */
  readonly hatch?: Hatch | undefined;
}

/** Degrees from upright, clockwise. */
export const HATCHES = { "/": 45, "-": 90, "|": 0, "\\": -45 } as const;
export type Hatch = keyof typeof HATCHES;
export const HATCH_PERIOD = 6;
export const HATCH_WIDTH = 2;

export interface Stroke {
  readonly colour: string;
  readonly alpha: number;
  readonly width: number;
  /** How many pixels are drawn, left out, drawn, …; none for all drawn. */
  readonly dash?: readonly number[];
}

export interface TextStyle {
  readonly colour: string;
  readonly align: "left" | "center" | "right";
  /** Read from the bottom to the top. */
  readonly isTurned?: boolean;
}

export interface Surface {
  /** Device pixels that are as wide as one pixel of a page. */
  readonly ratio: number;
  /** Filled with one over the other. */
  polygon(points: Points, ...fills: readonly Fill[]): void;
  polyline(points: Points, stroke: Stroke): void;
  rectangle(x: number, y: number, width: number, height: number, fill: Fill): void;
  /** At the line that letters stand on. */
  text(x: number, y: number, text: string, style: TextStyle): void;
  /** Cuts off what `paint` draws outside of a box. */
  clip(box: Box, paint: () => void): void;
}

/** A canvas of a size in pixels of the page, made as sharp as the screen is, with nothing on it. */
export function clearCanvas(canvas: HTMLCanvasElement, width: number, height: number): Surface {
  const ratio = devicePixelRatio;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  const ctx = canvas.getContext("2d");
  if (ctx === null) {
    throw new Error("The browser gives no canvas to draw on.");
  }
  if (canvas.width === across && canvas.height === down) {
    ctx.clearRect(0, 0, across, down);
  } else {
    canvas.width = across;
    canvas.height = down;
  }
  return canvasSurface(ctx, ratio);
}

function canvasSurface(ctx: CanvasRenderingContext2D, ratio: number): Surface {
  const paint = ({ colour, alpha, hatch }: Fill) => {
    ctx.globalAlpha = alpha;
    ctx.fillStyle = hatch ? hatching(ctx, colour, hatch, ratio) : colour;
  };
  const trace = (points: Points) => {
    ctx.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      ctx.lineTo(points[i] ?? 0, points[i + 1] ?? 0);
    }
  };
  return {
    ratio,
    polygon(points, ...fills) {
      trace(points);
      for (const fill of fills) {
        paint(fill);
        ctx.fill();
      }
    },
    polyline(points, { colour, alpha, width, dash = [] }) {
      ctx.globalAlpha = alpha;
      ctx.strokeStyle = colour;
      ctx.lineWidth = width * ratio;
      ctx.lineJoin = "round";
      ctx.setLineDash(dash.map((length) => length * ratio));
      trace(points);
      ctx.stroke();
    },
    rectangle(x, y, width, height, fill) {
      paint(fill);
      ctx.fillRect(x, y, width, height);
    },
    text(x, y, text, { colour, align, isTurned }) {
      ctx.globalAlpha = 1;
      ctx.fillStyle = colour;
      ctx.font = `${FONT_SIZE * ratio}px Roboto, sans-serif`;
      ctx.textAlign = align;
      ctx.save();
      ctx.translate(x, y);
      ctx.rotate(isTurned ? -Math.PI / 2 : 0);
      ctx.fillText(text, 0, 0);
      ctx.restore();
    },
    clip({ left, top, width, height }, paint) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, top, width, height);
      ctx.clip();
      paint();
      ctx.restore();
    },
  };
}

const patterns = new Map<string, CanvasPattern>();

/** Stripes: what nobody can explain must not look like a term, nor a term like another one. */
function hatching(
  ctx: CanvasRenderingContext2D,
  colour: string,
  hatch: Hatch,
  ratio: number,
): CanvasPattern | string {
  const size = Math.round(HATCH_PERIOD * ratio);
  const name = `${colour} ${hatch} ${size}`;
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
  brush.fillStyle = colour;
  brush.fillRect(0, 0, (size * HATCH_WIDTH) / HATCH_PERIOD, size);
  const pattern = ctx.createPattern(tile, "repeat");
  if (pattern === null) {
    return colour;
  }
  pattern.setTransform(new DOMMatrix().rotate(HATCHES[hatch]));
  patterns.set(name, pattern);
  return pattern;
}
