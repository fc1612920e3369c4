/** A quantity of several runs in one chart, as a line for each. */

import type { Range } from "../data/axis.ts";
import type { Curves } from "../data/curves.ts";
import { type Column, columnKey, type Recording, recordingKey } from "../data/recording.ts";
import { type Band, chooseBands, sumOf, totalBand } from "./bands.ts";
import { type Line, makeLines, makeRatio, REFERENCES } from "./lines.ts";
import { centres, largestOf, type Picture } from "./picture.ts";
import { naturalCompare, recordingLabel, trainingKeys } from "./runs.ts";
import { type ScaleKind, scaleFor } from "./scales.ts";
import { withValidation } from "./validation.ts";

/** The chart has a zoom and hidden lines like any recording; no run has such a name. */
export const COMPARE_KEY = recordingKey("\u0000", "compare");

/** What can be compared, with what it is called, before the terms themselves. */
export const QUANTITIES = [
  ["total", "Total"],
  ["data", "Data loss"],
  ["penalties", "All penalties"],
  ["ratio", "Penalties ÷ data loss"],
  ["gap", "Validation − train"],
] as const;

/** A term stands for itself by its role and name. */
export function quantityName(quantity: string): string {
  const known = QUANTITIES.find(([name]) => name === quantity);
  return known?.[1] ?? quantity.slice(quantity.indexOf(":") + 1);
}

/** Sums are enough for all quantities but single terms. */
export function groupFor(quantity: string): string {
  return QUANTITIES.some(([name]) => name === quantity) ? "all" : "term";
}

export function comparable(columns: readonly Column[]): readonly (readonly [string, string])[] {
  const terms = new Map(
    columns
      .filter(({ role }) => role === "penalty" || role === "data")
      .map((column) => [columnKey(column), column.name]),
  );
  return [...terms].toSorted(([, left], [, right]) => naturalCompare(left, right));
}

export interface RunCurves {
  readonly recording: Recording;
  readonly curves: Curves;
}

/** One line a run; runs that lack the quantity have none. */
export function runLines(runs: readonly RunCurves[], quantity: string): Line[] {
  return runs.flatMap(({ recording, curves }) => {
    const line =
      quantity === "gap" ? gapLine(recording, curves, runs) : quantityLine(curves, quantity);
    const { members, values } = line?.band ?? { members: [], values: new Float64Array() };
    const label = recordingLabel(recording);
    const band: Band = { key: recording.key, label, role: "run", members, values };
    return line === undefined ? [] : [{ ...line, band }];
  });
}

/** How far the data loss of a training's validation is above its own. */
function gapLine({ key }: Recording, curves: Curves, runs: readonly RunCurves[]): Line | undefined {
  const validation = runs.find(({ recording }) => trainingKeys(recording).includes(key));
  const bands = validation && chooseBands(withValidation(curves, validation.curves), { top: 0 });
  const ofRole = (role: Band["role"]) => bands?.filter((band) => band.role === role) ?? [];
  const [above] = ofRole("validation");
  const own = sumOf(ofRole("data"));
  const values = sumOf(ofRole("validation")).map((value, i) => value - (own[i] ?? Number.NaN));
  return above && { band: above, x: centres(curves), values };
}

function quantityLine(curves: Curves, quantity: string): Line | undefined {
  const x = centres(curves);
  const bands = chooseBands(curves, { top: 0 });
  const ofRole = (role: Band["role"]) => bands.filter((band) => band.role === role);
  switch (quantity) {
    case "total": {
      const total = totalBand(curves);
      return total && makeLines(x, [total])[0];
    }
    case "data": {
      const data = ofRole("data");
      const [first] = data;
      return data.length > 1 && first
        ? { band: first, x, values: sumOf(data) }
        : makeLines(x, data)[0];
    }
    case "penalties":
      return makeLines(x, ofRole("penalty"))[0];
    case "ratio":
      return ofRole("data").length > 0
        ? makeRatio(x, ofRole("data"), ofRole("penalty"), [], true)[0]
        : undefined;
    default:
      return makeLines(
        x,
        bands.filter(({ key }) => key === quantity),
      )[0];
  }
}

