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

export interface StrengthAxis {
  /** Of places: decades, where there is a logarithm. */
  readonly range: Range;
  readonly place: (strength: number) => number;
  /** Zero has no logarithm: it stands before this place. */
  readonly breakAt?: number;
  /** At most about so many labels: the strengths tried, or decades where those are too many. */
  readonly ticks: (most: number) => Ticks;
}

/** The strengths by decades, zero set apart; evenly where some are negative. */
export function strengthAxis(strengths: readonly number[]): StrengthAxis {
  const positive = strengths.filter((strength) => strength > 0);
  const isLog = positive.length > 0 && strengths.every((strength) => strength >= 0);
  const inside = isLog ? positive.map(Math.log10) : strengths;
  const [first, last] = [Math.min(...inside), Math.max(...inside)];
  const span = last - first || 1;
  const zero = isLog && positive.length < strengths.length ? first - GAP * span : undefined;
  const place = (strength: number) =>
    isLog ? (strength > 0 ? Math.log10(strength) : (zero ?? first)) : strength;
  const margin = MARGIN * (last - (zero ?? first) || 1);
  const ticks = (most: number): Ticks => {
    const isClose = strengths.some(
      (strength, i) =>
        i > 0 && place(strength) - place(strengths[i - 1] ?? 0) < (span * (1 + GAP)) / most,
    );
    if (!isLog || !isClose) {
      return isLog
        ? { values: strengths.map(place), labels: strengths.map(formatValue) }
        : yTicks(LINEAR, { min: first, max: last }, most, "loss");
    }
    const scale: Scale = { kind: "log", threshold: 1 };
    const decades = yTicks(scale, { min: 10 ** first, max: 10 ** last }, most, "loss");
    const zeros = zero === undefined ? [] : [0];
    return {
      values: [...zeros, ...decades.values].map(place),
      labels: [...zeros.map(formatValue), ...decades.labels],
    };
  };
  return {
    range: { min: (zero ?? first) - margin, max: last + margin },
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
  const levels = [...new Set(entries.map(({ chanceLevel }) => chanceLevel))].filter(
    (level) => level !== null,
  );
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

/** By decades where the values lie over more than one: a collapsed run hides no difference then. */
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
  const isLog = lowest > 0 && highest > 10 * lowest;
  const range = isLog
    ? logRange(lowest, highest)
    : values.length > 0
      ? around(lowest, highest)
      : { min: 0, max: 1 };
  return {
    name: isLog ? `${name} (log)` : name,
    scale: isLog ? { kind: "log", threshold: 1 } : LINEAR,
    range,
    series,
    levels,
    bars: [],
  };
}
