/** Curves and recordings for tests, built from as little as a test cares about. */

import type { Curves, Series } from "../data/curves.ts";
import { type Column, type Recording, type Role, recordingKey } from "../data/recording.ts";

export function column(name: string, role: Role, more: Partial<Column> = {}): Column {
  return { name, role, derived: false, significant: false, ...more };
}

/** A series of exact rows; undefined is a row in which the column was not recorded. */
export function series(of: Column, values: readonly (number | undefined)[]): Series {
  const finite = Float32Array.from(values, (value) =>
    value !== undefined && Number.isFinite(value) ? value : Number.NaN,
  );
  const count = (matches: (value: number) => boolean) =>
    Uint32Array.from(values, (value) => (value !== undefined && matches(value) ? 1 : 0));
  return {
    column: {
      ...of,
      ...(values.length > 0
        ? { first: values.find((value) => value !== undefined) ?? Number.NaN }
        : {}),
    },
    rows: Uint32Array.from(values, (value) => (value === undefined ? 0 : 1)),
    min: finite,
    mean: finite,
    max: finite,
    last: Float32Array.from(values, (value) => value ?? Number.NaN),
    ...(values.some((value) => value !== undefined && !Number.isFinite(value))
      ? {
          nonFinite: {
            nan: count(Number.isNaN),
            positiveInfinity: count((value) => value === Number.POSITIVE_INFINITY),
            negativeInfinity: count((value) => value === Number.NEGATIVE_INFINITY),
          },
        }
      : {}),
  };
}

export function curves(all: readonly Series[], firstStep = 0): Curves {
  const buckets = all[0]?.rows.length ?? 0;
  const steps = Float64Array.from({ length: buckets }, (_, i) => firstStep + i);
  return {
    firstStep: buckets > 0 ? firstStep : null,
    lastStep: buckets > 0 ? firstStep + buckets - 1 : null,
    rows: buckets,
    restarts: [],
    shareLargest: largestShare(all),
    problems: [],
    buckets,
    xAxis: "step",
    firstX: buckets > 0 ? firstStep : null,
    lastX: buckets > 0 ? firstStep + buckets - 1 : null,
    firstXs: steps,
    lastXs: steps,
    firstSteps: steps,
    lastSteps: steps,
    wallTimes: new Float64Array(buckets),
    series: all,
  };
}

/** Of rows, one a bucket. */
function largestShare(all: readonly Series[]): number | null {
  const sumAt = (role: Role, i: number) =>
    all.reduce((sum, { column, last }) => sum + (column.role === role ? (last[i] ?? 0) : 0), 0);
  const shares = [...(all[0]?.last ?? [])].map((_, i) => sumAt("penalty", i) / sumAt("total", i));
  return shares.reduce<number | null>(
    (most, share) => (share > (most ?? 0) && share <= 1 ? share : most),
    null,
  );
}

export function recording(
  run: string,
  name = "losses",
  columns: readonly Column[] = [],
): Recording {
  return { key: recordingKey(run, name), run, name, lastStep: 0, columns, problems: [] };
}

/** A run of a total, a data loss and a penalty. */
export const run = (name: string, data: number[], penalty: number[], firstStep = 0) => ({
  recording: recording(name),
  curves: curves(
    [
      series(
        column("total", "total"),
        data.map((value, i) => value + (penalty[i] ?? 0)),
      ),
      series(column("data", "data"), data),
      series(column("penalties", "penalty"), penalty),
    ],
    firstStep,
  ),
});
