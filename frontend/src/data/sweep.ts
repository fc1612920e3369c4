/** What each strength of the penalties led to, as the server groups it: docs/http_api.md. */

import { type JsonObject, list, number, numberOrNull, object, text, texts } from "./json.ts";
import { type Column, recordingKey } from "./recording.ts";

/** The figures that runs of a strength have each, and their mean. */
const FIGURES = ["metric", "data_loss", "validation_data_loss"] as const;
export type Figure = (typeof FIGURES)[number];

export interface Spread {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Of the mean; null of fewer than three runs. */
  readonly standardError: number | null;
}

export interface SweepPoint extends Readonly<Record<Figure, number | null>> {
  /** That of the recording. */
  readonly key: string;
  readonly run: string;
  readonly penaltyShare: number | null;
  readonly lastStep: number | null;
  readonly isUnfinished: boolean;
  readonly isRestarted: boolean;
  readonly isDiverged: boolean;
}

/** One number; of several that vary at once, each by its name; null where it is not known. */
export type Strength = number | Readonly<Record<string, number>> | null;

export interface SweepEntry extends Readonly<Record<Figure, Spread | null>> {
  readonly strength: Strength;
  readonly penaltyShare: number | null;
  /** The data loss of guessing, where it is known. */
  readonly chanceLevel: number | null;
  readonly points: readonly SweepPoint[];
}

/** Norms of what penalties are of, over a run's last rows. */
export interface Norms {
  readonly terms: readonly Column[];
  /** By run, in the order of the terms; null where one is not known. */
  readonly runs: ReadonlyMap<string, readonly (number | null)[]>;
  /** Terms beyond what an answer may hold. */
  readonly leftOut: number;
}

/** From a run's first to its last step: penalty ÷ strength, and the data loss. */
export type Trajectory = readonly (readonly [penalty: number, loss: number])[];

export interface Sweep {
  readonly metric: string | null;
  readonly window: number;
  readonly source: string;
  /** In the order of strengths; what is not known comes last. */
  readonly entries: readonly SweepEntry[];
  readonly sentence: string;
  readonly warnings: readonly string[];
  /** The tags that can be asked for. */
  readonly metrics: readonly string[];
  /** Runs that are not in it yet. */
  readonly unread: number;
  /** Undefined where they were not asked for. */
  readonly norms: Norms | undefined;
  /** By run; empty where it has none. Undefined likewise. */
  readonly trajectories: ReadonlyMap<string, Trajectory> | undefined;
}

export function parseSweep(answer: unknown): Sweep {
  const json = object(answer, "The answer");
  const name = text(json.name, "name");
  return {
    metric: json.metric === null ? null : text(json.metric, "metric"),
    window: number(json.window, "window"),
    source: text(json.strength_from, "strength_from"),
    entries: list(json.strengths, "strengths").map((entry) => parseEntry(entry, name)),
    sentence: text(json.sentence, "sentence"),
    warnings: texts(json.warnings, "warnings"),
    metrics: texts(json.metrics, "metrics"),
    unread: number(json.unread, "unread"),
    norms: json.norms === undefined ? undefined : parseNorms(object(json.norms, "norms")),
    trajectories:
      json.trajectories === undefined
        ? undefined
        : byRun(json.trajectories, (pair) => {
            const [penalty, loss] = list(pair, "A point");
            return [number(penalty, "penalty"), number(loss, "data loss")] as const;
          }),
  };
}

function parseNorms(json: JsonObject): Norms {
  return {
    terms: list(json.terms, "terms").map((term) => {
      const { name, kind } = object(term, "A term");
      const known = { name: text(name, "name"), kind: text(kind, "kind") };
      return { ...known, role: "penalty", derived: false, significant: false };
    }),
    runs: byRun(json.runs, (norm) => numberOrNull(norm, "norm")),
    leftOut: number(json.left_out, "left_out"),
  };
}

function byRun<Value>(value: unknown, parse: (value: unknown) => Value) {
  const lists = Object.entries(object(value, "runs"));
  return new Map(lists.map(([run, values]) => [run, list(values, run).map(parse)]));
}

function parseEntry(value: unknown, name: string): SweepEntry {
  const json = object(value, "A strength");
  const restarted = new Set(texts(json.restarted ?? [], "restarted"));
  return {
    strength: parseStrength(json.strength),
    ...figures((figure) => parseSpread(json[figure], figure)),
    penaltyShare: numberOrNull(json.penalty_share, "penalty_share"),
    chanceLevel: numberOrNull(json.chance_level, "chance_level"),
    points: list(json.points, "points").map((point) => {
      const json = object(point, "A run");
      return parsePoint(json, name, restarted);
    }),
  };
}

function parsePoint(json: JsonObject, name: string, restarted: ReadonlySet<string>): SweepPoint {
  const run = text(json.run, "run");
  return {
    key: recordingKey(run, name),
    run,
    ...figures((figure) => numberOrNull(json[figure], figure)),
    penaltyShare: numberOrNull(json.penalty_share, "penalty_share"),
    lastStep: numberOrNull(json.last_step, "last_step"),
    isUnfinished: json.unfinished === true,
    isRestarted: restarted.has(run),
    isDiverged: json.diverged === true,
  };
}

function parseStrength(value: unknown): Strength {
  if (typeof value !== "object" || value === null) {
    return numberOrNull(value, "strength");
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, strength]) => [name, number(strength, name)]),
  );
}

function parseSpread(value: unknown, what: string): Spread | null {
  if (value === null || value === undefined) {
    return null;
  }
  const json = object(value, what);
  return {
    mean: number(json.mean, "mean"),
    min: number(json.min, "min"),
    max: number(json.max, "max"),
    standardError: numberOrNull(json.standard_error, "standard_error"),
  };
}

function figures<Value>(read: (figure: Figure) => Value): Record<Figure, Value> {
  return Object.fromEntries(FIGURES.map((figure) => [figure, read(figure)])) as Record<
    Figure,
    Value
  >;
}
