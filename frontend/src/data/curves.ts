/** The curves of one recording over a range of steps, decoded from the server's binary answer. */

import { X_AXES, type XAxis } from "./axis.ts";
import { FormatError, list, number, numberOrNull, object, text } from "./json.ts";
import { type Column, type Problem, parseColumns, parseProblems } from "./recording.ts";

export interface Series {
  readonly column: Column;
  /** Rows in which the column was recorded, per bucket; 0 is a gap. */
  readonly rows: Uint32Array;
  /** Over the finite values; NaN where there is none. */
  readonly min: Float32Array;
  readonly mean: Float32Array;
  readonly max: Float32Array;
  readonly last: Float32Array;
  /** Where smoothing was asked for: the moving average at the bucket's last row. */
  readonly smoothed?: Float32Array;
  /** How many values of each bucket are not finite; absent where all are. */
  readonly nonFinite?: NonFinite;
}

export interface NonFinite {
  readonly nan: Uint32Array;
  readonly positiveInfinity: Uint32Array;
  readonly negativeInfinity: Uint32Array;
}

/** A writer took the recording up again. */
export interface Restart {
  readonly step: number;
  /** The last step recorded until then: where it is not less, steps were overwritten. */
  readonly after: number;
}

export interface Curves {
  /** Of the whole recording, not of the range asked for; null where it holds no row. */
  readonly firstStep: number | null;
  readonly lastStep: number | null;
  readonly rows: number;
  /** Likewise, in the order of steps. */
  readonly restarts: readonly Restart[];
  readonly problems: readonly Problem[];
  /** The penalties' largest share of the total at any step of the range; null where none is known. */
  readonly shareLargest: number | null;
  readonly buckets: number;
  /** What the x axis counts, and its ends in the whole recording. */
  readonly xAxis: XAxis;
  readonly firstX: number | null;
  readonly lastX: number | null;
  /** Of each bucket's first and last row, in the unit of the x axis. */
  readonly firstXs: Float64Array;
  readonly lastXs: Float64Array;
  /** Of each bucket's first and last row. */
  readonly firstSteps: Float64Array;
  readonly lastSteps: Float64Array;
  readonly wallTimes: Float64Array;
  readonly series: readonly Series[];
}

export function decodeCurves(answer: ArrayBuffer): Curves {
  if (answer.byteLength < 4) {
    throw new FormatError("The curves are too short to hold a header.");
  }
  const headerLength = new DataView(answer).getUint32(0, true);
  const begin = 4 + headerLength;
  if (begin > answer.byteLength) {
    throw new FormatError("The curves end within their header.");
  }
  const headerText = new TextDecoder().decode(new Uint8Array(answer, 4, headerLength));
  const header = object(JSON.parse(headerText), "The header");
  const arrays = new Arrays(answer, begin, header.arrays);

  const firstSteps = arrays.vector("first_step");
  const buckets = firstSteps.length;
  const columns = parseColumns(header.columns);
  const lastSteps = arrays.vector("last_step");
  const firstStep = numberOrNull(header.first_step, "first_step");
  const lastStep = numberOrNull(header.last_step, "last_step");
  const xAxis = X_AXES.find((axis) => axis === header.x) ?? "step";
  // A server that knows of steps alone leaves out what it would say twice.
  const ofX = (name: string, steps: Float64Array) =>
    arrays.has(name) ? arrays.vector(name) : steps;
  const series = columns.map((column, index) => readSeries(arrays, column, index, buckets));
  return {
    firstStep,
    lastStep,
    rows: number(header.rows, "rows"),
    restarts: list(header.restarts ?? [], "restarts").map(parseRestart),
    shareLargest: numberOrNull(header.share_largest ?? null, "share_largest"),
    problems: parseProblems(header.problems),
    buckets,
    firstSteps,
    lastSteps,
    xAxis,
    firstX: header.first_x === undefined ? firstStep : numberOrNull(header.first_x, "first_x"),
    lastX: header.last_x === undefined ? lastStep : numberOrNull(header.last_x, "last_x"),
    firstXs: ofX("first_x", firstSteps),
    lastXs: ofX("last_x", lastSteps),
    wallTimes: arrays.vector("wall_time"),
    series,
  };
}

function parseRestart(value: unknown): Restart {
  const json = object(value, "A restart");
  return { step: number(json.step, "step"), after: number(json.after, "after") };
}

function readSeries(arrays: Arrays, column: Column, index: number, buckets: number): Series {
  const nonFinite = {
    nan: arrays.counts("nan", index, buckets),
    positiveInfinity: arrays.counts("positive_infinity", index, buckets),
    negativeInfinity: arrays.counts("negative_infinity", index, buckets),
  };
  const anyNonFinite = Object.values(nonFinite).some((counts) => counts.some((n) => n > 0));
  return {
    column,
    rows: arrays.counts("rows", index, buckets),
    min: arrays.floats("min", index, buckets),
    mean: arrays.floats("mean", index, buckets),
    max: arrays.floats("max", index, buckets),
    last: arrays.floats("last", index, buckets),
    ...(arrays.has("smoothed") ? { smoothed: arrays.floats("smoothed", index, buckets) } : {}),
    ...(anyNonFinite ? { nonFinite } : {}),
  };
}

interface Place {
  readonly dtype: string;
  readonly offset: number;
  readonly length: number;
}

/** The arrays that follow the header. They are views: nothing is copied. */
class Arrays {
  private readonly places = new Map<string, Place>();
  private readonly buffer: ArrayBuffer;
  private readonly begin: number;

  constructor(buffer: ArrayBuffer, begin: number, index: unknown) {
    this.buffer = buffer;
    this.begin = begin;
    for (const entry of list(index, "arrays")) {
      const json = object(entry, "An array");
      const shape = list(json.shape, "shape").map((size) => number(size, "shape"));
      this.places.set(text(json.name, "name"), {
        dtype: text(json.dtype, "dtype"),
        offset: number(json.offset, "offset"),
        length: shape.reduce((product, size) => product * size, 1),
      });
    }
  }

  has(name: string): boolean {
    return this.places.has(name);
  }

  vector(name: string): Float64Array {
    const place = this.place(name, "float64");
    return new Float64Array(this.buffer, this.begin + place.offset, place.length);
  }

  floats(name: string, row: number, length: number): Float32Array {
    const place = this.place(name, "float32", (row + 1) * length);
    return new Float32Array(this.buffer, this.begin + place.offset + 4 * row * length, length);
  }

  /** Zeros where the array is absent: the server leaves out counts that are all zero. */
  counts(name: string, row: number, length: number): Uint32Array {
    if (!this.places.has(name)) {
      return new Uint32Array(length);
    }
    const place = this.place(name, "uint32", (row + 1) * length);
    return new Uint32Array(this.buffer, this.begin + place.offset + 4 * row * length, length);
  }

  private place(name: string, dtype: string, atLeast = 0): Place {
    const place = this.places.get(name);
    if (place === undefined || place.dtype !== dtype || place.length < atLeast) {
      throw new FormatError(`The array ${name} is missing, too short or not ${dtype}.`);
    }
    return place;
  }
}
