/** The difference of two runs, term by term. */

import type { Curves, Series } from "../data/curves.ts";
import { type Column, columnKey, type Recording } from "../data/recording.ts";
import { resample } from "./compare.ts";
import { centres } from "./picture.ts";
import type { Settings } from "./settings.ts";

/** What is chosen instead of a quantity to compare. */
export const DIFFERENCE = "difference";

type PairSettings = Pick<Settings, "minuend" | "subtrahend">;

/** The recordings of a difference: those asked for, else the first that are left; one if no more. */
export function differencePair(
  recordings: readonly Recording[],
  { minuend, subtrahend }: PairSettings,
): readonly Recording[] {
  const second = recordings.find(({ key }) => key === subtrahend && key !== minuend);
  const others = recordings.filter((recording) => recording !== second);
  const first = others.find(({ key }) => key === minuend) ?? others[0];
  const pair = [first, second ?? others.find((recording) => recording !== first)];
  return pair.filter((recording) => recording !== undefined);
}

/** The settings after one place of a pair was given to a recording; the two may change places. */
export function choosePair(
  pair: readonly Recording[],
  place: keyof PairSettings,
  key: string,
): PairSettings {
  const [minuend = "", subtrahend = ""] = pair.map((recording) => recording.key);
  if (place === "minuend") {
    return { minuend: key, subtrahend: key === subtrahend ? minuend : subtrahend };
  }
  return { minuend: key === minuend ? subtrahend : minuend, subtrahend: key };
}

/** The first run minus the second, term by term, where the first has buckets. */
export function differenceOf(first: Curves, second: Curves): Curves {
  const columns = new Map<string, Column>();
  for (const { column } of [...first.series, ...second.series]) {
    const key = columnKey(column);
    const known = columns.get(key);
    columns.set(key, known === undefined ? column : joinColumns(known, column));
  }
  const x = centres(first);
  const xOfSecond = centres(second);
  const series = [...columns].map(([key, column]): Series => {
    const seriesIn = (curves: Curves) => curves.series.find((s) => columnKey(s.column) === key);
    const [mine, other] = [seriesIn(first), seriesIn(second)];
    // A term that only one run has is nothing in the other.
    const subtract = (pick: (series: Series) => Float32Array | undefined) => {
      const subtrahend = other && pick(other);
      const there = subtrahend && resample(xOfSecond, Float64Array.from(subtrahend), x);
      const own = mine && pick(mine);
      return Float32Array.from(x, (_, i) => (own?.[i] ?? 0) - (there?.[i] ?? 0));
    };
    const mean = subtract((one) => one.mean);
    const rows = Uint32Array.from(mean, (value) => (Number.isNaN(value) ? 0 : 1));
    const isSmoothed = (mine ?? other)?.smoothed !== undefined;
    const smoothed = isSmoothed ? { smoothed: subtract((one) => one.smoothed) } : {};
    return { column, rows, min: mean, mean, max: mean, last: mean, ...smoothed };
  });
  return { ...first, series, problems: [], restarts: [] };
}

/** A column of two runs: what differs between them is left out. */
function joinColumns(first: Column, second: Column): Column {
  const joined = { ...first, significant: first.significant || second.significant };
  const strengths = (column: Column) => String([column.firstStrength, column.strength]);
  if (strengths(first) !== strengths(second)) {
    const { strength, firstStrength, ...rest } = joined;
    return rest;
  }
  return joined;
}
