/** Colours of runs and of terms, in light and in dark. */

import { isOutside } from "../data/recording.ts";
import { type Band, MORE_KEY } from "../model/bands.ts";
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

/** Told apart by colour alone: the palette, and its paler and its stronger shades. */
export const COLOURS_OF_PENALTIES = 3 * PENALTY_COLOURS.light.length;

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

/** Bands whose colour another one has too, marked as the second of that colour, the third, … */
export function withVariants(
  bands: readonly Band[],
  variantOf: (key: string) => number,
): readonly Band[] {
  return bands.map((band) => {
    const variant = variantOf(band.key);
    return variant > 0 ? { ...band, variant } : band;
  });
}

export function runVariant(number: number): number {
  return Math.floor(number / RUN_COLOURS.light.length);
}

export function termVariant(key: string, terms: ReadonlyMap<string, number>): number {
  const colours = roleOf(key) === "data" ? DATA_COLOURS.light.length : COLOURS_OF_PENALTIES;
  return Math.floor((terms.get(key) ?? 0) / colours);
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
      // Towards the page, then away from it: three times as many colours before one comes again.
      const { page } = LOOKS[theme];
      const grounds = [undefined, page, theme === "light" ? "#000000" : "#ffffff"];
      const ground = grounds[Math.floor(number / colours.length) % 3];
      return ground === undefined ? colour : mix(colour, ground, 0.55);
    }
    default:
      return LOOKS[theme].total;
  }
}

export function roleOf(key: string): string {
  return key.split(":", 1)[0] ?? key;
}

/** A share of one colour, and for the rest another. */
export function mix(colour: string, ground: string, share: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [value, rest] = [colour, ground].map((each) =>
      Number.parseInt(each.slice(at, at + 2), 16),
    );
    return Math.round(share * (value ?? 0) + (1 - share) * (rest ?? 0));
  });
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function cycle(colours: readonly string[], number: number): string {
  return colours[number % colours.length] ?? "#9aa0a6";
}
