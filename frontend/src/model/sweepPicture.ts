/** Where the numbers of a sweep lie in its picture. */

import type { Range } from "../data/axis.ts";
import type { Spread, Sweep, SweepPoint } from "../data/sweep.ts";
import { formatValue } from "./format.ts";
import { around, fromZero, logRange } from "./ranges.ts";
import { LINEAR, type Scale } from "./scales.ts";
import { flagsOf, type Measure, measuresOf, type PlacedEntry, placedEntries } from "./sweep.ts";
import { type Ticks, yTicks } from "./ticks.ts";

/** Parts of the axis: from zero to the break and beyond, and outside of the first and the last. */
const GAP = 1 / 6;
const MARGIN = 0.05;
export const LOG: Scale = { kind: "log", threshold: 1 };

export interface StrengthAxis {
  /** Of places, in decades. */
  readonly range: Range;
  readonly place: (strength: number) => number;
  /** Zero stands before this place. */
  readonly breakAt?: number;
  /** At most about so many labels: the strengths tried, or decades where those are too many. */
  readonly ticks: (most: number) => Ticks;
}

/** The strengths by decades, and zero, which has no logarithm, set apart. */
export function strengthAxis(strengths: readonly number[]): StrengthAxis {
  const logs = strengths.filter((strength) => strength > 0).map(Math.log10);
  const [first, last] = logs.length > 0 ? [Math.min(...logs), Math.max(...logs)] : [0, 0];
  const span = last - first || 1;
  const zero = logs.length < strengths.length ? first - GAP * span : undefined;
  const begin = zero ?? first;
  const place = (strength: number) => (strength > 0 ? Math.log10(strength) : begin);
  const margin = MARGIN * (last - begin || 1);
  const ticks = (most: number): Ticks => {
    const places = strengths.map(place);
    const closest = Math.min(...places.slice(1).map((at, i) => at - (places[i] ?? 0)));
    if (closest >= (last - begin) / most) {
      return { values: places, labels: strengths.map(formatValue) };
    }
    const decades = yTicks(LOG, { min: 10 ** first, max: 10 ** last }, most, "loss");
    return zero === undefined
      ? { values: decades.values.map(place), labels: decades.labels }
      : { values: [zero, ...decades.values.map(place)], labels: ["0", ...decades.labels] };
  };
  return {
    range: { min: begin - margin, max: last + margin },
    place,
    ticks,
    ...(zero === undefined ? {} : { breakAt: (zero + first) / 2 }),
  };
}

export interface SweepDot {
  readonly point: SweepPoint;
  readonly strength: number;
  /** Undefined where a run that diverged has none: it stands at the upper edge. */
  readonly value: number | undefined;
  readonly isFlagged: boolean;
}

export interface SweepMark {
  /** On the axis of strengths. */
  readonly at: number;
  readonly spread: Spread | null;
  readonly dots: readonly SweepDot[];
}

/** From one strength's mean to the next one's. */
export interface Join {
  readonly from: SweepMark;
  readonly to: SweepMark;
  /** All runs of both ended at one step: their values can be compared as they are. */
  readonly isAlike: boolean;
}

export interface SweepSeries {
  readonly measure: Measure;
  readonly marks: readonly SweepMark[];
  readonly joins: readonly Join[];
}

/** One of the plots above one another that share the axis of strengths. */
export interface SweepPanel {
  readonly name: string;
  readonly scale: Scale;
  readonly range: Range;
  readonly series: readonly SweepSeries[];
  /** What guessing costs. */
  readonly levels: readonly number[];
  /** The penalties' share of the total. */
  readonly bars: readonly { readonly at: number; readonly value: number }[];
  /** Places of strengths of which nothing was recorded. */
  readonly gaps: readonly number[];
}

export interface SweepPicture {
  readonly axis: StrengthAxis;
  readonly panels: readonly SweepPanel[];
}

