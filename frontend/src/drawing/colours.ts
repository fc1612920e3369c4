/** Colours of runs and of terms, in light and in dark. */

import { type Column, isOutside, OUTSIDE_ROLES, type Recording } from "../data/recording.ts";
import { type Band, MORE_KEY } from "../model/bands.ts";
import { naturalCompare } from "../model/runs.ts";
import { LOOKS, type Theme } from "./look.ts";

/** TensorBoard's own palette of runs, so that a run has one colour in all tabs. */
const RUN_COLOURS: Record<Theme, readonly string[]> = {
  light: ["#425066", "#12b5cb", "#e52592", "#f9ab00", "#9334e6", "#7cb342", "#e8710a"],
  dark: ["#8e98a3", "#12b5cb", "#e52592", "#f9ab00", "#9334e6", "#7cb342", "#e8710a"],
};

/** Told apart also with the three kinds of colour blindness: see colours.test.ts. */
export const PENALTY_COLOURS: Record<Theme, readonly string[]> = {
  light: ["#e8710a", "#44aa99", "#882255", "#ddb63c", "#332288", "#cc6677", "#117733", "#b05fb0"],
  dark: ["#f28b35", "#68cad8", "#e75884", "#ecd06a", "#9489f9", "#f6a69e", "#58ab5f", "#be80d5"],
};

/** The data loss is the ground that penalties stand on: a quiet colour that is never a penalty's. */
export const DATA_COLOURS: Record<Theme, readonly string[]> = {
  light: ["#9db7d5", "#bccde2", "#7f9fc4", "#d3deec"],
  dark: ["#4f6f99", "#6f8bb0", "#3d5a80", "#8ea4c2"],
};

const MORE_COLOUR: Record<Theme, string> = { light: "#9aa0a6", dark: "#80868b" };
const UNEXPLAINED_COLOUR: Record<Theme, string> = { light: "#5f6368", dark: "#bdc1c6" };

/**
 * Numbers runs in the order in which TensorBoard lists them, as TensorBoard does: a run that has
 * a number keeps it.
 */
export function numberRuns(
  previous: ReadonlyMap<string, number>,
  runs: readonly string[],
): ReadonlyMap<string, number> {
  const numbers = new Map(previous);
  for (const run of runs) {
    if (!numbers.has(run)) {
      numbers.set(run, numbers.size);
    }
  }
  return numbers;
}

export function runColour(theme: Theme, number: number): string {
  return cycle(RUN_COLOURS[theme], number);
}

/**
 * Numbers the columns of all recordings by role and name, so that a term has one colour in every
 * run. Those that have a number keep it; the others follow in natural order, which gives
 * neighbouring layers different colours.
 */
export function numberTerms(
  previous: ReadonlyMap<string, number>,
  recordings: readonly Recording[],
  nameOf: (column: Column) => string = ({ name }) => name,
): ReadonlyMap<string, number> {
  const numbers = new Map(previous);
  const columns = recordings.flatMap((recording) => recording.columns);
  for (const roles of [["data"], ["penalty", ...OUTSIDE_ROLES]]) {
    let next = [...previous.keys()].filter((key) => roles.includes(roleOf(key))).length;
    for (const role of roles) {
      const names = columns.filter((column) => column.role === role).map(nameOf);
      for (const name of names.toSorted(naturalCompare)) {
        const key = `${role}:${name}`;
        if (!numbers.has(key)) {
          numbers.set(key, next++);
        }
      }
    }
  }
  return numbers;
}

export function bandColour(theme: Theme, band: Band, terms: ReadonlyMap<string, number>): string {
  return columnColour(theme, band.key, terms, band.role);
}

/** A key begins with a role; that of all parts together, and of the rest, is a name alone. */
export function columnColour(
  theme: Theme,
  key: string,
  terms: ReadonlyMap<string, number>,
  role = roleOf(key),
): string {
  if (key === MORE_KEY) {
    return MORE_COLOUR[theme];
  }
  const number = terms.get(key) ?? 0;
  switch (isOutside(role) && role !== "validation" ? "penalty" : role) {
    case "data":
      return cycle(DATA_COLOURS[theme], number);
    case "unexplained":
      return UNEXPLAINED_COLOUR[theme];
    case "penalty": {
      const colours = PENALTY_COLOURS[theme];
      const colour = cycle(colours, number);
      // Every second round is paler: twice as many colours before one comes again.
      return Math.floor(number / colours.length) % 2 === 0 ? colour : blend(colour, theme);
    }
    default:
      return LOOKS[theme].total;
  }
}

function roleOf(key: string): string {
  return key.split(":", 1)[0] ?? key;
}

function blend(colour: string, theme: Theme): string {
  const ground = theme === "light" ? 255 : 48;
  const channels = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16);
    return Math.round(0.55 * value + 0.45 * ground);
  });
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function cycle(colours: readonly string[], number: number): string {
  return colours[number % colours.length] ?? "#9aa0a6";
}
