/** Figures of each term over a range, from the server's answer. */

import { list, number, numberOrNull, object } from "./json.ts";
import { type Column, parseColumns } from "./recording.ts";

export interface TermFigures {
  readonly column: Column;
  /** As recorded; null where the term was not. */
  readonly last: number | null;
  /** Over the finite values; null where there is none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Of the total; null where that has no meaning. */
  readonly share: number | null;
  readonly rows: number;
  readonly nonFinite: number;
}

export interface Statistics {
  readonly firstStep: number | null;
  readonly lastStep: number | null;
  readonly terms: readonly TermFigures[];
}

export function parseStatistics(answer: unknown): Statistics {
  const json = object(answer, "The statistics");
  const entries = list(json.columns, "columns");
  const columns = parseColumns(entries);
  return {
    firstStep: numberOrNull(json.first_step, "first_step"),
    lastStep: numberOrNull(json.last_step, "last_step"),
    terms: columns.flatMap((column, i) => {
      const entry = object(entries[i], "A column");
      const figures = {
        column,
        // What is not finite comes as a text.
        last:
          typeof entry.last === "string" ? Number(entry.last) : numberOrNull(entry.last, "last"),
        min: numberOrNull(entry.min, "min"),
        max: numberOrNull(entry.max, "max"),
        mean: numberOrNull(entry.mean, "mean"),
        share: numberOrNull(entry.share, "share"),
        rows: number(entry.rows, "rows"),
        nonFinite: number(entry.non_finite, "non_finite"),
      };
      return column.derived && column.role === "unexplained" && !column.significant
        ? []
        : [figures];
    }),
  };
}
