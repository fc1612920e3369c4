/** The frame of a chart: where its plot is, and the axes around it. Pure: a canvas and a file share it. */

import type { Range } from "../data/axis.ts";
import { pictureTicks, yLabel } from "../model/labels.ts";
import type { Picture } from "../model/picture.ts";
import { valueRange } from "../model/ranges.ts";
import { type Box, type Projection, project } from "../model/scales.ts";
import { type Ticks, X_LABELS, xTicks } from "../model/ticks.ts";
import { widest, withinEnd } from "./labels.ts";
import type { Look } from "./look.ts";
import { SCALE_ROOM } from "./strip.ts";
import type { Surface } from "./surface.ts";

/** In pixels of the page. */
export interface Frame {
  /** The area within the axes. */
  readonly box: Box;
  readonly x: Axis;
  readonly y: Axis;
  /** Puts the values of both axes into a box: the plot's own, or the same one elsewhere. */
  projectInto(box: Box): Projection;
}

interface Axis {
  readonly ticks: Ticks;
  /** Empty where there is no room for a name. */
  readonly name: string;
}

export interface FrameSize {
  readonly width: number;
  readonly height: number;
  /** Room above the plot. */
  readonly top?: number;
  /** Without the names of the axes. */
  readonly isSmall?: boolean;
}

const TOP_ROOM = 8;
/** Beside the plot's right end: half of a label. */
export const END_ROOM = 12;
/** The labels of the x axis, and an axis' name. */
export const X_ROOM = 26;
export const NAME_ROOM = 18;
/** Beside the labels of the y axis. */
export const Y_ROOM = 14;
/** Between ticks, at least about. */
const X_SPACE = 72;
const Y_SPACE = 36;
export const SMALL_Y_SPACE = 18;

const TICK = 4;
const GAP = 4;
/** From a text's top, middle and lower end to the line that its letters stand on. */
const TEXT_TOP = 11;
const TEXT_MIDDLE = 4;
const TEXT_END = 3;

export function makeFrame(picture: Picture, range: Range, size: FrameSize): Frame {
  const { width, height, top = TOP_ROOM, isSmall = false } = size;
  const { scale, curves } = picture;
  const nameRoom = isSmall ? 0 : NAME_ROOM;
  const ySpace = isSmall ? SMALL_Y_SPACE : Y_SPACE;
  const yRange = valueRange(picture, range);
  const isStrip = picture.view === "strip";
  const above = top + (isStrip ? SCALE_ROOM : 0);
  const high = Math.max(1, height - above - X_ROOM - nameRoom);
  const y = pictureTicks(picture, yRange, Math.max(2, high / ySpace));
  const left = Math.ceil(widest(y.labels)) + Y_ROOM + nameRoom;
  const wide = Math.max(1, width - left - END_ROOM);
  const x = xTicks(curves.xAxis, range, wide / X_SPACE);
  return {
    box: { left, top: above, width: wide, height: high },
    x: {
      ticks: withinEnd(x, range, wide, END_ROOM),
      name: isSmall ? "" : X_LABELS[curves.xAxis],
    },
    y: { ticks: y, name: isSmall || isStrip ? "" : yLabel(picture) },
    projectInto: (box) => project(box, range, yRange, scale),
  };
}

/** A box on a surface: of whole pixels, so that its edges are sharp. */
export function boxOn({ ratio }: Pick<Surface, "ratio">, { left, top, width, height }: Box): Box {
  const scaled = (length: number) => Math.round(length * ratio);
  return { left: scaled(left), top: scaled(top), width: scaled(width), height: scaled(height) };
}

/** The grid, the axes' labels and their names; what is drawn later lies on top. */
export function paintFrame(surface: Surface, { box, x, y, projectInto }: Frame, look: Look): void {
  const { ratio } = surface;
  const plot = boxOn(surface, box);
  const projection = projectInto(plot);
  const bottom = plot.top + plot.height;
  const rule = (...points: number[]) =>
    surface.polyline(points, { colour: look.grid, alpha: 1, width: 1 });
  const style = { colour: look.text, align: "center" } as const;

  x.ticks.values.forEach((value, i) => {
    const at = sharp(projection.x(value), ratio);
    rule(at, plot.top, at, bottom + TICK * ratio);
    surface.text(at, bottom + (TICK + GAP + TEXT_TOP) * ratio, x.ticks.labels[i] ?? "", style);
  });
  y.ticks.values.forEach((value, i) => {
    const at = sharp(projection.y(value), ratio);
    const left = plot.left - TICK * ratio;
    rule(left, at, plot.left + plot.width, at);
    const label = y.ticks.labels[i] ?? "";
    const right = { ...style, align: "right" } as const;
    surface.text(left - GAP * ratio, at + TEXT_MIDDLE * ratio, label, right);
  });
  const middle = plot.left + plot.width / 2;
  surface.text(middle, bottom + (X_ROOM + TEXT_TOP) * ratio, x.name, style);
  const beside = (NAME_ROOM - TEXT_END) * ratio;
  const isTurned = true;
  surface.text(beside, plot.top + plot.height / 2, y.name, { ...style, isTurned });
}

/** Where a line covers whole pixels: one of an odd width lies in the middle of a pixel. */
export function sharp(at: number, ratio: number): number {
  return Math.round(at) + (Math.round(ratio) % 2) / 2;
}
