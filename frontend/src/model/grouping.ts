/** Which penalties are summed, and what their sum is called. */

import type { Curves } from "../data/curves.ts";
import { type Column, columnKey } from "../data/recording.ts";
import { placesOf } from "./places.ts";
import { termPattern } from "./terms.ts";

const UNKNOWN_KIND = "unknown";
const LAYER = "layer:";
/** What follows is a regular expression. */
export const MATCH = "match:";
/** Among the groups that are opened: what a card sums because it is too small for a band. */
export const REST = "the rest";

const NONE: ReadonlySet<string> = new Set();

/** The names of the groups around a column, the largest first. */
type Places = (column: Column) => readonly string[];

export interface Grouping {
  /** As it was chosen. */
  readonly group: string;
  /** The server's parameter. */
  readonly parameter: string;
  /** The groups whose parts are shown for themselves. */
  readonly opened: ReadonlySet<string>;
  /** Those of them that a column, or a sum of columns, is in, the largest first. */
  readonly openedAround: Places;
  /** For each term of a group, the keys of what it can be shown as once that is open. */
  readonly keysIn: (group: string) => readonly (readonly string[])[];
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
  const places = groupPlaces(group, columns);
  const penalties = columns.filter(({ role }) => role === "penalty");
  const opened = new Set(chosen);
  for (const column of isolated.size > 0 ? penalties : []) {
    // What is to be shown alone can't be within a sum.
    const around = places(column);
    const alone = keysOf(column, around).findLastIndex((key) => isolated.has(key));
    for (const name of around.slice(0, Math.max(0, alone))) {
      opened.add(name);
    }
  }
  const shownGroup = (column: Column) => places(column).find((name) => !opened.has(name));
  const isOwn = !group.startsWith(MATCH) && group !== "auto";
  const isClosed = !penalties.some((column) => places(column).some((name) => opened.has(name)));
  const parameter = isOwn && isClosed ? group : setsOf(columns, shownGroup);
  const byName = new Map(penalties.map((column) => [column.name, column]));
  const memberOf = ({ isRest, members = [] }: Column) =>
    isRest === true ? undefined : byName.get(members[0] ?? "");
  return {
    group,
    parameter,
    opened,
    openedAround: (column) => {
      const around = places(memberOf(column) ?? column);
      const end = around.findIndex((name) => !opened.has(name));
      return end < 0 ? around : around.slice(0, end);
    },
    keysIn: (name) =>
      penalties.flatMap((column) => {
        const around = places(column);
        const at = around.indexOf(name);
        return at < 0 ? [] : [keysOf(column, around).slice(at + 1)];
      }),
    rename: (column) => {
      const member = memberOf(column);
      return member === undefined ? column : { ...column, name: shownGroup(member) ?? column.name };
    },
  };
}

/** What a column can be shown as: each of the groups around it, and itself. */
function keysOf(column: Column, around: readonly string[]): readonly string[] {
  return [...around.map((name) => columnKey({ ...column, name })), columnKey(column)];
}

/** An answer by the names of the groups that it sums. */
export function renameSeries(curves: Curves, { rename }: Grouping): Curves {
  const series = curves.series.map((one) => ({ ...one, column: rename(one.column) }));
  return { ...curves, series };
}

/** An address may be that long. */
const LONGEST = 60_000;

/** The sets of columns as docs/http_api.md has them; "term" where nothing is joined. */
function setsOf(
  columns: readonly Column[],
  groupOf: (column: Column) => string | undefined,
): string {
  const numbers = new Map<string, number>();
  const runs: [set: string, count: number][] = [];
  for (const column of columns) {
    const name = groupOf(column);
    let set = "-";
    if (name !== undefined) {
      const number = numbers.get(name) ?? numbers.size;
      numbers.set(name, number);
      set = String(number);
    }
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

/** What a column is called while no group is opened. */
export function groupNamer(group: string, columns: readonly Column[]): (column: Column) => string {
  const places = groupPlaces(group, columns);
  return (column) => places(column)[0] ?? column.name;
}

/** Only penalties are ever joined. */
function groupPlaces(group: string, columns: readonly Column[]): Places {
  const places = penaltyPlaces(group, columns);
  return (column) => (column.role === "penalty" ? places(column) : []);
}

function penaltyPlaces(group: string, columns: readonly Column[]): Places {
  if (group.startsWith(LAYER)) {
    const depth = Number(group.slice(LAYER.length));
    return ({ name }) => {
      const layer = name.split("/").slice(0, depth).join("/");
      return layer === "" || layer === name ? [] : [layer];
    };
  }
  if (group.startsWith(MATCH)) {
    return matchPlaces(group.slice(MATCH.length), columns);
  }
  switch (group) {
    case "auto":
      return automaticPlaces(columns);
    case "kind":
      return ({ kind }) => [kind ?? UNKNOWN_KIND];
    case "all":
      return () => ["penalties"];
    default:
      return () => [];
  }
}

const automatic = new WeakMap<readonly Column[], Places>();

/** Many terms by where in the model they are; that takes time, and is the same for all cards. */
function automaticPlaces(columns: readonly Column[]): Places {
  let known = automatic.get(columns);
  if (known === undefined) {
    const penalties = columns.filter(({ role }) => role === "penalty");
    const places = placesOf(penalties.map(({ name }) => name));
    known = ({ name }) => places.get(name) ?? [];
    automatic.set(columns, known);
  }
  return known;
}

/** By what an expression captures, or matches. A group of one term is that term. */
function matchPlaces(expression: string, columns: readonly Column[]): Places {
  const { pattern } = termPattern(expression);
  const groups = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const { name } of columns.filter(({ role }) => role === "penalty")) {
    const match = pattern?.exec(name);
    const group = match?.[1] ?? match?.[0] ?? "";
    if (group !== "") {
      groups.set(name, group);
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
  }
  return ({ name }) => {
    const group = groups.get(name);
    return group !== undefined && (counts.get(group) ?? 0) > 1 ? [group] : [];
  };
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
    [current.startsWith(MATCH) ? current : MATCH, "Regular expression"],
  ];
}

function layerName(depth: number): string {
  return depth === 1 ? "Layer" : `Layer, ${depth} levels`;
}
