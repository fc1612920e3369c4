/** Where a chart is read: at the mouse, or where keys have put the cursor. */

import type { Range } from "../data/axis.ts";
import type { Plot } from "../drawing/plot.ts";
import type { Band } from "../model/bands.ts";
import { bandAt } from "../model/hit.ts";
import type { Picture } from "../model/picture.ts";
import type { Place } from "../model/reading.ts";

/** Where the pointer is: at which place of the axes, at which point of the window, over which band. */
export interface Pointer extends Required<Place> {
  readonly x: number;
  readonly y: number;
  readonly band?: Band;
  /** Keys moved it there. */
  readonly isOfKeys: boolean;
}

/** Shows the keys' cursor at a place of the x axis, or nowhere. */
export function putCursor(plot: Plot, place: number | undefined): void {
  plot.moveCursor(place === undefined ? undefined : { left: plot.projection.x(place), top: 0 });
}

/** Where the keys' cursor is, if that is still shown. */
export function keepPlace(place: number | undefined, { min, max }: Range): number | undefined {
  return place !== undefined && place >= min && place <= max ? place : undefined;
}

/** Where the mouse is, or the keys' cursor, which is at the top and over no band. */
export function pointerOf(
  plot: Plot,
  picture: Picture,
  place: number | undefined,
): Pointer | undefined {
  const { cursor, projection } = plot;
  if (cursor?.top === undefined || picture.x.length === 0) {
    return undefined;
  }
  const { left, top } = cursor;
  const at = place ?? projection.xAt(left);
  const box = plot.area.getBoundingClientRect();
  const value = projection.yAt(top);
  const isOfKeys = place !== undefined;
  const away = (y: number) => Math.abs(projection.y(y) - top);
  const band = isOfKeys ? undefined : bandAt(picture, at, value, away);
  const pointer = { at, value, x: box.left + left, y: box.top + top, isOfKeys };
  return { ...pointer, ...(band ? { band } : {}) };
}
