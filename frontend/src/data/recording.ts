/** What a recording is: the losses that one name holds in one run. */

import { parseScalars, type Scalars } from "./composition.ts";
import type { Finding } from "./findings.ts";
import { type JsonObject, list, number, numberOrNull, object, text, texts } from "./json.ts";

/** Recorded beside the loss, as no summand of it, and what that means. */
const OUTSIDE = {
  implicit: "not in the loss: the optimiser applies it",
  unused: "not in the loss",
  inside: "in the loss, but not as a summand: its share is unknown",
  // Drawn beside the training.
  validation: "not in this loss: measured on other data",
} as const;
/** Of parts that were logged without the total that they make. */
const WITHOUT_TOTAL = "no total is logged, so its weight is not certain";
export type OutsideRole = keyof typeof OUTSIDE;
export const OUTSIDE_ROLES = Object.keys(OUTSIDE) as readonly OutsideRole[];

const ROLES = [
  ...(["total", "data", "penalty", "unexplained"] as const),
  ...OUTSIDE_ROLES,
  // Of recordings of gradients.
  ...(["gradient", "data_gradient", "gradient_cosine"] as const),
] as const;
export type Role = (typeof ROLES)[number];

export type Strength = number | readonly [l1: number, l2: number];

/** One loss, or one part of a loss. Fields that nobody recorded are absent. */
export interface Column {
  readonly name: string;
  readonly role: Role;
  readonly kind?: string;
  readonly strength?: Strength;
  /** What it was at first, where that was another. */
  readonly firstStrength?: Strength;
  readonly coefficient?: number;
  readonly variable?: string;
  readonly shape?: readonly number[];
  readonly size?: number;
  /** Computed by the server from the recorded columns. */
  readonly derived: boolean;
  /** Of a residual: beyond the rounding of float32 sums. */
  readonly significant: boolean;
  readonly firstNonFiniteStep?: number;
  /** The first value in the range that curves cover, as recorded. */
  readonly first?: number;
  /** Of a sum of several recorded terms: how many, and the names of the first of them. */
  readonly terms?: number;
  readonly members?: readonly string[];
  /** What the server summed because it was not among the largest. */
  readonly isRest?: boolean;
  /** A part of a loss whose total nobody logged. */
  readonly isWithoutTotal?: boolean;
}

/** A series that could not be read, and why. */
export interface Problem {
  readonly tag: string;
  readonly reason: string;
}

export interface Recording {
  /** Identifies the recording on this page. */
  readonly key: string;
  readonly run: string;
  readonly name: string;
  readonly lastStep: number | null;
  readonly columns: readonly Column[];
  readonly problems: readonly Problem[];
  /** Of a run that logged scalars: how these make up its loss. */
  readonly scalars?: Scalars;
  /** Of one that is composed on this page: how, and what is wrong with it. */
  readonly composition?: string;
  readonly findings?: readonly Finding[];
}

export function recordingKey(run: string, name: string): string {
  return JSON.stringify([run, name]);
}

/** Names are unique within a role only: a data loss and a penalty may share one. */
export function columnKey(column: Column): string {
  return `${column.role}:${column.name}`;
}

/** Why a column is no summand of the loss; undefined where it is one. */
export function whyOutside({ role, isWithoutTotal }: Column): string | undefined {
  if (isWithoutTotal) {
    return WITHOUT_TOTAL;
  }
  return isOutside(role) ? OUTSIDE[role] : undefined;
}

export function isOutside(role: string): role is OutsideRole {
  return role in OUTSIDE;
}

/** How many numbers a penalised variable holds, where that is known. */
export function elements({ size, shape }: Column): number | undefined {
  return size ?? shape?.reduce((product, side) => product * side, 1);
}

export function parseRecordings(answer: unknown): readonly Recording[] {
  return list(object(answer, "The answer").recordings, "recordings").map(parseRecording);
}

export function parseRecording(value: unknown): Recording {
  const json = object(value, "A recording");
  const run = text(json.run, "run");
  const name = text(json.name, "name");
  return {
    key: recordingKey(run, name),
    run,
    name,
    lastStep: numberOrNull(json.last_step, "last_step"),
    columns: parseColumns(json.columns),
    problems: parseProblems(json.problems),
    ...optional("scalars", json.scalars, parseScalars),
  };
}

export function parseProblems(value: unknown): readonly Problem[] {
  return list(value ?? [], "problems").map((entry) => {
    const json = object(entry, "A problem");
    return { tag: text(json.tag, "tag"), reason: text(json.reason, "reason") };
  });
}

export function parseColumns(value: unknown): readonly Column[] {
  const columns = list(value, "columns").map((entry) => parseColumn(object(entry, "A column")));
  return columns.some(({ role }) => role === "total")
    ? columns
    : columns.map((column) =>
        column.role === "inside" ? { ...column, isWithoutTotal: true } : column,
      );
}

function parseColumn(json: JsonObject): Column {
  const role = text(json.role, "role");
  return {
    name: text(json.name, "name"),
    // A role of a newer server is kept out of the stack rather than guessed at.
    role: ROLES.find((known) => known === role) ?? "implicit",
    derived: json.derived === true,
    significant: json.significant === true,
    ...optional("kind", json.kind, text),
    ...optional("strength", json.strength, strength),
    ...optional("firstStrength", json.first_strength, strength),
    ...optional("first", json.first, recorded),
    ...optional("coefficient", json.coefficient, number),
    ...optional("variable", json.variable, text),
    ...optional("shape", json.shape, numbers),
    ...optional("size", json.size, number),
    ...optional("terms", json.terms, number),
    ...optional("members", json.members, texts),
    ...(json.rest === true ? { isRest: true } : {}),
    ...optional("firstNonFiniteStep", json.first_non_finite_step, number),
  };
}

function optional<Name extends string, Value>(
  name: Name,
  value: unknown,
  read: (value: unknown, what: string) => Value,
): { readonly [K in Name]?: Value } {
  if (value === undefined || value === null) {
    return {};
  }
  // A computed key widens to an index signature, which the mapped type does not accept.
  return { [name]: read(value, name) } as { readonly [K in Name]?: Value };
}

function numbers(value: unknown, what: string): readonly number[] {
  return list(value, what).map((entry) => number(entry, what));
}

/** JSON has NaN and the infinities as text. */
function recorded(value: unknown, what: string): number {
  return typeof value === "string" ? Number(value) : number(value, what);
}

function strength(value: unknown, what: string): Strength {
  if (typeof value === "number") {
    return value;
  }
  const [l1, l2] = numbers(value, what);
  return [number(l1, what), number(l2, what)];
}
