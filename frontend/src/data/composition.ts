/** What a loss is made of, of a run that logged scalars: docs/scalar_logs.md. */

import { type JsonObject, list, object, text } from "./json.ts";

export const PART_ROLES = ["data", "penalty"] as const;
export type PartRole = (typeof PART_ROLES)[number];

export interface Part {
  readonly tag: string;
  /** A number, or the tags of scalars with * in between. */
  readonly weight: string;
  readonly role: PartRole;
}

export interface Composition {
  /** Null where none was logged. */
  readonly total: string | null;
  readonly parts: readonly Part[];
}

/** A composition and what the server says of it. */
export interface Scalars extends Composition {
  /** Its weights are not applied yet: with them it would add up. */
  readonly isOffered: boolean;
  /** Which of the logged steps are shown. */
  readonly steps: string;
  /** How far the numbers bear it out. */
  readonly sentence: string;
  /** What to type so that it is stored. */
  readonly command: string;
}

export function parseScalars(value: unknown): Scalars {
  const json = object(value, "scalars");
  return {
    ...parseComposition(json),
    isOffered: json.offered === true,
    steps: text(json.steps, "steps"),
    sentence: text(json.sentence, "sentence"),
    command: text(json.command, "command"),
  };
}

function parseComposition({ total, parts }: JsonObject): Composition {
  return {
    total: total === null ? null : text(total, "total"),
    parts: list(parts, "parts").map((entry) => {
      const { tag, weight, role } = object(entry, "A part");
      return {
        tag: text(tag, "tag"),
        weight: Array.isArray(weight) ? weight.join("*") : String(weight),
        role: PART_ROLES.find((known) => known === role) ?? "data",
      };
    }),
  };
}

/** As the server and links take it. */
export function encodeComposition({ total, parts }: Composition): string {
  return JSON.stringify({ total, parts });
}

/** Undefined where a link holds something else. */
export function decodeComposition(encoded: string): Composition | undefined {
  try {
    return parseComposition(object(JSON.parse(encoded), "composition"));
  } catch {
    return undefined;
  }
}
