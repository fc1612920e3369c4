/** The whole state of the page as a list of names and values, for a link that restores it. */

import { type Range, X_AXES } from "../data/axis.ts";
import { recordingKey } from "../data/recording.ts";
import { CHOOSE_ALL_LIMIT, type Choice, sameKeys, updateChoice } from "./runs.ts";
import {
  DEFAULT_SETTINGS,
  isGroup,
  MOST_SMOOTHING,
  OVERVIEW_STATES,
  READING_ORDERS,
  SCALES,
  type Settings,
  STACK_ORDERS,
  STRENGTH_SOURCES,
  SWEEP_STATES,
  SWEEP_VIEWS,
  TERM_ORDERS,
  VIEWS,
} from "./settings.ts";
import { type View, WHOLE_VIEW } from "./view.ts";

export interface LinkState {
  readonly settings: Settings;
  readonly filter: string;
  readonly choice: Choice;
  readonly views: ReadonlyMap<string, View>;
  /** Of all cards, in the unit of the x axis. */
  readonly selected: Range | undefined;
}

export type Entries = ReadonlyMap<string, string>;

type Reader<Value> = (text: string) => Value | undefined;

const text: Reader<string> = (value) => value;
const flag: Reader<boolean> = (value) => (value === "true" ? true : undefined);

function oneOf<Value extends string>(values: readonly Value[]): Reader<Value> {
  return (text) => values.find((value) => value === text);
}

function numberUpTo(most: number, isWhole = true): Reader<number> {
  return (text) => {
    const value = Number(text);
    const isFine = text.trim() !== "" && value >= 0 && value <= most;
    return isFine && (!isWhole || Number.isInteger(value)) ? value : undefined;
  };
}

const anyNumber: Reader<number> = (text) =>
  text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;

const READERS: { readonly [Name in keyof Settings]: Reader<Settings[Name]> } = {
  view: oneOf(VIEWS),
  scale: oneOf(SCALES),
  ignoreOutliers: flag,
  sameRange: flag,
  yMin: anyNumber,
  yMax: anyNumber,
  x: oneOf(X_AXES),
  smoothing: numberUpTo(MOST_SMOOTHING, false),
  group: (text) => (isGroup(text) ? text : undefined),
  top: numberUpTo(1000),
  terms: text,
  order: oneOf(TERM_ORDERS),
  stackOrder: oneOf(STACK_ORDERS),
  table: flag,
  overview: oneOf(OVERVIEW_STATES),
  overviewOrder: text,
  sweep: oneOf(SWEEP_STATES),
  sweepView: oneOf(SWEEP_VIEWS),
  sweepMetric: text,
  // Of no rows there is no mean.
  sweepWindow: (text) => numberUpTo(1, false)(text) || undefined,
  sweepFrom: oneOf(STRENGTH_SOURCES),
  readingOrder: oneOf(READING_ORDERS),
  readingRows: numberUpTo(1000),
  compare: text,
  seeds: text,
  minuend: text,
  subtrahend: text,
};

const NAMES = Object.keys(READERS) as (keyof Settings)[];

const SETS = ["hidden", "isolated", "opened"] as const;

/** Only what differs from what a first visit shows. */
export function encodeLink(state: LinkState, listed: readonly string[]): Entries {
  const entries = new Map<string, string>();
  for (const name of NAMES) {
    const value = state.settings[name];
    if (value !== DEFAULT_SETTINGS[name]) {
      entries.set(name, String(value));
    }
  }
  if (state.filter !== "") {
    entries.set("filter", state.filter);
  }
  if (state.selected !== undefined) {
    entries.set("selected", JSON.stringify([state.selected.min, state.selected.max]));
  }
  encodeChoice(entries, state.choice, listed);
  const views = [...state.views];
  putList(
    entries,
    "zoom",
    views.flatMap(([key, { range }]) => (range ? [[...idOf(key), range.min, range.max]] : [])),
  );
  putList(
    entries,
    "pinned",
    views.flatMap(([key, { isPinned }]) => (isPinned === true ? [idOf(key)] : [])),
  );
  putList(
    entries,
    "composition",
    views.flatMap(([key, { composition }]) => (composition ? [[...idOf(key), composition]] : [])),
  );
  for (const name of SETS) {
    const chosen = views.filter(([, view]) => view[name].size > 0);
    putList(
      entries,
      name,
      chosen.map(([key, view]) => [...idOf(key), ...view[name]]),
    );
  }
  return entries;
}

