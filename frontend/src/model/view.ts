/** What a person chose to see of one recording: which bands, which steps. */

import type { Range } from "../data/axis.ts";

export interface View {
  readonly hidden: ReadonlySet<string>;
  /** While some bands are isolated, only these are shown. */
  readonly isolated: ReadonlySet<string>;
  /** The groups whose terms are shown for themselves, by their names. */
  readonly opened: ReadonlySet<string>;
  /** The steps zoomed to; absent for all. */
  readonly range?: Range;
  /** Its card comes before those that are not pinned. */
  readonly isPinned?: boolean;
  /** Of a run that logged scalars: what its loss is made of, as somebody says it. */
  readonly composition?: string;
}

const NOTHING: ReadonlySet<string> = new Set();

export const WHOLE_VIEW: View = { hidden: NOTHING, isolated: NOTHING, opened: NOTHING };

export function isShown(view: View, key: string): boolean {
  return view.isolated.size > 0 ? view.isolated.has(key) : !view.hidden.has(key);
}

/** Among isolated bands, toggling adds and removes; without the last one all are shown again. */
export function toggle(view: View, key: string): View {
  return view.isolated.size > 0
    ? { ...view, isolated: flip(view.isolated, key) }
    : { ...view, hidden: flip(view.hidden, key) };
}

/** Shows this band alone; again, and all are shown. */
export function isolate(view: View, key: string): View {
  const isAlone = view.isolated.size === 1 && view.isolated.has(key);
  return isolateAll(view, isAlone ? [] : [key]);
}

/** Shows the parts of a group in its place; what was chosen of the group is chosen of them. */
export function openGroup(view: View, name: string, key: string, parts: readonly string[]): View {
  const swap = (keys: ReadonlySet<string>) =>
    keys.has(key) ? new Set([...flip(keys, key), ...parts]) : keys;
  const opened = new Set(view.opened).add(name);
  return { ...view, opened, hidden: swap(view.hidden), isolated: swap(view.isolated) };
}

/** Closes the groups within it, too. */
export function closeGroup(view: View, name: string, inside: readonly string[]): View {
  const all = new Set(inside);
  const without = (keys: ReadonlySet<string>) => new Set([...keys].filter((key) => !all.has(key)));
  const isOutside = (group: string) => group !== name && !all.has(`penalty:${group}`);
  const opened = new Set([...view.opened].filter(isOutside));
  return { ...view, opened, hidden: without(view.hidden), isolated: without(view.isolated) };
}

export function zoom(view: View, range: Range | undefined): View {
  const { range: _, ...rest } = view;
  return range === undefined ? rest : { ...rest, range };
}

export function compose(view: View, composition: string | undefined): View {
  const { composition: _, ...rest } = view;
  return composition === undefined ? rest : { ...rest, composition };
}

export function pin(view: View): View {
  return { ...view, isPinned: view.isPinned !== true };
}

/** Shows these alone; all where there are none. */
export function isolateAll(view: View, keys: readonly string[]): View {
  return { ...view, hidden: NOTHING, isolated: new Set(keys) };
}

/** Hides these alone. */
export function hideAll(view: View, keys: readonly string[]): View {
  return { ...view, hidden: new Set(keys), isolated: NOTHING };
}

function flip(keys: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const flipped = new Set(keys);
  if (!flipped.delete(key)) {
    flipped.add(key);
  }
  return flipped;
}
