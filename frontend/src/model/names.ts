/** Long names, short enough to be shown and no two alike. */

import { shortenMiddle } from "./format.ts";

// A point between digits is that of a number.
const PART = /(?:[^/.]|(?<=\d)\.(?=\d))+[/.]*/g;

/**
 * What names are shown as, by name. Those that are too long lose the parts that all long ones begin
 * or end with, and then their middle; as much is kept as tells each from all others.
 */
export function shortNames(names: readonly string[], length: number): ReadonlyMap<string, string> {
  const long = [...new Set(names)].filter((name) => Array.from(name).length > length);
  const parts = long.map((name) => name.match(PART) ?? [name]);
  const head = sharedParts(parts);
  const tail = sharedParts(parts.map((each) => each.slice(head).reverse()));
  const without = (end: number) => parts.map((each) => joined(each.slice(head, each.length - end)));
  const short = new Map(names.map((name) => [name, name]));
  // "a/validation" beside "a/train" is not shown as "a".
  const begun = new Set(
    [...short.keys()].filter((name) => Array.from(name).length <= length).flatMap(beginnings),
  );
  const kept = without(without(tail).some((each) => begun.has(each)) ? 0 : tail);
  long.forEach((name, i) => {
    short.set(name, kept[i] ?? name);
  });
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

function joined(parts: readonly string[]): string {
  return parts.join("").replace(/[/.]+$/, "");
}

/** "a/b/c" begins with "a", "a/b" and "a/b/c". */
function beginnings(name: string): readonly string[] {
  return (name.match(PART) ?? []).map((_, i, parts) => joined(parts.slice(0, i + 1)));
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
