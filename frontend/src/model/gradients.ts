/** How hard each penalty pulls: its gradient beside the data loss's, on the same variable. */

import type { Curves, Series } from "../data/curves.ts";
import { type Column, columnKey, type Recording, recordingKey } from "../data/recording.ts";
import { type Band, withGaps } from "./bands.ts";
import { divide } from "./lines.ts";
import type { ViewName } from "./settings.ts";

/** The views that show gradients in place of losses. */
export const GRADIENT_VIEWS: ReadonlySet<ViewName> = new Set(["pull", "cosine"]);

/** What follows the name of a recording in that of its gradients: docs/log_format.md. */
const SUFFIX = ".gradients";

const WORDS: Partial<Record<Column["role"], string>> = {
  gradient: "gradient",
  data_gradient: "data loss's gradient",
  gradient_cosine: "cosine",
};

export const NO_GRADIENTS =
  "No gradients were recorded. To record them, use RegularizationCallback(log_dir, gradients_every=1).";

export const NO_GRADIENTS_OF_VALIDATION =
  "Validation has no gradients: nothing is trained on its data.";

export interface Sorted {
  readonly losses: readonly Recording[];
  /** The gradients of a recording, by its key. */
  readonly gradients: ReadonlyMap<string, Recording>;
}

/** Tells recordings of gradients from those of losses, which they belong to. */
export function sortGradients(recordings: readonly Recording[]): Sorted {
  const gradients = new Map<string, Recording>();
  const losses = recordings.filter((recording) => {
    const { run, name, columns } = recording;
    const isGradients = columns.length > 0 && columns.every(({ role }) => role in WORDS);
    if (isGradients) {
      gradients.set(recordingKey(run, name.replace(SUFFIX, "")), recording);
    }
    return !isGradients;
  });
  return { losses, gradients };
}

/** A term's name; of a gradient's column with what it holds. */
export function columnTitle({ name, role }: Column): string {
  const words = WORDS[role];
  return words === undefined ? name : `${name}: ${words}`;
}

/** The key of the term that a column is about: its colour is that of the penalty. */
export function termKey(column: Column): string {
  return columnKey(column.role in WORDS ? { ...column, role: "penalty" } : column);
}

/** A band for each term: the ratio of the norms of both gradients, or their cosine. */
export function gradientBands(curves: Curves, view: ViewName): Band[] {
  const ofRole = (role: Column["role"]) =>
    curves.series.filter(({ column }) => column.role === role);
  const data = new Map(ofRole("data_gradient").map((series) => [series.column.name, series]));
  return view === "cosine"
    ? ofRole("gradient_cosine").map((series) => band(series, (values) => values))
    : ofRole("gradient").map((series) => {
        const by = data.get(series.column.name);
        return band(series, (values, pick) => divide(values, by && pick(by)));
      });
}

type Pick = (series: Series) => Float64Array;

function band(series: Series, change: (values: Float64Array, pick: Pick) => Float64Array): Band {
  const means: Pick = ({ mean, rows }) => withGaps(mean, rows);
  const smoothed: Pick = ({ mean, rows, smoothed }) => withGaps(smoothed ?? mean, rows);
  const raw = change(means(series), means);
  return {
    key: termKey(series.column),
    label: series.column.name,
    role: "penalty",
    members: [series],
    ...(series.smoothed === undefined
      ? { values: raw }
      : { values: change(smoothed(series), smoothed), raw }),
  };
}