/** Runs whose names match alike become one: their mean, between the smallest and the largest. */
export function joinSeeds(lines: readonly Line[], pattern: RegExp | undefined): readonly Line[] {
  if (pattern === undefined) {
    return lines;
  }
  const groups = new Map<string, [Line, ...Line[]]>();
  for (const line of lines) {
    const match = pattern.exec(line.band.label);
    const name = match === null ? line.band.label : (match[1] ?? match[0]);
    const members = groups.get(name);
    groups.set(name, members ? [...members, line] : [line]);
  }
  return [...groups].map(([name, members]) => joinLines(name, members));
}

function joinLines(name: string, lines: readonly [Line, ...Line[]]): Line {
  const [first, ...others] = lines;
  const label = `${name} (${lines.length} run${others.length > 0 ? "s" : ""})`;
  const band = { ...first.band, label };
  if (others.length === 0) {
    return { ...first, band };
  }
  const x = union(lines.map((line) => line.x));
  const values = new Float64Array(x.length).fill(Number.NaN);
  const lower = values.slice();
  const upper = values.slice();
  const all = lines.map((line) => resample(line.x, line.values, x));
  for (let i = 0; i < x.length; i++) {
    const known = all.map((at) => at[i] ?? Number.NaN).filter((value) => !Number.isNaN(value));
    if (known.length > 0) {
      values[i] = known.reduce((sum, value) => sum + value, 0) / known.length;
      lower[i] = Math.min(...known);
      upper[i] = Math.max(...known);
    }
  }
  return { band, x, values, envelope: { lower, upper } };
}

/** All places of all lines, in order, each once. */
export function union(places: readonly Float64Array[]): Float64Array {
  const all = Float64Array.from(places.flatMap((x) => [...x])).sort();
  return all.filter((value, i) => i === 0 || value !== all[i - 1]);
}

/** Values at other places, on straight lines between the known ones; NaN before and after them. */
export function resample(x: Float64Array, values: Float64Array, at: Float64Array): Float64Array {
  let next = 0;
  return at.map((place) => {
    while (next < x.length && (x[next] ?? 0) < place) {
      next++;
    }
    const after = x[next];
    if (after === place) {
      return values[next] ?? Number.NaN;
    }
    const before = x[next - 1];
    if (after === undefined || before === undefined) {
      return Number.NaN;
    }
    const part = (place - before) / (after - before);
    return (1 - part) * (values[next - 1] ?? 0) + part * (values[next] ?? 0);
  });
}

export function comparisonPicture(
  lines: readonly Line[],
  isShown: (key: string) => boolean,
  quantity: string,
  scale: ScaleKind,
  sample: Curves,
): Picture {
  const shown = lines.filter(({ band }) => isShown(band.key));
  const x = union(lines.map((line) => line.x));
  // At one time, runs are at different steps.
  const steps = sample.xAxis === "step" ? x.map(Math.round) : x.map(() => Number.NaN);
  return {
    view: "lines",
    quantity: quantity === "ratio" ? "ratio" : "loss",
    scale: scaleFor(scale, largestOf(shown)),
    x,
    curves: {
      ...sample,
      restarts: [],
      firstXs: x,
      lastXs: x,
      firstSteps: steps,
      lastSteps: steps,
      buckets: x.length,
    },
    layers: [],
    lines: shown,
    spread: 1,
    references: quantity === "ratio" ? REFERENCES : [],
    total: undefined,
    nonFinite: new Uint8Array(x.length),
  };
}

/** From the first place of any run to the last of any. */
export function commonRange(all: readonly Curves[]): Range {
  const min = Math.min(...all.map(({ firstX }) => firstX ?? Number.POSITIVE_INFINITY));
  const max = Math.max(...all.map(({ lastX }) => lastX ?? Number.NEGATIVE_INFINITY));
  const middle = Number.isFinite(min) ? min : 0;
  return max > min ? { min, max } : { min: middle - 0.5, max: middle + 0.5 };
}
