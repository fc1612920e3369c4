/** Where the numbers of a sweep lie in its picture. */

import type { Range } from "../data/axis.ts";
import type { Figure, Spread, Sweep, SweepPoint } from "../data/sweep.ts";
import { formatValue } from "./format.ts";
import { around, fromZero, logRange } from "./ranges.ts";
import { LINEAR, type Scale } from "./scales.ts";
import { figureName, flagsOf, type PlacedEntry, placedEntries, shownFigures } from "./sweep.ts";
import { type Ticks, yTicks } from "./ticks.ts";

/** Parts of the axis: from zero to the break and beyond, and outside of the first and the last. */
const GAP = 1 / 6;
const MARGIN = 0.05;
const LOG: Scale = { kind: "log", threshold: 1 };

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
  readonly figure: Figure;
  readonly name: string;
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
}

export interface SweepPicture {
  readonly axis: StrengthAxis;
  readonly panels: readonly SweepPanel[];
}

/** A picture of the strengths that are one number. */
export function sweepPicture(sweep: Sweep): SweepPicture {
  const entries = placedEntries(sweep);
  const axis = strengthAxis(entries.map(({ strength }) => strength));
  const series = shownFigures(sweep).map((figure) => seriesOf(figure, sweep, entries, axis));
  const levels = [...new Set(entries.flatMap(({ chanceLevel }) => chanceLevel ?? []))];
  const bars = entries.flatMap(({ strength, penaltyShare }) =>
    penaltyShare === null ? [] : [{ at: axis.place(strength), value: penaltyShare }],
  );
  const [metric, losses] = [true, false].map((isMetric) =>
    series.filter(({ figure }) => (figure === "metric") === isMetric),
  );
  const shares = bars.map(({ value }) => value);
  return {
    axis,
    panels: [
      ...(metric?.[0] ? [panelOf(metric[0].name, metric, [])] : []),
      panelOf("data loss", losses ?? [], levels),
      {
        name: "penalties",
        scale: LINEAR,
        range: fromZero(Math.min(...shares), Math.max(...shares)),
        series: [],
        levels: [],
        bars,
      },
    ].filter(({ series, bars }) => series.length + bars.length > 0),
  };
}

function seriesOf(
  figure: Figure,
  sweep: Sweep,
  entries: readonly PlacedEntry[],
  axis: StrengthAxis,
): SweepSeries {
  const marks = entries.map((entry) => ({
    at: axis.place(entry.strength),
    spread: entry[figure],
    dots: entry.points.flatMap((point): SweepDot[] => {
      const value = point[figure] ?? undefined;
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
  return { figure, name: figureName(figure, sweep), marks, joins };
}

/** Losses go by decades where they lie this far apart: a collapsed run hides no difference then. */
const FAR_APART = 4;

function panelOf(
  name: string,
  series: readonly SweepSeries[],
  levels: readonly number[],
): SweepPanel {
  const values = series
    // Means and their errors lie between the runs.
    .flatMap(({ marks }) => marks.flatMap(({ dots }) => dots.flatMap(({ value }) => value ?? [])))
    .concat(levels);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const isOfLosses = series.every(({ figure }) => figure !== "metric");
  const isLog = isOfLosses && lowest > 0 && highest > FAR_APART * lowest;
  const range = isLog
    ? logRange(lowest, highest)
    : values.length > 0
      ? around(lowest, highest)
      : { min: 0, max: 1 };
  return {
    name: isLog ? `${name} (log)` : name,
    scale: isLog ? LOG : LINEAR,
    range,
    series,
    levels,
    bars: [],
  };
}
