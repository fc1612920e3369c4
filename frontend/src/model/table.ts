/** The table of terms: its columns, what stands in them and in which order. */

import { elements, whyOutside } from "../data/recording.ts";
import type { TermFigures } from "../data/statistics.ts";
import { formatShare, formatValue } from "./format.ts";
import { naturalCompare } from "./runs.ts";

export interface TableColumn {
  readonly id: string;
  readonly label: string;
  /** What rows are ordered by; undefined comes last. */
  readonly key: (row: TermFigures) => number | string | undefined;
  readonly show: (row: TermFigures) => string;
}

export const NONE = "–";

const figure = (id: string, label: string, pick: (row: TermFigures) => number | null) => ({
  id,
  label,
  key: (row: TermFigures) => pick(row) ?? undefined,
  show: (row: TermFigures) => formatOptional(pick(row), formatValue),
});

const word = (id: string, label: string, pick: (row: TermFigures) => string | undefined) => ({
  id,
  label,
  key: pick,
  show: (row: TermFigures) => pick(row) ?? NONE,
});

function formatOptional(value: number | null | undefined, format: (value: number) => string) {
  return value === null || value === undefined ? NONE : format(value);
}

export const TABLE_COLUMNS: readonly TableColumn[] = [
  word("name", "Term", ({ column }) => column.name),
  figure("last", "Last", ({ last }) => last),
  figure("min", "Min", ({ min }) => min),
  figure("max", "Max", ({ max }) => max),
  figure("mean", "Mean", ({ mean }) => mean),
  {
    ...figure("share", "Share", ({ share }) => share),
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
  {
    ...figure("coefficient", "Coefficient", ({ column }) => column.coefficient ?? null),
  },
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
  return { id, isDescending: !["name", "kind", "variable"].includes(id) };
}

export function sortRows(
  rows: readonly TermFigures[],
  order: TableOrder | undefined,
): readonly TermFigures[] {
  const column = TABLE_COLUMNS.find(({ id }) => id === order?.id);
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