/** A picture of the strengths that are one number. */
export function sweepPicture(
  sweep: Sweep,
  measures: readonly Measure[] = measuresOf(sweep),
): SweepPicture {
  const entries = placedEntries(sweep);
  const axis = strengthAxis(entries.map(({ strength }) => strength));
  const series = measures.map((measure) => seriesOf(measure, entries, axis));
  const levels = [...new Set(entries.flatMap(({ chanceLevel }) => chanceLevel ?? []))];
  const bars = entries.flatMap(({ strength, penaltyShare }) =>
    penaltyShare === null ? [] : [{ at: axis.place(strength), value: penaltyShare }],
  );
  const shares = bars.map(({ value }) => value);
  // The metric, which comes last, is on top.
  const names = [...new Set(measures.map(({ panel }) => panel))].reverse();
  return {
    axis,
    panels: [
      ...names.map((name) => panelOf(name, series, levels)),
      {
        name: "penalties",
        scale: LINEAR,
        range: fromZero(Math.min(...shares), Math.max(...shares)),
        series: [],
        levels: [],
        bars,
        gaps: [],
      },
    ].filter(({ series, bars }) => series.length + bars.length > 0),
  };
}

function seriesOf(
  measure: Measure,
  entries: readonly PlacedEntry[],
  axis: StrengthAxis,
): SweepSeries {
  const marks = entries.map((entry) => ({
    at: axis.place(entry.strength),
    spread: measure.spread(entry),
    dots: entry.points.flatMap((point): SweepDot[] => {
      const value = measure.of(point) ?? undefined;
      const isFlagged = flagsOf(point).length > 0;
      return value === undefined && !point.isDiverged
        ? []
        : [{ point, strength: entry.strength, value, isFlagged }];
    }),
    steps: new Set(entry.points.map(({ lastStep }) => lastStep)),
  }));
  const known = marks.filter(({ spread }) => spread !== null);
  const joins = known.slice(1).flatMap((to, i): Join[] => {
    const from = known[i];
    const { breakAt = -Infinity } = axis;
    // What is on both sides of the break has no distance.
    return from === undefined || from.at < breakAt
      ? []
      : [{ from, to, isAlike: new Set([...from.steps, ...to.steps]).size === 1 }];
  });
  return { measure, marks, joins };
}

/** Losses go by decades where they lie this far apart: a collapsed run hides no difference then. */
const FAR_APART = 4;

function panelOf(panel: string, all: readonly SweepSeries[], guessing: readonly number[]) {
  const series = all.filter(({ measure }) => measure.panel === panel);
  const kind = series[0]?.measure.kind;
  const isOfLosses = kind !== "metric" && kind !== "norm";
  const levels = isOfLosses ? guessing : [];
  // Means and their errors lie between the runs.
  const dots = series.flatMap(({ marks }) => marks.flatMap(({ dots }) => dots));
  const values = dots.flatMap(({ value }) => value ?? []).concat(levels);
  // Norms are read by how far they are from nothing.
  const { name, scale, range } = valueAxis(
    panel,
    kind === "norm" ? [0, ...values] : values,
    isOfLosses,
  );
  const gaps = (series[0]?.marks ?? [])
    .filter((_, i) => series.every(({ marks }) => marks[i]?.spread === null))
    .map(({ at }) => at);
  return { name, scale, range, series, levels, bars: [], gaps: kind === "norm" ? gaps : [] };
}

/** By decades where losses lie far apart, as its name says then. */
export function valueAxis(
  name: string,
  values: readonly number[],
  isOfLosses: boolean,
): Pick<SweepPanel, "name" | "scale" | "range"> {
  const [lowest, highest] = [least(values), -least(values.map((value) => -value))];
  if (isOfLosses && lowest > 0 && highest > FAR_APART * lowest) {
    return { name: `${name} (log)`, scale: LOG, range: logRange(lowest, highest) };
  }
  const range = values.length > 0 ? around(lowest, highest) : { min: 0, max: 1 };
  return { name, scale: LINEAR, range };
}

/** Of more numbers than a call may have arguments. */
function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
}
