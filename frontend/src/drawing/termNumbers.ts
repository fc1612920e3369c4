/**
 * Which colour each term has: the same in every run, and no other shown term's.
 *
 * Every term has a rank, which names the colour that it would have; where two that are shown would
 * have the same one, the later takes the next that is free. With no more terms than colours nothing
 * ever is.
 */

import { type Column, elements, OUTSIDE_ROLES, type Recording } from "../data/recording.ts";
import { naturalCompare } from "../model/runs.ts";
import { COLOURS_OF_PENALTIES, roleOf } from "./colours.ts";

const COLOURED = [["data"], ["penalty", ...OUTSIDE_ROLES]];

/** What a column is called: by itself, or as a part of its group. */
export type NamerOf = (recording: Recording) => (column: Column) => string;

/**
 * Ranks the columns of all recordings by role and name. Those that have a rank keep it, and runs
 * that come later don't change it: the first run's terms come first, of the largest variables
 * first.
 */
export function rankTerms(
  previous: ReadonlyMap<string, number>,
  recordings: readonly Recording[],
  namerOf: NamerOf,
): ReadonlyMap<string, number> {
  const ranks = new Map(previous);
  for (const roles of COLOURED) {
    let next = [...previous.keys()].filter((key) => roles.includes(roleOf(key))).length;
    for (const recording of recordings) {
      const sizes = sizesOf(recording, roles, namerOf(recording));
      for (const key of largestFirst([...sizes].filter(([key]) => !ranks.has(key)))) {
        ranks.set(key, next++);
      }
    }
  }
  return ranks;
}

function sizesOf(
  { columns }: Recording,
  roles: readonly string[],
  nameOf: (column: Column) => string,
): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const column of columns.filter(({ role }) => roles.includes(role))) {
    const key = `${column.role}:${nameOf(column)}`;
    sizes.set(key, (sizes.get(key) ?? 0) + (elements(column) ?? 0));
  }
  return sizes;
}

function largestFirst(sizes: readonly [key: string, size: number][]): readonly string[] {
  return sizes
    .toSorted(([left, a], [right, b]) => b - a || naturalCompare(left, right))
    .map(([key]) => key);
}

/**
 * The numbers that colours are taken by: of all terms their rank, of those shown the first from
 * there on whose colour is free.
 */
export function numberTerms(
  ranks: ReadonlyMap<string, number>,
  shown: Iterable<string>,
): ReadonlyMap<string, number> {
  const numbers = new Map(ranks);
  const taken = new Set<number>();
  for (const key of shown) {
    if (roleOf(key) !== "data") {
      const number = firstFree(ranks.get(key) ?? taken.size, taken);
      numbers.set(key, number);
      taken.add(number);
    }
  }
  return numbers;
}

/** Once all colours are taken, each is there once more, with another pattern. */
function firstFree(rank: number, taken: ReadonlySet<number>): number {
  for (let round = 0; ; round += COLOURS_OF_PENALTIES) {
    for (let i = 0; i < COLOURS_OF_PENALTIES; i++) {
      const number = round + ((rank + i) % COLOURS_OF_PENALTIES);
      if (!taken.has(number)) {
        return number;
      }
    }
  }
}

/** What was shown so far, in the order in which it takes colours. */
export class ShownTerms {
  /** By recording: the terms that it showed first. */
  readonly #first = new Map<string, readonly string[]>();
  readonly #later = new Set<string>();

  /** Whether any of them is new. */
  add(recording: string, keys: readonly string[]): boolean {
    const coloured = keys.filter((key) => COLOURED.flat().includes(roleOf(key)));
    const isFirst = !this.#first.has(recording);
    if (isFirst) {
      this.#first.set(recording, coloured);
      return coloured.length > 0;
    }
    const before = this.#later.size;
    const known = new Set(this.#first.get(recording));
    for (const key of coloured.filter((key) => !known.has(key))) {
      this.#later.add(key);
    }
    return this.#later.size > before;
  }

  /** In the order of the recordings, whichever answer came first, so that links tell the same. */
  inOrder(recordings: readonly Recording[], ranks: ReadonlyMap<string, number>): Set<string> {
    const rank = (key: string) => ranks.get(key) ?? ranks.size;
    const byRank = (keys: readonly string[]) => keys.toSorted((a, b) => rank(a) - rank(b));
    const listed = recordings.map(({ key }) => key).filter((key) => this.#first.has(key));
    const all = [...new Set([...listed, ...this.#first.keys()])];
    return new Set([...all.flatMap((key) => byRank(this.#first.get(key) ?? [])), ...this.#later]);
  }
}
