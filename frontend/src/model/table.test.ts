import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStatistics } from "../data/statistics.ts";
import { reorder, sortRows, TABLE_COLUMNS } from "./table.ts";

const figures = { rows: 3, non_finite: 0, min: 1, max: 3, mean: 2 };
const { terms } = parseStatistics({
  first_step: 0,
  last_step: 2,
  columns: [
    { ...figures, name: "k10", role: "penalty", last: 3, share: 0.25, shape: [2, 3] },
    { ...figures, name: "k9", role: "penalty", last: "NaN", share: null, strength: [0.1, 0.2] },
    { ...figures, name: "data", role: "data", last: 7, share: 0.5, kind: "mse", coefficient: 2 },
    { ...figures, name: "residual", role: "unexplained", derived: true, significant: false },
  ],
});

const names = (id: string, isDescending: boolean) =>
  sortRows(terms, { id, isDescending }, TABLE_COLUMNS).map(({ column }) => column.name);

test("a residual that is only rounding is no row", () => {
  assert.deepEqual(
    terms.map(({ column }) => column.name),
    ["k10", "k9", "data"],
  );
});

test("rows are ordered by value and names by their numbers, unknown ones last", () => {
  assert.deepEqual(names("name", false), ["data", "k9", "k10"]);
  assert.deepEqual(names("last", true), ["data", "k10", "k9"]);
  assert.deepEqual(names("last", false), ["k10", "data", "k9"]);
  assert.deepEqual(names("share", false), ["k10", "data", "k9"]);
  assert.deepEqual(sortRows(terms, undefined, TABLE_COLUMNS), terms);
});

test("a heading orders the largest first, names from a, and turns round when clicked again", () => {
  assert.deepEqual(reorder(undefined, "last"), { id: "last", isDescending: true });
  assert.deepEqual(reorder({ id: "last", isDescending: true }, "last"), {
    id: "last",
    isDescending: false,
  });
  assert.deepEqual(reorder({ id: "last", isDescending: true }, "name"), {
    id: "name",
    isDescending: false,
  });
});

test("cells say what was recorded, and a dash where nothing was", () => {
  const [k10, k9] = terms;
  assert.ok(k10 && k9);
  const cells = (row: typeof k10) =>
    TABLE_COLUMNS.map(({ show }) => show(row).replaceAll("\u00a0", " "));
  assert.deepEqual(cells(k10), ["k10", "3", "1", "3", "2", "25 %", "–", "–", "–", "–", "2 × 3"]);
  assert.deepEqual(cells(k9), ["k9", "NaN", "1", "3", "2", "–", "–", "0.1, 0.2", "–", "–", "–"]);
});
