/** Reading parsed JSON whose shape is not yet known: every field is checked before it is believed. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** An answer of the server that does not follow docs/http_api.md. */
export class FormatError extends Error {}

export function object(value: unknown, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormatError(`${what} is not an object.`);
  }
  return value as JsonObject;
}

export function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new FormatError(`${what} is not a list.`);
  }
  return value;
}

export function text(value: unknown, what: string): string {
  if (typeof value !== "string") {
    throw new FormatError(`${what} is not a string.`);
  }
  return value;
}

export function texts(value: unknown, what: string): readonly string[] {
  return list(value, what).map((entry) => text(entry, what));
}

export function number(value: unknown, what: string): number {
  if (typeof value !== "number") {
    throw new FormatError(`${what} is not a number.`);
  }
  return value;
}

export function numberOrNull(value: unknown, what: string): number | null {
  return value === null || value === undefined ? null : number(value, what);
}
