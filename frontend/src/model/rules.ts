/** Which pictures would mislead, and why: they are refused in these words. */

import type { Band } from "./bands.ts";
import { enumerate, formatValue } from "./format.ts";
import type { Line } from "./lines.ts";
import type { Scale, ScaleKind } from "./scales.ts";
import type { ScaleChoice, ViewName } from "./settings.ts";
import type { Quantity } from "./ticks.ts";

/** What the y axis of a view counts. */
export const QUANTITY_OF: Record<ViewName, Quantity> = {
  stack: "loss",
  share: "share",
  lines: "loss",
  ratio: "ratio",
  multiples: "loss",
  strip: "share",
  pull: "pull",
  cosine: "cosine",
};

const STACKED: ReadonlySet<ViewName> = new Set(["stack", "share"]);

/** The scale of a view's y axis: the chosen one, unless it would mislead. */
export function yScale(view: ViewName, choice: ScaleChoice): ScaleKind {
  if (STACKED.has(view) || view === "strip" || view === "cosine") {
    return "linear";
  }
  if (choice === "auto") {
    return view === "ratio" || view === "pull" ? "log" : "linear";
  }
  return choice;
}

/** Why a scale is not used in a view; undefined where it is. */
export function refuseScale(view: ViewName, choice: ScaleChoice): string | undefined {
  if (choice !== "log" && choice !== "symlog") {
    return undefined;
  }
  if (STACKED.has(view)) {
    return "A stack needs a linear axis: on a log axis, bands of equal height would be different amounts.";
  }
  if (view === "cosine") {
    return "A cosine ranges from −1 to 1: it needs a linear axis.";
  }
  if (view === "strip") {
    return "A heat strip has no value axis: its colours are shares and its rows are terms.";
  }
  return undefined;
}

/** Why these bands make no shares; undefined where they do. */
export function refuseShare(view: ViewName, bands: readonly Band[]): string | undefined {
  const name = view === "strip" ? "A heat strip of shares" : "100 %";
  if (bands.length === 0) {
    return `${name} needs parts that add up to the loss, and none is shown.`;
  }
  for (const { label, values } of bands) {
    const negative = values.find((value) => value < 0);
    if (negative !== undefined) {
      return `${name} needs parts that are never negative, but ${label} reaches ${formatValue(negative)}. Hide it, or choose another view.`;
    }
  }
  return undefined;
}

/** Which lines a log axis leaves out, in words; undefined where it shows all. */
export function leftOut(scale: Scale, lines: readonly Line[]): string | undefined {
  const missing = lines.filter(({ values }) => !values.some((value) => value > 0));
  if (scale.kind !== "log" || missing.length === 0) {
    return undefined;
  }
  const names = enumerate(missing.map(({ band }) => band.label));
  return `A log axis leaves out ${names}: never above zero. A symmetric log axis shows all.`;
}

/** Why there is no ratio of penalties to data; undefined where there is. */
export function refuseRatio(data: readonly Band[], penalties: readonly Band[]): string | undefined {
  if (data.length === 0) {
    return "No data loss was recorded to compare the penalties with.";
  }
  if (penalties.length === 0) {
    return "No penalty is shown to compare with the data loss.";
  }
  // What is not known is not zero.
  return penalties.every(({ values }) => values.every((value) => value === 0))
    ? "The penalties are 0 at every step."
    : undefined;
}
