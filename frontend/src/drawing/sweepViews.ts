/** The views of a sweep: which of them it has, and all that each of them shows. */

import type { Sweep } from "../data/sweep.ts";
import type { NumberTable } from "../model/numbers.ts";
import type { SweepViewName } from "../model/settings.ts";
import {
  formatStrength,
  type Measure,
  measuresOf,
  placedEntries,
  readPoint,
  sweepNumbers,
  sweepTable,
  type TextTable,
} from "../model/sweep.ts";
import { gridPicture, pairedEntries } from "../model/sweepGrid.ts";
import { normMeasures, pathNote } from "../model/sweepPath.ts";
import { sweepPicture } from "../model/sweepPicture.ts";
import { planeNote, planeNumbers, planePicture, planeTable } from "../model/sweepPlane.ts";
import { columnColour } from "./colours.ts";
import { strengthsDrawing } from "./sweep.ts";
import type { DrawingSize, SweepDrawing, SweepTarget } from "./sweepDrawing.ts";
import { gridDrawing } from "./sweepGrid.ts";
import { planeDrawing } from "./sweepPlane.ts";

/** Of the plot of losses with its axes, and of that of a metric. */
const HEIGHT = 340;
const METRIC_HEIGHT = 140;

export interface SweepView {
  /** Undefined where there is nothing to draw. */
  readonly draw: ((size: DrawingSize) => SweepDrawing) | undefined;
  readonly numbers: () => NumberTable;
  readonly table: TextTable;
  /** What is not in it, and why. */
  readonly note: string;
}

/** What there is to choose from. */
export function viewsOf(sweep: Sweep): readonly SweepViewName[] {
  if (placedEntries(sweep).length > 0) {
    return ["losses", "path", "plane"];
  }
  return pairedEntries(sweep).length > 0 ? ["grid"] : [];
}

export function sweepView(
  view: SweepViewName | undefined,
  sweep: Sweep,
  group: string,
  termNumbers: ReadonlyMap<string, number>,
): SweepView {
  switch (view) {
    case "losses":
      return lossesView(sweep);
    case "path":
      return pathView(sweep, group, termNumbers);
    case "plane":
      return planeView(sweep);
    case "grid":
      return gridView(sweep);
    default:
      return listView(sweep);
  }
}

/** What all have that are of means. */
function meansView(sweep: Sweep, measures: readonly Measure[]): SweepView {
  return {
    draw: undefined,
    numbers: () => sweepNumbers(sweep, measures),
    table: sweepTable(sweep, measures),
    note: "",
  };
}

/** Where there is no picture: of no known strength, or of more than a grid has sides. */
function listView(sweep: Sweep): SweepView {
  const isOfMany = sweep.entries.some(({ strength }) => typeof strength === "object" && strength);
  const note = isOfMany ? "More than two strengths vary at once, so their means are listed." : "";
  return { ...meansView(sweep, measuresOf(sweep)), note };
}

function lossesView(sweep: Sweep): SweepView {
  const measures = measuresOf(sweep);
  const picture = sweepPicture(sweep, measures);
  const height = HEIGHT + (sweep.metric === null ? 0 : METRIC_HEIGHT);
  const runs = runTargets(sweep, measures);
  const draw = (size: DrawingSize) => strengthsDrawing(picture, height, size, runs);
  return { ...meansView(sweep, measures), draw };
}

function pathView(
  sweep: Sweep,
  group: string,
  termNumbers: ReadonlyMap<string, number>,
): SweepView {
  const { norms } = sweep;
  // Until they have come, the picture of before stays.
  if (norms === undefined) {
    return lossesView(sweep);
  }
  const measures = normMeasures(norms, group);
  const runs = runTargets(sweep, measures);
  const draw = (size: DrawingSize) => {
    const coloured = measures.map((each) => {
      return { ...each, colour: columnColour(size.theme, each.key, termNumbers) };
    });
    return strengthsDrawing(sweepPicture(sweep, coloured), HEIGHT, size, runs);
  };
  return {
    ...meansView(sweep, measures),
    draw: measures.length > 0 ? draw : undefined,
    note: pathNote(sweep, measures),
  };
}

function planeView(sweep: Sweep): SweepView {
  if (sweep.trajectories === undefined) {
    return lossesView(sweep);
  }
  const picture = planePicture(sweep);
  return {
    draw: picture.ways.length > 0 ? (size) => planeDrawing(picture, size) : undefined,
    numbers: () => planeNumbers(picture),
    table: planeTable(picture),
    note: planeNote(picture),
  };
}

function gridView(sweep: Sweep): SweepView {
  const picture = gridPicture(sweep);
  return {
    ...meansView(sweep, measuresOf(sweep)),
    draw: (size) => gridDrawing(picture, size),
  };
}

/** The runs that have a place on an axis of strengths. */
function runTargets(
  sweep: Sweep,
  measures: readonly Measure[],
): readonly Omit<SweepTarget, "places">[] {
  return placedEntries(sweep).flatMap(({ strength, points }) =>
    points.map((point) => {
      const title = `${point.run}, strength ${formatStrength(strength)}`;
      return { title, values: readPoint(measures, point), keys: [point.key] };
    }),
  );
}