function encodeChoice(entries: Map<string, string>, choice: Choice, listed: readonly string[]) {
  const { chosen, wanted } = choice;
  if (wanted === undefined && listed.length === 0) {
    return;
  }
  const usual = updateChoice({ chosen: new Set(), known: new Set() }, listed).chosen;
  if (sameKeys(usual, chosen)) {
    return;
  }
  const off = listed.filter((key) => !chosen.has(key));
  // Naming the fewer: and runs that come later join those of a choice that only leaves some out.
  const isMostlyOn = wanted === undefined && listed.length <= CHOOSE_ALL_LIMIT;
  const [name, keys] =
    isMostlyOn && off.length <= chosen.size ? ["off", off] : ["runs", [...chosen]];
  entries.set(name, JSON.stringify(keys.map(idOf)));
}

function putList(entries: Map<string, string>, name: string, list: readonly unknown[]): void {
  if (list.length > 0) {
    entries.set(name, JSON.stringify(list));
  }
}

/** The recording's run and name. */
function idOf(key: string): unknown[] {
  return JSON.parse(key);
}

/** What cannot be read is left as on a first visit: links outlive versions. */
export function decodeLink(entries: Entries): LinkState {
  const settings = Object.fromEntries(
    NAMES.map((name) => {
      const value = entries.get(name);
      const read = value === undefined ? undefined : READERS[name](value);
      return [name, read ?? DEFAULT_SETTINGS[name]];
    }),
  );
  const views = new Map<string, View>();
  const change = (key: string, what: Partial<View>) =>
    views.set(key, { ...(views.get(key) ?? WHOLE_VIEW), ...what });
  for (const [key, rest] of lists(entries, "zoom")) {
    const range = rangeOf(rest);
    if (range !== undefined) {
      change(key, { range });
    }
  }
  for (const [key] of lists(entries, "pinned")) {
    change(key, { isPinned: true });
  }
  for (const [key, [composition]] of lists(entries, "composition")) {
    if (typeof composition === "string") {
      change(key, { composition });
    }
  }
  for (const name of SETS) {
    for (const [key, rest] of lists(entries, name)) {
      const keys = rest.filter((entry) => typeof entry === "string");
      change(key, { [name]: new Set(keys) });
    }
  }
  return {
    settings: settings as unknown as Settings,
    filter: entries.get("filter") ?? "",
    choice: decodeChoice(entries),
    views,
    selected: selectedOf(parse(entries, "selected")),
  };
}

function decodeChoice(entries: Entries): Choice {
  const keys = (name: string) => new Set(lists(entries, name).map(([key]) => key));
  return entries.has("runs")
    ? { chosen: new Set(), known: new Set(), wanted: keys("runs") }
    : { chosen: new Set(), known: keys("off") };
}

/** Unlike what a chart is zoomed to, it may be a single step. */
function selectedOf([min, max]: readonly unknown[]): Range | undefined {
  const isRange = typeof min === "number" && typeof max === "number" && min <= max;
  return isRange ? { min, max } : undefined;
}

function rangeOf(list: readonly unknown[]): Range | undefined {
  const range = selectedOf(list);
  return range && range.min < range.max ? range : undefined;
}

function parse(entries: Entries, name: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(entries.get(name) ?? "[]");
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

/** Lists that each begin with a run and the name of a recording. */
function lists(entries: Entries, name: string): [key: string, rest: unknown[]][] {
  return parse(entries, name).flatMap((entry): [string, unknown[]][] => {
    const [run, recording, ...rest] = Array.isArray(entry) ? entry : [];
    return typeof run === "string" && typeof recording === "string"
      ? [[recordingKey(run, recording), rest]]
      : [];
  });
}
