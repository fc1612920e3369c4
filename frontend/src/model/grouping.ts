/** Which penalties are summed, and what their sum is called. */

import type { Curves } from "../data/curves.ts";
import { type Column, columnKey } from "../data/recording.ts";
import { sharedParts } from "./names.ts";
import { termPattern } from "./terms.ts";

const UNKNOWN_KIND = "unknown";
const LAYER = "layer:";
/** What follows is a regular expression. */
export const MATCH = "match:";
/** As many as have a colour each; of more, some are summed by themselves. */
export const MOST_TERMS = 24;

const NONE: ReadonlySet<string> = new Set();

type Namer = (column: Column) => string;

export interface Grouping {
  /** As it was chosen. */
  readonly group: string;
  /** The server's parameter. */
  readonly parameter: string;
  /** The name of the group that a column would be in, closed or opened; its own where in none. */
  readonly groupOf: Namer;
  /** The groups whose terms are shown for themselves. */
  readonly opened: ReadonlySet<string>;
  /** A column of an answer, by the name of its group here. */
  readonly rename: (column: Column) => Column;
}

/**
 * How the columns of a recording are grouped. The server sums; which columns it sums is said by
 * their place, so that no regular expression is ever its business.
 */
export function makeGrouping(
  group: string,
  columns: readonly Column[],
  chosen: ReadonlySet<string> = NONE,
  isolated: ReadonlySet<string> = NONE,
): Grouping {
  const groupOf = groupNamer(group, columns);
  const penalties = columns.filter(({ role }) => role === "penalty");
  const opened = new Set(chosen);
  for (const column of isolated.size > 0 ? penalties : []) {
    // What is to be shown alone can't be within a sum.
    if (isolated.has(columnKey(column)) && groupOf(column) !== column.name) {
      opened.add(groupOf(column));
    }
  }
  const isOwn = !group.startsWith(MATCH) && group !== "auto";
  const parameter = isOwn && opened.size === 0 ? group : setsOf(columns, groupOf, opened);
  const byName = new Map(penalties.map((column) => [column.name, column]));
  const rename = (column: Column) => {
    const [first] = (column.isRest === true ? undefined : column.members) ?? [];
    const member = first === undefined ? undefined : byName.get(first);
    return member === undefined ? column : { ...column, name: groupOf(member) };
  };
  return { group, parameter, groupOf, opened, rename };
}

/** An answer by the names of the groups that it sums. */
export function renameSeries(curves: Curves, { rename }: Grouping): Curves {
  const series = curves.series.map((one) => ({ ...one, column: rename(one.column) }));
  return { ...curves, series };
}

/** An address may be that long. */
const LONGEST = 60_000;

/** The sets of columns as docs/http_api.md has them; "term" where nothing is joined. */
function setsOf(columns: readonly Column[], groupOf: Namer, opened: ReadonlySet<string>): string {
  const numbers = new Map<string, number>();
  const runs: [set: string, count: number][] = [];
  for (const column of columns) {
    const name = groupOf(column);
    const isJoined = column.role === "penalty" && name !== column.name && !opened.has(name);
    const number = numbers.get(name) ?? numbers.size;
    if (isJoined) {
      numbers.set(name, number);
    }
    const set = isJoined ? String(number) : "-";
    const last = runs[runs.length - 1];
    if (last?.[0] === set) {
      last[1]++;
    } else {
      runs.push([set, 1]);
    }
  }
  const sets = runs.map(([set, count]) => (count > 1 ? `${set}*${count}` : set)).join(".");
  return numbers.size === 0 || sets.length > LONGEST ? "term" : `sets:${sets}`;
}

/** Names of columns are those of their groups; only penalties are ever joined. */
export function groupNamer(group: string, columns: readonly Column[]): Namer {
  const penaltyName = penaltyNamer(group, columns);
  return (column) => (column.role === "penalty" ? penaltyName(column) : column.name);
}

