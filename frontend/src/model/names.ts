/** Long names, short enough to be shown and no two alike. */

import { shortenMiddle } from "./format.ts";

// A dot within a number ends no part.
const PART = /(?:[^/.,]|(?<=\d)\.(?=\d))+(?:[/.]|, *)*/g;

// What a setting is called: "lambda=" of "lambda=0.01".
const KEY = /[^/,=\s]+=/g;

/**
 * What names are shown as, by name. Those that are too long lose the parts that all of several parts
 * begin or end with, and then their middle; as much is kept as tells each from all others.
 */
export function shortNames(names: readonly string[], length: number): ReadonlyMap<string, string> {
  const partsOf = (name: string): string[] => name.match(PART) ?? [name];
  const paths = [...new Set(names)].map(partsOf).filter((parts) => parts.length > 1);
  const head = sharedParts(paths);
  const tail = sharedParts(paths.map((parts) => parts.slice(head).reverse()));
  const short = new Map(names.map((name) => [name, name]));
  for (const name of names.filter((name) => Array.from(name).length > length)) {
    const parts = partsOf(name);
    const own = parts.length > 1 ? parts.slice(head, parts.length - tail).join("") : name;
    short.set(name, own.replace(/[/., ]+$/, ""));
  }
  const cut = (most: number) =>
    new Map([...short].map(([name, own]) => [name, shortenMiddle(own, most)]));
  const longest = Math.max(length, ...[...short.values()].map((own) => own.length));
  let shown = cut(length);
  for (let most = length; new Set(shown.values()).size < shown.size && most < longest; most += 4) {
    shown = cut(most + 4);
  }
  // What is left of a long name can be a short one.
  return new Set(shown.values()).size < shown.size ? new Map(names.map((n) => [n, n])) : shown;
}

/** The same for a column that shows no more: if need be, all lose what their settings are called. */
export function shortestNames(
  names: readonly string[],
  length: number,
): ReadonlyMap<string, string> {
  const short = shortNames(names, length);
  const bare = names.map((name) => name.replace(KEY, ""));
  const fits = [...short.values()].every((name) => name.length <= length);
  if (fits || new Set(bare).size < short.size) {
    return short;
  }
  const shown = shortNames(bare, length);
  return new Map(names.map((name, i) => [name, shown.get(bare[i] ?? name) ?? name]));
}

/** How many parts all begin with, where each keeps one. */
export function sharedParts(names: readonly (readonly string[])[]): number {
  const [first = [], ...others] = names;
  let shared = 0;
  while (
    others.length > 0 &&
    shared < first.length - 1 &&
    others.every((parts) => shared < parts.length - 1 && parts[shared] === first[shared])
  ) {
    shared++;
  }
  return shared;
}
