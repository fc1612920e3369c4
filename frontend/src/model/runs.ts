/** Runs and recordings as the run picker lists them: order, filter, labels and the first choice. */

import { type Recording, recordingKey } from "../data/recording.ts";

/** More runs than this are not all chosen at first: nobody reads that many charts at once. */
export const CHOOSE_ALL_LIMIT = 40;
const CHOOSE_FIRST = 10;

const DEFAULT_NAME = "losses";

/** Like TensorBoard: numbers in names go by their value, so run_10 comes after run_9. */
export function naturalCompare(left: string, right: string): number {
  const leftParts = left.match(PART) ?? [];
  const rightParts = right.match(PART) ?? [];
  for (let i = 0; i < leftParts.length && i < rightParts.length; i++) {
    const a = leftParts[i] ?? "";
    const b = rightParts[i] ?? "";
    const difference = isDigits(a) && isDigits(b) ? Number(a) - Number(b) : compareText(a, b);
    if (difference !== 0) {
      return difference;
    }
  }
  return leftParts.length - rightParts.length || compareText(left, right);
}

// Fractions and exponents count as numbers, so that lambda=0.01 comes after lambda=1e-4.
const PART = /\d+(?:\.\d+)?(?:e[+-]?\d+)?|\D+/gi;

function isDigits(part: string): boolean {
  return part.charCodeAt(0) >= 48 && part.charCodeAt(0) <= 57;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

export function sortRecordings(recordings: readonly Recording[]): readonly Recording[] {
  return recordings.toSorted(
    (left, right) => naturalCompare(left.run, right.run) || naturalCompare(left.name, right.name),
  );
}

/** The run's name; with the recording's where that says more. */
export function recordingLabel(recording: Pick<Recording, "run" | "name">): string {
  return recording.name === DEFAULT_NAME ? recording.run : `${recording.run} · ${recording.name}`;
}

const VALIDATION = /(^|\/)validation$/;

/** Whether a run is the validation of another, as `RegularizationCallback` names it. */
export function isValidation(run: string): boolean {
  return VALIDATION.test(run);
}

/** The keys that the training of a validation may have: of the run beside it, or above it. */
export function trainingKeys({ run, name }: Pick<Recording, "run" | "name">): readonly string[] {
  const above = run.replace(VALIDATION, "") || ".";
  return isValidation(run)
    ? [run.replace(VALIDATION, "$1train"), above].map((training) => recordingKey(training, name))
    : [];
}

export interface Filtered {
  readonly matching: readonly Recording[];
  /** The expression cannot be read, so nothing was filtered. */
  readonly invalid: boolean;
}

export function filterRecordings(recordings: readonly Recording[], expression: string): Filtered {
  if (expression === "") {
    return { matching: recordings, invalid: false };
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(expression, "i");
  } catch {
    return { matching: recordings, invalid: true };
  }
  return {
    matching: recordings.filter((recording) => pattern.test(recordingLabel(recording))),
    invalid: false,
  };
}

export interface Choice {
  readonly chosen: ReadonlySet<string>;
  /** Every recording ever listed: what is not among them is new. */
  readonly known: ReadonlySet<string>;
  /** Where somebody named the runs to see: these alone are chosen when they are first listed. */
  readonly wanted?: ReadonlySet<string>;
}

/** The choice after a reload: what was decided stays, and new recordings join while there is room. */
export function updateChoice(previous: Choice, keys: readonly string[]): Choice {
  const first = previous.known.size === 0;
  const limit = first && keys.length > CHOOSE_ALL_LIMIT ? CHOOSE_FIRST : CHOOSE_ALL_LIMIT;
  const chosen = new Set(previous.chosen);
  const known = new Set(previous.known);
  const { wanted } = previous;
  for (const key of keys) {
    if (!known.has(key) && (wanted ? wanted.has(key) : chosen.size < limit)) {
      chosen.add(key);
    }
    known.add(key);
  }
  return { ...previous, chosen, known };
}

export function sameKeys(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((key) => right.has(key));
}