function penaltyNamer(group: string, columns: readonly Column[]): Namer {
  if (group.startsWith(LAYER)) {
    const depth = Number(group.slice(LAYER.length));
    return ({ name }) => name.split("/").slice(0, depth).join("/") || name;
  }
  if (group.startsWith(MATCH)) {
    const { pattern } = termPattern(group.slice(MATCH.length));
    return pattern === undefined
      ? ({ name }) => name
      : severalOnly(columns, (name) => {
          const match = pattern.exec(name);
          return (match?.[1] ?? match?.[0]) || name;
        });
  }
  switch (group) {
    case "auto":
      return automaticNamer(columns);
    case "kind":
      return ({ kind }) => kind ?? UNKNOWN_KIND;
    case "all":
      return () => "penalties";
    default:
      return ({ name }) => name;
  }
}

/** Many terms by the parts of their names that say where in the model they are. */
function automaticNamer(columns: readonly Column[]): Namer {
  const names = columns.filter(({ role }) => role === "penalty").map(({ name }) => name);
  if (names.length <= MOST_TERMS) {
    return ({ name }) => name;
  }
  const shared = sharedParts(names.map((name) => name.match(PART) ?? [name]));
  return severalOnly(columns, (name) => placeInModel(name, shared));
}

/** A group of one term is that term. */
function severalOnly(columns: readonly Column[], groupOf: (name: string) => string): Namer {
  const groups = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const { name, role } of columns) {
    if (role === "penalty") {
      const group = groupOf(name);
      groups.set(name, group);
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
  }
  return ({ name }) => {
    const group = groups.get(name) ?? name;
    return (counts.get(group) ?? 0) > 1 ? group : name;
  };
}

const PART = /[^/.]+[/.]*/g;
const PIECE = /[^_-]+[_-]*/g;
/** "7", "conv4" and "block2a", but not the "conv2d" that says how many dimensions there are. */
const NUMBERED = /\d[a-ce-z]?$/i;

/**
 * A name up to its first number: a stage, a block or a layer. Without one, up to the first part
 * that not all names have. The last part names a variable.
 */
function placeInModel(name: string, shared: number): string {
  const parts = name.match(PART) ?? [name];
  const places = parts.length > 1 ? parts.slice(0, -1) : parts;
  let before = places.slice(0, shared).join("");
  for (const part of places.slice(shared)) {
    let piece = "";
    for (const next of part.match(PIECE) ?? []) {
      piece += next;
      if (NUMBERED.test(trimmed(piece))) {
        return before + trimmed(piece);
      }
    }
    before += part;
  }
  return trimmed(places.slice(0, shared + 1).join(""));
}

/** Without what separates it from the next part. */
function trimmed(text: string): string {
  return text.replace(/[/._-]+$/, "");
}

/** The groupings that the terms of some recordings allow, with what they are called. */
export function groupings(
  columns: readonly Column[],
  current: string,
): readonly (readonly [group: string, name: string])[] {
  const penalties = columns.filter(({ role }) => role === "penalty");
  const parts = penalties.reduce((most, { name }) => Math.max(most, name.split("/").length), 1);
  const depths = Array.from({ length: Math.min(parts - 1, 4) }, (_, i) => i + 1);
  const layers = depths.map((depth) => [`${LAYER}${depth}`, layerName(depth)] as const);
  const own = current.startsWith(LAYER) && !layers.some(([group]) => group === current);
  return [
    ["auto", "Automatic"],
    ["term", "Term"],
    ...layers,
    ...(own ? [[current, layerName(Number(current.slice(LAYER.length)))] as const] : []),
    ["kind", "Kind"],
    ["all", "All penalties as one"],
    [current.startsWith(MATCH) ? current : MATCH, "What names match"],
  ];
}

function layerName(depth: number): string {
  return depth === 1 ? "Layer" : `Layer, ${depth} levels`;
}
