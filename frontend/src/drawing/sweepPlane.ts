/** Draws the plane: a line for each run, from its first to its last steps. */

import { project } from "../model/scales.ts";
import { flagsOf, formatStrength } from "../model/sweep.ts";
import { LOG } from "../model/sweepPicture.ts";
import { fromTo, type PlanePicture, type Way } from "../model/sweepPlane.ts";
import { yTicks } from "../model/ticks.ts";
import { runColour, runVariant } from "./colours.ts";
import { boxOn, END_ROOM, type Frame, NAME_ROOM, paintFrame, X_ROOM, Y_ROOM } from "./frame.ts";
import { widest } from "./labels.ts";
import { LOOKS } from "./look.ts";
import type { Surface } from "./surface.ts";
import { REACH } from "./sweep.ts";
import type { DrawingSize, SweepDrawing, SweepTarget } from "./sweepDrawing.ts";
import { dotLike, type Key, paintDot, paintKeys, placeKeys, stroke } from "./sweepMarks.ts";
import { dashes } from "./variants.ts";

const HEIGHT = 300;
/** Between ticks, at least about. */
const X_SPACE = 72;
const Y_SPACE = 36;

export function planeDrawing(
  picture: PlanePicture,
  { theme, width, top }: DrawingSize,
): SweepDrawing {
  const look = LOOKS[theme];
  const { ways } = picture;
  const colourOf = ({ number }: Way) => runColour(theme, number);
  const strokeOf = (way: Way, width: number, colour = colourOf(way)) => {
    return { colour, alpha: 1, width, dash: dashes(runVariant(way.number)) };
  };
  const firsts = ways.filter(({ number }, i) => number !== ways[i - 1]?.number);
  const keys: readonly Key[] = [
    ...firsts.map((way): Key => {
      const { width, dash, colour } = strokeOf(way, 1.5);
      return [`λ = ${formatStrength(way.strength)}`, stroke(7, 0, width, 1, dash, colour), true];
    }),
    ["first steps", dotLike(true, false, 1), true],
    ["last steps", dotLike(false, false, 1), true],
  ];
  const { end } = placeKeys(keys, width, top);
  const frame = planeFrame(picture, width, end);
  const pointsOn = (surface: Surface, { places }: Way) => {
    const { x, y } = frame.projectInto(boxOn(surface, frame.box));
    return places.flatMap(([penalty, loss]) => [x(Math.log10(penalty)), y(loss)]);
  };
  const draw = (surface: Surface, way: Way, width: number, colour: string) => {
    const points = pointsOn(surface, way);
    surface.polyline(points, strokeOf(way, width, colour));
    const isFlagged = flagsOf(way.point).length > 0;
    for (const [isHollow, at] of [[true, 0] as const, [false, points.length - 2] as const]) {
      const [x, y] = [points[at] ?? 0, points[at + 1] ?? 0];
      const dot = { x, y, isHollow, isFlagged: isFlagged && !isHollow, isAlone: true, value: 1 };
      paintDot(surface, dot, { ...look, heat: colour });
    }
  };
  const { x, y } = frame.projectInto(frame.box);
  const targets = ways.map((way): SweepTarget => {
    const { point, strength, places } = way;
    const flags = flagsOf(point);
    return {
      title: `${point.run}, strength ${formatStrength(strength)}`,
      values: [
        ["data loss", fromTo(way, 1)],
        ["penalty ÷ λ", fromTo(way, 0)],
        ...(flags.length > 0 ? [["note", flags.join(", ")] as const] : []),
      ],
      keys: [point.key],
      places: places.map(([penalty, loss]) => [x(Math.log10(penalty)), y(loss)]),
    };
  });
  return {
    width,
    height: end + HEIGHT,
    reach: [REACH, REACH],
    targets,
    paint: (surface) => {
      paintKeys(surface, keys, width, top, look);
      paintFrame(surface, frame, look);
      for (const way of ways) {
        draw(surface, way, 1.5, colourOf(way));
      }
    },
    mark: (surface, { keys: [key] }) => {
      for (const way of ways.filter(({ point }) => point.key === key)) {
        draw(surface, way, 3, look.total);
      }
    },
  };
}

function planeFrame({ range, y }: PlanePicture, width: number, top: number): Frame {
  const height = HEIGHT - X_ROOM - NAME_ROOM;
  const yLabels = yTicks(y.scale, y.range, height / Y_SPACE, "loss");
  const left = Math.ceil(widest(yLabels.labels)) + Y_ROOM + NAME_ROOM;
  const wide = Math.max(1, width - left - END_ROOM);
  const penalties = { min: 10 ** range.min, max: 10 ** range.max };
  const xLabels = yTicks(LOG, penalties, wide / X_SPACE, "loss");
  return {
    box: { left, top, width: wide, height },
    x: { ticks: { ...xLabels, values: xLabels.values.map(Math.log10) }, name: "penalty ÷ λ (log)" },
    y: { ticks: yLabels, name: y.name },
    projectInto: (box) => project(box, range, y.range, y.scale),
  };
}
