/** Where a chart is read: at the mouse, or where keys have put the cursor. */

import type uPlot from "uplot";
import type { Range } from "../data/axis.ts";
import type { Band } from "../model/bands.ts";
import { bandAt } from "../model/hit.ts";
import type { Picture } from "../model/picture.ts";
import { nearest } from "../model/ranges.ts";

/** Where the pointer is: over which bucket, at which point of the window, over which band. */
export interface Pointer {
  readonly bucket: number;
  /** On the chart's own axes. */
  readonly at: number;
  readonly value: number;
  readonly x: number;
  readonly y: number;
  readonly band?: Band;
  /** Keys moved it there. */
  readonly isOfKeys: boolean;
}

/** Shows the cursor at a place of the x axis, or nowhere. */
export function putCursor(plot: uPlot, place: number | undefined): void {
  const left = place === undefined ? -10 : plot.valToPos(place, "x");
  plot.setCursor({ left, top: Math.min(left, 0) });
}

/** Moves the keys' cursor along with the axis; what is no longer shown is not read. */
export function keepCursor(
  plot: uPlot,
  place: number | undefined,
  range: Range,
): number | undefined {
  if (place === undefined) {
    return undefined;
  }
  const kept = place >= range.min && place <= range.max ? place : undefined;
  if (kept === undefined || Math.abs((plot.cursor.left ?? 0) - plot.valToPos(kept, "x")) > 1) {
    putCursor(plot, kept);
  }
  return kept;
}

/** Where the mouse is, or the keys' cursor, which is at the top and over no band. */
export function pointerOf(
  plot: uPlot,
  picture: Picture,
  place: number | undefined,
): Pointer | undefined {
  const { left, top } = plot.cursor;
  if (left === undefined || top === undefined || left < 0 || top < 0) {
    return undefined;
  }
  const at = place ?? plot.posToVal(left, "x");
  const bucket = nearest(picture.x, at);
  if (bucket === undefined) {
    return undefined;
  }
  const box = plot.over.getBoundingClientRect();
  const value = plot.posToVal(top, "y");
  const isOfKeys = place !== undefined;
  const away = (y: number) => Math.abs(plot.valToPos(y, "y") - top);
  const band = isOfKeys ? undefined : bandAt(picture, at, value, away);
  const pointer = { bucket, at, value, x: box.left + left, y: box.top + top, isOfKeys };
  return { ...pointer, ...(band ? { band } : {}) };
}
