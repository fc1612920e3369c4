/** Draws a sweep: means with their spread and runs against strengths, after glmnet's picture. */

import { formatValue } from "../model/format.ts";
import type { Projection } from "../model/scales.ts";
import type { SweepPicture } from "../model/sweepPicture.ts";
import { boxOn, paintFrame, sharp } from "./frame.ts";
import { FONT_SIZE, LOOKS, type Look } from "./look.ts";
import type { Surface } from "./surface.ts";
import type { DrawingSize, SweepDrawing, SweepTarget } from "./sweepDrawing.ts";
import { placedDots, placer, type SweepFrame, sweepFrames } from "./sweepFrame.ts";
import {
  DASH,
  FAINT,
  inColour,
  keysOf,
  paintDot,
  paintKeys,
  placeKeys,
  THICK,
} from "./sweepMarks.ts";

/** In pixels of the page. */
const BREAK = 8;
const BAR = 10;

/** How near to a dot one must point. */
export const REACH = 12;

/** Plots of strengths on one axis, so high with a line of what their marks mean above them. */
export function strengthsDrawing(
  picture: SweepPicture,
  usual: number,
  { theme, width, top }: DrawingSize,
  runs: readonly Omit<SweepTarget, "places">[],
): SweepDrawing {
  const look = LOOKS[theme];
  const keys = keysOf(picture);
  const { end } = placeKeys(keys, width, top);
  // A title and more lines take nothing from the plots.
  const height = usual + end - placeKeys([], width, 0).end;
  const frames = sweepFrames(picture, { width, height, top: end });
  const dots = frames.flatMap((frame) => placedDots(frame, frame.projectInto(frame.box), 1));
  return {
    width,
    height,
    reach: [REACH, REACH],
    targets: runs.map((run) => {
      const own = dots.filter(({ point }) => run.keys.includes(point.key));
      return { ...run, places: own.map(({ x, y }) => [x, y] as const) };
    }),
    paint: (surface) => {
      paintKeys(surface, keys, width, top, look);
      for (const frame of frames) {
        const projection = frame.projectInto(boxOn(surface, frame.box));
        paintFrame(surface, frame, look);
        paintAxis(surface, projection, picture.axis.breakAt, look);
        paintLevels(surface, frame, projection, look);
        paintPanel(surface, frame, projection, look);
      }
    },
    mark: (surface, target) => {
      for (const frame of frames) {
        const projection = frame.projectInto(boxOn(surface, frame.box));
        for (const dot of placedDots(frame, projection, surface.ratio)) {
          if (target.keys.includes(dot.point.key)) {
            const marked = { ...look, heat: look.total, caution: look.total };
            paintDot(surface, { ...dot, isAlone: true }, marked);
          }
        }
      }
    },
  };
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
  { panel: { levels, gaps = [] } }: SweepFrame,
  { box, x, y }: Projection,
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
    // Above the line, unless that is among what stands above the plot.
    const isHigh = at - box.top < (FONT_SIZE + 4) * ratio;
    const base = at + (isHigh ? FONT_SIZE + 2 : -4) * ratio;
    surface.text(box.left + 4 * ratio, base, `guessing: ${formatValue(level)}`, style);
  }
  for (const gap of gaps) {
    const middle = box.top + box.height / 2;
    const style = { colour: look.text, align: "center", isTurned: true } as const;
    surface.text(x(gap) + 4 * ratio, middle, "not recorded", style);
  }
}

function paintPanel(surface: Surface, frame: SweepFrame, projection: Projection, look: Look): void {
  const { ratio } = surface;
  const { x, y } = projection;
  const { series, bars } = frame.panel;
  for (const { at, value } of bars) {
    const [left, zero, end] = [x(at) - (BAR / 2) * ratio, y(0), y(value)];
    const fill = { colour: look.text, alpha: 0.6 };
    surface.rectangle(left, Math.min(zero, end), BAR * ratio, Math.abs(zero - end), fill);
  }
  const { mean } = placer(frame, projection, ratio);
  for (const { measure, marks, joins } of series) {
    const { kind, colour = look.heat } = measure;
    const isHollow = kind === "data_loss";
    for (const { from, to, isAlike } of joins) {
      const points = [from, to].flatMap((mark) => [mean(kind, mark), y(mark.spread?.mean ?? 0)]);
      const dash = isAlike ? [] : DASH;
      surface.polyline(points, {
        colour,
        alpha: isHollow ? 0.6 : 1,
        width: 1.5,
        dash,
      });
    }
    for (const mark of marks) {
      const { spread } = mark;
      if (spread !== null && mark.dots.length > 1) {
        const at = mean(kind, mark);
        const { min, max, mean: middle, standardError } = spread;
        const upright = (low: number, high: number, width: number, alpha: number) =>
          surface.polyline([at, y(low), at, y(high)], { colour, alpha, width });
        upright(min, max, 1, 1);
        if (standardError !== null) {
          upright(middle - standardError, middle + standardError, THICK, FAINT);
        }
        const dot = { x: at, y: y(middle), isHollow, isFlagged: false, isAlone: true, value: 1 };
        paintDot(surface, dot, inColour(look, colour));
      }
    }
  }
  for (const dot of placedDots(frame, projection, ratio)) {
    paintDot(surface, dot, inColour(look, dot.colour));
  }
}
