/** Draws a sweep: means with their spread and runs against strengths, after glmnet's picture. */

import { formatValue } from "../model/format.ts";
import type { Projection } from "../model/scales.ts";
import type { SweepPicture } from "../model/sweepPicture.ts";
import { boxOn, NAME_ROOM, paintFrame, sharp } from "./frame.ts";
import { labelWidth } from "./labels.ts";
import { LOOKS, type Look, type Theme } from "./look.ts";
import type { Surface } from "./surface.ts";
import { svgFile, svgSurface } from "./svg.ts";
import { type PlacedDot, placedDots, placer, type SweepFrame, sweepFrames } from "./sweepFrame.ts";

/** In pixels of the page. */
const MEAN_SIZE = 4;
const RUN_SIZE = 2;
const THICK = 6;
const BREAK = 8;
const BAR = 10;
const LINE = 18;
const KEY = 20;
const DASH = [5, 4];
const FAINT = 0.35;

/** The corners of a circle, and of what is not to be taken for one. */
const ROUND = 20;
const SQUARE = 4;

type Mark = (surface: Surface, x: number, y: number, look: Look) => void;
/** What a mark means, how it looks, and whether it is in the picture. */
type Key = readonly [name: string, paint: Mark, isThere: boolean];

const stroke =
  (
    across: number,
    down: number,
    width: number,
    alpha: number,
    dash: readonly number[] = [],
  ): Mark =>
  (surface, x, y, { heat }) => {
    const [right, bottom] = [across * surface.ratio, down * surface.ratio];
    const points = [x - right, y - bottom, x + right, y + bottom];
    surface.polyline(points, { colour: heat, alpha, width, dash });
  };

const dotLike =
  (isHollow: boolean, isFlagged: boolean, value: number | undefined): Mark =>
  (surface, x, y, look) =>
    paintDot(surface, { x, y, isHollow, isFlagged, value, isAlone: true }, look);

