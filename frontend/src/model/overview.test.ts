import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding, Severity } from "../data/findings.ts";
import { parseOverview } from "../data/overview.ts";
import { decodeOrder, encodeOrder, OVERVIEW_COLUMNS, type OverviewRow } from "./overview.ts";
import { sortRows } from "./table.ts";

const finding = (severity: Severity): Finding => ({
  code: "code",
  severity,
  sentence: "",
  fix: "",
  terms: [],
});

const json = {
  name: "losses",
  strength: 0.01,
  data_first: 2,
  data_last: 0.5,
  validation_data_last: 0.75,
  share_largest: 0.5,
  share_last: 0.00001,
  steps: 1200,
  problem: null,
};
const { rows: figures, next } = parseOverview({
  rows: [
    { ...json, run: "run_10", validation_data_last: 0.25 },
    { ...json, run: "run_9", strength: "l1 1, l2 0.01" },
    { ...json, run: "unread", validation_data_last: null, strength: null, problem: "why" },
  ],
  next: 3,
});
const FINDINGS: Record<string, readonly Finding[]> = {
  run_10: [finding("warning"), finding("info"), finding("info")],
  run_9: [finding("error")],
};
const rows = figures.map((row): OverviewRow => ({ ...row, findings: FINDINGS[row.run] ?? [] }));

const runs = (order: string) =>
  sortRows(rows, decodeOrder(order), OVERVIEW_COLUMNS).map(({ run }) => run);

test("the answer says where to go on", () => {
  assert.equal(next, 3);
  assert.equal(rows[2]?.problem, "why");
});

test("rows are sorted by numbers, runs by the numbers in their names, what is not known last", () => {
  assert.deepEqual(runs("validation"), ["run_10", "run_9", "unread"]);
  assert.deepEqual(runs("-validation"), ["run_9", "run_10", "unread"]);
  assert.deepEqual(runs("run"), ["run_9", "run_10", "unread"]);
  assert.deepEqual(runs("strength").at(-1), "unread");
  assert.deepEqual(runs(""), ["run_10", "run_9", "unread"]);
});

test("the worst finding counts more than many", () => {
  assert.deepEqual(runs("-findings"), ["run_9", "run_10", "unread"]);
  assert.deepEqual(runs("findings"), ["run_10", "run_9", "unread"]);
  const more = rows.map((row, i) => ({ ...row, findings: Array(i).fill(finding("info")) }));
  const sorted = sortRows(more, decodeOrder("-findings"), OVERVIEW_COLUMNS);
  assert.deepEqual(
    sorted.map(({ findings }) => findings.length),
    [2, 1, 0],
  );
});

test("cells say numbers as charts do, and a dash where there is none", () => {
  const cells = rows.map((row) =>
    OVERVIEW_COLUMNS.map(({ show }) => show(row).replaceAll("\u00a0", " ")),
  );
  const numbers = ["50 %", "<0.01 %", "1,200"];
  assert.deepEqual(cells[0], ["run_10", "0.01", "2", "0.5", "0.25", ...numbers, "warning · 3"]);
  assert.deepEqual(cells[1], [
    "run_9",
    "l1 1, l2 0.01",
    "2",
    "0.5",
    "0.75",
    ...numbers,
    "error · 1",
  ]);
  assert.deepEqual(cells[2], ["unread", "–", "2", "0.5", "–", ...numbers, "–"]);
});

test("an order is a text that a link holds; another text is none", () => {
  for (const isDescending of [true, false]) {
    const order = { id: "steps", isDescending };
    assert.deepEqual(decodeOrder(encodeOrder(order)), order);
  }
  assert.equal(decodeOrder("-nothing"), undefined);
});
