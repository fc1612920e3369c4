/** Draws a sweep: means with their spread and runs against strengths, after glmnet's picture. */

import { formatValue } from "../model/format.ts";
import type { Projection } from "../model/scales.ts";
import type { SweepPicture } from "../model/sweepPicture.ts";
import { boxOn, NAME_ROOM, paintFrame, sharp } from "./frame.ts";
import { LOOKS, type Look, type Theme } from "./look.ts";
import type { Surface } from "./surface.ts";
import { svgFile, svgSurface } from "./svg.ts";
import { placedDots, placer, type SweepFrame, sweepFrames } from "./sweepFrame.ts";
import { DASH, FAINT, LINE, paintDot, paintKeys, placeKeys, THICK } from "./sweepMarks.ts";

/** In pixels of the page. */
const BREAK = 8;
const BAR = 10;

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
  return sweepFrames(picture, { width, height, top: placeKeys(picture, width, top).end });
}

export function paintSweep(surface: Surface, scene: SweepScene): void {
  const { picture, theme, width, top = 0 } = scene;
  const look = LOOKS[theme];
  paintKeys(surface, picture, width, top, look);
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
