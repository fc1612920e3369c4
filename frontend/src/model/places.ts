/**
 * Where in a model terms are, as their names say: the groups around each term, one in the other.
 *
 * Of `conv4_block23_2_conv/kernel` these are `conv4` and `conv4_block23`; of
 * `model.layers.42.mlp.up_proj.weight`, in a model of 80 layers, `model.layers.40–49` and
 * `model.layers.42`.
 */

import { sharedParts } from "./names.ts";
import { DEFAULT_TOP } from "./settings.ts";

/** As many as have a colour each; of more, some are summed by themselves. */
export const MOST_TERMS = 24;
/** In a group that was opened, patterns tell apart as many again. */
const MOST_WITHIN = 2 * MOST_TERMS;
/** So few ranges that all are shown: a band for the rest would take as much room as one more. */
const MOST_RANGES = DEFAULT_TOP + 1;
/** A group of more than this tells nothing: its parts take its place. */
const NEARLY_ALL = 0.9;

/** Names by their group. */
type Groups = ReadonlyMap<string, readonly string[]>;

/** The groups around each term that is in any, the largest first. */
export function placesOf(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, readonly string[]>();
  const nest = (within: readonly string[], most: number) => {
    if (within.length <= MOST_TERMS) {
      return;
    }
    for (const [group, members] of joinRanges(split(within), most)) {
      // A group of one is that term, and one of all tells nothing apart.
      if (members.length > 1 && members.length < within.length) {
        for (const name of members) {
          places.set(name, [...(places.get(name) ?? []), group]);
        }
        nest(members, MOST_WITHIN);
      }
    }
  };
  nest(names, MOST_TERMS);
  return places;
}

/**
 * By names up to the first number in which they differ: a stage, a block or a layer. What has no
 * number is named up to the first part that is around none.
 */
function split(names: readonly string[]): Groups {
  const tokens = names.map(placeTokens);
  const shared = sharedParts(tokens);
  const ends = tokens.map((all) => all.findIndex((_, i) => i >= shared && isNumbered(all, i)));
  const around = new Set(
    tokens.flatMap((all, i) =>
      all.slice(0, Math.max(0, ends[i] ?? 0)).map((_, last) => joined(all, last)),
    ),
  );
  const ownEnd = (all: readonly string[]) =>
    all.findIndex((token, i) => i >= shared && /[/.]$/.test(token) && !around.has(joined(all, i)));
  const groups = new Map<string, string[]>();
  names.forEach((name, i) => {
    const all = tokens[i] ?? [];
    const end = [ends[i] ?? -1, ownEnd(all)].find((found) => found >= 0) ?? all.length - 1;
    put(groups, trimmed(joined(all, end)) || name, name);
  });
  const nearlyAll = [...groups].find(
    ([, { length }]) => length > NEARLY_ALL * names.length && length < names.length,
  );
  if (nearlyAll === undefined) {
    return groups;
  }
  groups.delete(nearlyAll[0]);
  return new Map([...split(nearlyAll[1]), ...groups]);
}

/** Where there are more than so many: groups that only a number tells apart, as ranges of it. */
function joinRanges(groups: Groups, most: number): Groups {
  if (groups.size <= most) {
    return groups;
  }
  const numbered = [...groups.keys()]
    .flatMap((group) => {
      const [, before, digits] = /^(.*?)(\d{1,15})$/s.exec(group) ?? [];
      return before === undefined || digits === undefined ? [] : [{ group, before, digits }];
    })
    .toSorted((left, right) => Number(left.digits) - Number(right.digits));
  const others = groups.size - numbered.length;
  // However many others there are, a range is not all.
  const room = Math.max(MOST_RANGES - others, MOST_RANGES / 2);
  const families = new Set(numbered.map(({ before }) => before)).size;
  for (let power = 1; ; power *= 10) {
    for (const size of [2 * power, 5 * power, 10 * power]) {
      const ranges = new Map<string, (typeof numbered)[number][]>();
      for (const each of numbered) {
        put(ranges, `${Math.floor(Number(each.digits) / size)} ${each.before}`, each);
      }
      if (ranges.size <= room || ranges.size === families) {
        return namedRanges(groups, [...ranges.values()]);
      }
    }
  }
}

function namedRanges(
  groups: Groups,
  ranges: readonly (readonly { group: string; before: string; digits: string }[])[],
): Groups {
  const joined = new Map(groups);
  for (const range of ranges) {
    const [first, last] = [range[0], range.at(-1)];
    if (first !== undefined && last !== undefined && first !== last) {
      const members = range.flatMap(({ group }) => groups.get(group) ?? []);
      for (const { group } of range) {
        joined.delete(group);
      }
      joined.set(`${first.group}–${last.digits}`, members);
    }
  }
  return joined;
}

/** "conv2d" and "BatchNorm2d" say how many dimensions there are, and number nothing. */
const DIMENSIONS = /(conv|norm|bn)[1-3]d[/._-]*$/i;

/** What a name has before its variable, cut where it may end: "block4", "a_", "expand_", "conv/". */
function placeTokens(name: string): readonly string[] {
  const place = /^.*[^/.][/.]+(?=[^/.])/s.exec(name)?.[0] ?? name;
  return (place.match(/^[/._-]+|[^/._-]+[/._-]*/g) ?? [place]).flatMap((piece) => {
    const [, number, letter] = /^(.*\d)([a-z][/._-]*)$/is.exec(piece) ?? [];
    const isOne = number === undefined || letter === undefined || DIMENSIONS.test(piece);
    return isOne ? [piece] : [number, letter];
  });
}

function isNumbered(tokens: readonly string[], i: number): boolean {
  const token = trimmed(tokens[i] ?? "");
  return /\d$/.test(token) || (/^[a-z]$/i.test(token) && /\d$/.test(tokens[i - 1] ?? ""));
}

function joined(tokens: readonly string[], last: number): string {
  return tokens.slice(0, last + 1).join("");
}

/** Without what separates it from the next part. */
function trimmed(text: string): string {
  return text.replace(/[/._-]+$/, "");
}

function put<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) {
    lists.set(key, [value]);
  } else {
    list.push(value);
  }
}
