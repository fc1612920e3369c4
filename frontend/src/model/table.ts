/** Tables: how rows are ordered; and the table of terms: its columns and what stands in them. */

import { elements, whyOutside } from "../data/recording.ts";
import type { TermFigures } from "../data/statistics.ts";
import { formatShare, formatValue } from "./format.ts";
import { naturalCompare } from "./runs.ts";

export interface TableColumn<Row> {
  readonly id: string;
  readonly label: string;
  /** What rows are ordered by; undefined comes last. */
  readonly key: (row: Row) => number | string | undefined;
  readonly show: (row: Row) => string;
}

export const NONE = "–";

export const figure = <Row>(id: string, label: string, pick: (row: Row) => number | null) => ({
  id,
  label,
  key: (row: Row) => pick(row) ?? undefined,
  show: (row: Row) => formatOptional(pick(row), formatValue),
});

const word = (id: string, label: string, pick: (row: TermFigures) => string | undefined) => ({
  id,
  label,
  key: pick,
  show: (row: TermFigures) => pick(row) ?? NONE,
});

export function formatOptional(
  value: number | null | undefined,
  format: (value: number) => string,
): string {
  return value === null || value === undefined ? NONE : format(value);
}

export const TABLE_COLUMNS: readonly TableColumn<TermFigures>[] = [
  word("name", "Term", ({ column }) => column.name),
  figure<TermFigures>("last", "Last", ({ last }) => last),
  figure<TermFigures>("min", "Min", ({ min }) => min),
  figure<TermFigures>("max", "Max", ({ max }) => max),
  figure<TermFigures>("mean", "Mean", ({ mean }) => mean),
  {
    ...figure<TermFigures>("share", "Share", ({ share }) => share),
    show: ({ share, column }) => whyOutside(column) ?? formatOptional(share, formatShare),
  },
  word("kind", "Kind", ({ column }) => column.kind),
  {
    id: "strength",
    label: "Strength",
    key: ({ column: { strength } }) => (typeof strength === "object" ? strength[0] : strength),
    show: ({ column: { strength } }) =>
      typeof strength === "object"
        ? strength.map(formatValue).join(", ")
        : formatOptional(strength, formatValue),
  },
  figure<TermFigures>("coefficient", "Coefficient", ({ column }) => column.coefficient ?? null),
  word("variable", "Variable", ({ column }) => column.variable),
  {
    id: "shape",
    label: "Shape",
    key: ({ column }) => elements(column),
    show: ({ column }) => column.shape?.join(" × ") ?? NONE,
  },
];

export interface TableOrder {
  readonly id: string;
  readonly isDescending: boolean;
}

/** Until a heading is clicked. */
export const LARGEST_FIRST: TableOrder = { id: "mean", isDescending: true };

/** A second click on a heading turns its order round; numbers begin with the largest. */
export function reorder(previous: TableOrder | undefined, id: string): TableOrder {
  if (previous?.id === id) {
    return { id, isDescending: !previous.isDescending };
  }
  return { id, isDescending: !["name", "kind", "variable", "run"].includes(id) };
}

export function sortRows<Row>(
  rows: readonly Row[],
  order: TableOrder | undefined,
  columns: readonly TableColumn<Row>[],
): readonly Row[] {
  const column = columns.find(({ id }) => id === order?.id);
  if (order === undefined || column === undefined) {
    return rows;
  }
  const sign = order.isDescending ? -1 : 1;
  return rows.toSorted((left, right) => {
    const [a, b] = [column.key(left), column.key(right)];
    const [isLeft, isRight] = [isKnown(a), isKnown(b)];
    if (!isLeft || !isRight) {
      // What is not known is last in either order.
      return Number(isRight) - Number(isLeft);
    }
    return sign * compare(a as number | string, b as number | string);
  });
}

function isKnown(key: number | string | undefined): boolean {
  return key !== undefined && !Number.isNaN(key);
}

function compare(left: number | string, right: number | string): number {
  return typeof left === "number" && typeof right === "number"
    ? left - right
    : naturalCompare(String(left), String(right));
}