function keysOf({ panels }: SweepPicture): readonly Key[] {
  const series = panels.flatMap((panel) => panel.series);
  const marks = series.flatMap((each) => each.marks);
  const dots = marks.flatMap((mark) => mark.dots);
  const keys: readonly Key[] = [
    ...series.map(({ name, figure }): Key => {
      const isHollow = figure === "data_loss";
      return [name, dotLike(isHollow, false, 1), figure !== "metric"];
    }),
    [
      "least to largest",
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
function placeKeys(keys: readonly Key[], width: number, top: number) {
  let [left, line] = [KEY, top + LINE];
  const places = keys.map(([name]) => {
    const needs = labelWidth(name) + 2 * KEY;
    if (left > KEY && left + needs > width) {
      [left, line] = [KEY, line + LINE];
    }
    const place = { left, line };
    left += needs;
    return place;
  });
  return { places, end: line + LINE / 2 };
}

export interface SweepScene {
  readonly picture: SweepPicture;
  readonly theme: Theme;
  readonly width: number;
  readonly height: number;
  /** Room above all, for a title. */
  readonly top?: number;
}

/** The plots of a scene, below what its marks mean. */
export function framesOf({ picture, width, height, top = 0 }: SweepScene): readonly SweepFrame[] {
  const { end } = placeKeys(keysOf(picture), width, top);
  return sweepFrames(picture, { width, height, top: end });
}

export function paintSweep(surface: Surface, scene: SweepScene): void {
  const { picture, theme, width, top = 0 } = scene;
  const look = LOOKS[theme];
  const { ratio } = surface;
  const keys = keysOf(picture);
  placeKeys(keys, width, top).places.forEach(({ left, line }, i) => {
    const [name = "", paint] = keys[i] ?? [];
    paint?.(surface, (left - KEY / 2) * ratio, (line - 4) * ratio, look);
    surface.text(left * ratio, line * ratio, name, { colour: look.text, align: "left" });
  });
  for (const frame of framesOf(scene)) {
    const projection = frame.projectInto(boxOn(surface, frame.box));
    paintFrame(surface, frame, look);
    paintAxis(surface, projection, picture.axis.breakAt, look);
    paintLevels(surface, frame, projection, look);
    paintPanel(surface, frame, projection, look);
  }
}

/** The axis of strengths; where zero is set apart, everything is broken. */
function paintAxis(
  surface: Surface,
  { box, x }: Projection,
  breakAt: number | undefined,
  look: Look,
): void {
  const { ratio } = surface;
  const bottom = sharp(box.top + box.height, ratio);
  const stroke = { colour: look.text, alpha: 1, width: 1 };
  surface.polyline([box.left, bottom, box.left + box.width, bottom], stroke);
  if (breakAt !== undefined) {
    const [middle, half] = [Math.round(x(breakAt)), (BREAK / 2) * ratio];
    const page = { colour: look.page, alpha: 1 };
    surface.rectangle(middle - half, box.top - half, 2 * half, box.height + 2 * half, page);
    for (const at of [middle - half, middle + half]) {
      const lean = half / 2;
      surface.polyline([at - lean, bottom + half, at + lean, bottom - half], stroke);
    }
  }
}

function paintLevels(
  surface: Surface,
  { panel: { levels } }: SweepFrame,
  { box, y }: Projection,
  look: Look,
): void {
  const { ratio } = surface;
  const right = box.left + box.width;
  for (const level of levels) {
    const at = sharp(y(level), ratio);
    surface.polyline([box.left, at, right, at], {
      colour: look.text,
      alpha: 1,
      width: 1,
      dash: [2, 3],
    });
    const style = { colour: look.text, align: "left" } as const;
    surface.text(box.left + 4 * ratio, at - 4 * ratio, `guessing: ${formatValue(level)}`, style);
  }
}

function paintPanel(surface: Surface, frame: SweepFrame, projection: Projection, look: Look): void {
  const { ratio } = surface;
  const { x, y } = projection;
  const colour = look.heat;
  const { series, bars } = frame.panel;
  for (const { at, value } of bars) {
    const [left, zero, end] = [x(at) - (BAR / 2) * ratio, y(0), y(value)];
    const fill = { colour: look.text, alpha: 0.6 };
    surface.rectangle(left, Math.min(zero, end), BAR * ratio, Math.abs(zero - end), fill);
  }
  const { mean } = placer(frame, projection, ratio);
  for (const { figure, marks, joins } of series) {
    for (const { from, to, isAlike } of joins) {
      const points = [from, to].flatMap((mark) => [mean(figure, mark), y(mark.spread?.mean ?? 0)]);
      const dash = isAlike ? [] : DASH;
      surface.polyline(points, {
        colour,
        alpha: figure === "data_loss" ? 0.6 : 1,
        width: 1.5,
        dash,
      });
    }
    for (const mark of marks) {
      const { spread } = mark;
      if (spread !== null && mark.dots.length > 1) {
        const at = mean(figure, mark);
        const { min, max, mean: middle, standardError } = spread;
        const upright = (low: number, high: number, width: number, alpha: number) =>
          surface.polyline([at, y(low), at, y(high)], { colour, alpha, width });
        upright(min, max, 1, 1);
        if (standardError !== null) {
          upright(middle - standardError, middle + standardError, THICK, FAINT);
        }
        const isHollow = figure === "data_loss";
        const dot = { x: at, y: y(middle), isHollow, isFlagged: false, isAlone: true, value: 1 };
        paintDot(surface, dot, look);
      }
    }
  }
  for (const dot of placedDots(frame, projection, ratio)) {
    paintDot(surface, dot, look);
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

/** The dots of one run, over what was drawn already. */
export function paintRun(surface: Surface, scene: SweepScene, key: string): void {
  const look = LOOKS[scene.theme];
  for (const frame of framesOf(scene)) {
    const projection = frame.projectInto(boxOn(surface, frame.box));
    for (const dot of placedDots(frame, projection, surface.ratio)) {
      if (dot.point.key === key) {
        const marked = { ...look, heat: look.total, caution: look.total };
        paintDot(surface, { ...dot, isAlone: true }, marked);
      }
    }
  }
}

/** A figure for a paper. */
export function sweepSvg(picture: SweepPicture, width: number, height: number, title: string) {
  const parts: string[] = [];
  const surface = svgSurface(parts);
  const look = LOOKS.light;
  parts.push(`<g font-weight="bold">`);
  surface.text(NAME_ROOM / 2, LINE, title, { colour: look.total, align: "left" });
  parts.push("</g>");
  paintSweep(surface, { picture, theme: "light", width, height, top: LINE });
  return svgFile(parts, width, height);
}
