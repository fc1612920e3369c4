/** Where the plots of a sweep are, and where its dots lie in them. Pure. */

import { shortenMiddle } from "../model/format.ts";
import { type Projection, project } from "../model/scales.ts";
import type { Measure } from "../model/sweep.ts";
import type { SweepDot, SweepMark, SweepPanel, SweepPicture } from "../model/sweepPicture.ts";
import { yTicks } from "../model/ticks.ts";
import { END_ROOM, type Frame, NAME_ROOM, X_ROOM, Y_ROOM } from "./frame.ts";
import { widest } from "./labels.ts";

export interface SweepFrame extends Frame {
  readonly panel: SweepPanel;
}

/** Between two plots. */
const GAP = 14;
/** Of the plot of the penalties' share, which is quiet beside the others. */
const LOW = 44;
const LETTERS = 6;
/** Between labels of the upright axes, at least. */
const Y_SPACE = 30;

/** Plots above one another, with one axis of strengths below them all. */
export function sweepFrames(
  { axis, panels }: SweepPicture,
  { width, height, top }: { width: number; height: number; top: number },
): readonly SweepFrame[] {
  const low = panels.filter(({ bars }) => bars.length > 0).length * LOW;
  const room = height - top - X_ROOM - NAME_ROOM - GAP * (panels.length - 1) - low;
  const high = Math.max(1, room / panels.filter(({ series }) => series.length > 0).length);
  const heights = panels.map(({ bars }) => Math.floor(bars.length > 0 ? LOW : high));
  const labels = panels.map(({ scale, range, bars }, i) => {
    const most = Math.max(2, (heights[i] ?? 0) / Y_SPACE);
    return yTicks(scale, range, most, bars.length > 0 ? "share" : "loss");
  });
  const left = Math.ceil(widest(labels.flatMap((each) => each.labels))) + Y_ROOM + NAME_ROOM;
  const wide = Math.max(1, width - left - END_ROOM);
  const ticks = axis.ticks(wide / (widest(axis.ticks(Infinity).labels) + END_ROOM));
  const bare = { values: ticks.values, labels: [] };
  let below = top;
  return panels.map((panel, i) => {
    const box = { left, top: below, width: wide, height: heights[i] ?? 0 };
    below += box.height + GAP;
    const isLast = i === panels.length - 1;
    return {
      panel,
      box,
      x: isLast ? { ticks, name: "strength" } : { ticks: bare, name: "" },
      y: {
        ticks: labels[i] ?? bare,
        name: shortenMiddle(panel.name, Math.max(9, Math.floor(box.height / LETTERS))),
      },
      projectInto: (box) => project(box, axis.range, panel.range, panel.scale),
    };
  });
}

/** Beside the middle: the mean, and further out the runs that it is of. */
const MEAN = 5;
const RUNS = 13;
/** Room that a strength's marks take. */
const WIDE = 30;

/** Where marks of a figure stand beside their strength: training before it, validation after it. */
export function placer({ panel: { series } }: SweepFrame, { x, box }: Projection, ratio: number) {
  const places = series[0]?.marks.map(({ at }) => x(at)) ?? [];
  const gaps = places.slice(1).map((place, i) => place - (places[i] ?? 0));
  const scale = Math.min(ratio, Math.min(box.width, ...gaps) / WIDE);
  const side = (kind: Measure["kind"]) => (kind === "data_loss" ? -scale : scale);
  // Norms have one colour each, and stand at their strength.
  const isInside = series.length < 2 || series[0]?.measure.kind === "norm";
  const middle = isInside ? 0 : MEAN;
  return {
    mean: (kind: Measure["kind"], { at }: SweepMark) => x(at) + side(kind) * middle,
    run: (kind: Measure["kind"], { at, dots }: SweepMark) =>
      x(at) + side(kind) * (dots.length > 1 ? RUNS : middle),
  };
}

/** Below the upper edge, where what has no value stands. */
const EDGE = 6;

export interface PlacedDot extends SweepDot {
  readonly x: number;
  readonly y: number;
  readonly isHollow: boolean;
  readonly colour: string | undefined;
  /** The only run of its strength: it is the mean. */
  readonly isAlone: boolean;
}

/** The runs' dots of a plot. */
export function placedDots(
  frame: SweepFrame,
  projection: Projection,
  ratio: number,
): readonly PlacedDot[] {
  const { run } = placer(frame, projection, ratio);
  return frame.panel.series.flatMap(({ measure: { kind, colour }, marks }) =>
    marks.flatMap((mark) =>
      mark.dots.map((dot) => ({
        ...dot,
        x: run(kind, mark),
        y: dot.value === undefined ? projection.box.top + EDGE * ratio : projection.y(dot.value),
        isHollow: kind === "data_loss",
        colour,
        isAlone: mark.dots.length === 1,
      })),
    ),
  );
}
