/** The marks of a sweep, and what they mean. */

import type { SweepPicture } from "../model/sweepPicture.ts";
import { labelWidth } from "./labels.ts";
import type { Look } from "./look.ts";
import type { Surface } from "./surface.ts";
import type { PlacedDot } from "./sweepFrame.ts";

/** In pixels of the page. */
const MEAN_SIZE = 4;
const RUN_SIZE = 2;
export const THICK = 6;
export const DASH = [5, 4];
export const FAINT = 0.35;
/** A line of the keys, and what is before a name and after it. */
export const LINE = 18;
const KEY = 20;

/** The corners of a circle, and of what is not to be taken for one. */
const ROUND = 20;
const SQUARE = 4;

type Mark = (surface: Surface, x: number, y: number, look: Look) => void;
/** What a mark means, how it looks, and whether it is in the picture. */
export type Key = readonly [name: string, paint: Mark, isThere: boolean];

export const stroke =
  (
    across: number,
    down: number,
    width: number,
    alpha: number,
    dash: readonly number[] = [],
    colour?: string,
  ): Mark =>
  (surface, x, y, { heat }) => {
    const [right, bottom] = [across * surface.ratio, down * surface.ratio];
    const points = [x - right, y - bottom, x + right, y + bottom];
    surface.polyline(points, { colour: colour ?? heat, alpha, width, dash });
  };

export const dotLike =
  (isHollow: boolean, isFlagged: boolean, value: number | undefined, colour?: string): Mark =>
  (surface, x, y, look) =>
    paintDot(surface, { x, y, isHollow, isFlagged, value, isAlone: true }, inColour(look, colour));

/** With a colour of its own in place of that of all marks. */
export function inColour(look: Look, colour: string | undefined): Look {
  return colour === undefined ? look : { ...look, heat: colour };
}

/** What the marks of strengths on one axis mean. */
export function keysOf({ panels }: SweepPicture): readonly Key[] {
  const series = panels.flatMap((panel) => panel.series);
  const marks = series.flatMap((each) => each.marks);
  const dots = marks.flatMap((mark) => mark.dots);
  const keys: readonly Key[] = [
    ...series.map(({ measure: { kind, name, colour } }): Key => {
      return [name, dotLike(kind === "data_loss", false, 1, colour), kind !== "metric"];
    }),
    [
      "smallest to largest",
      stroke(0, 7, 1, 1),
      marks.some(({ spread }) => spread !== null && spread.min < spread.max),
    ],
    [
      "± standard error",
      stroke(0, 5, THICK, FAINT),
      marks.some(({ spread }) => spread !== null && spread.standardError !== null),
    ],
    [
      "runs of different lengths",
      stroke(7, 0, 1.5, 1, DASH),
      series.some(({ joins }) => joins.some(({ isAlike }) => !isAlike)),
    ],
    [
      "ended early, restarted or diverged",
      dotLike(false, true, 1),
      dots.some(({ isFlagged, value }) => isFlagged && value !== undefined),
    ],
    ["no value", dotLike(false, true, undefined), dots.some(({ value }) => value === undefined)],
  ];
  return keys.filter(([, , isThere]) => isThere);
}

/** Where the keys stand, in as many lines as they need, and where those end. */
export function placeKeys(keys: readonly Key[], width: number, top: number) {
  let [left, line] = [KEY, top + LINE];
  const places = keys.map(([name, paint]) => {
    const needs = labelWidth(name) + 2 * KEY;
    if (left > KEY && left + needs > width) {
      [left, line] = [KEY, line + LINE];
    }
    const place = { name, paint, left, line };
    left += needs;
    return place;
  });
  return { places, end: line + LINE / 2 };
}

export function paintKeys(
  surface: Surface,
  keys: readonly Key[],
  width: number,
  top: number,
  look: Look,
): void {
  const { ratio } = surface;
  for (const { name, paint, left, line } of placeKeys(keys, width, top).places) {
    paint(surface, (left - KEY / 2) * ratio, (line - 4) * ratio, look);
    surface.text(left * ratio, line * ratio, name, { colour: look.text, align: "left" });
  }
}

/** Round; a diamond where its run is no run like others; a cross where it has no value. */
export function paintDot(
  surface: Surface,
  dot: Pick<PlacedDot, "x" | "y" | "isHollow" | "isFlagged" | "isAlone" | "value">,
  look: Look,
): void {
  const { ratio } = surface;
  const { x, y, isHollow, isFlagged, isAlone, value } = dot;
  const size = (isAlone ? MEAN_SIZE : isFlagged ? RUN_SIZE + 1 : RUN_SIZE) * ratio;
  const stroke = { colour: isFlagged ? look.caution : look.heat, alpha: 1, width: 1.5 };
  if (value === undefined) {
    for (const side of [-size, size]) {
      const cross = { ...stroke, colour: look.warning, width: 2 };
      surface.polyline([x - size, y - side, x + size, y + side], cross);
    }
    return;
  }
  const corners = isFlagged ? SQUARE : ROUND;
  const points = Array.from({ length: corners + 1 }, (_, i) => {
    const turn = (2 * Math.PI * i) / corners;
    return [x + size * Math.cos(turn), y + size * Math.sin(turn)];
  }).flat();
  surface.polygon(points, { colour: isHollow ? look.page : stroke.colour, alpha: 1 });
  surface.polyline(points, stroke);
}
