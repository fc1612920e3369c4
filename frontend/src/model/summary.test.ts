import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../data/findings.ts";
import { column, curves, series } from "../testing/curves.ts";
import { describeChart, describeNonFinite, lastStep, subtitle } from "./summary.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");
const loss = (total: number, data: number, penalty: number) =>
  curves(
    [
      series(column("total", "total"), [18, total]),
      series(column("data", "data"), [9, data]),
      series(column("k", "penalty"), [9, penalty]),
    ],
    3998,
  );

test("without a total only the step is told", () => {
  const penalties = curves([series(column("kernel", "penalty"), [1, 2])]);
  assert.equal(subtitle(penalties), "up to step 1");
});

test("a chart is described by its last step", () => {
  const curvesOf = loss(2, 1.5, 0.5);
  assert.equal(
    plain(subtitle(curvesOf)),
    "total 2 at step 3,999 · data loss 9 → 1.5 · penalties 25 %, up to 50 %",
  );
  assert.equal(
    plain(describeChart("a", curvesOf)),
    "Stacked loss of run a: total 2 at step 3,999, data 75 %, penalties 25 %",
  );
});

test("shares are left out where they mean nothing", () => {
  assert.equal(lastStep(loss(1, 2, -1))?.penalties, undefined);
  // More than the whole: it is not all in it.
  assert.equal(lastStep(loss(1, 1, 5))?.penalties, undefined);
  assert.equal(lastStep(loss(0, 0, 0))?.penalties, undefined);
  assert.equal(lastStep(loss(Number.NaN, 1, Number.NaN))?.penalties, undefined);
});

test("a share is the same story where it never was another", () => {
  const same = curves([
    series(column("total", "total"), [2, 4]),
    series(column("data", "data"), [1, 2]),
    series(column("k", "penalty"), [1, 2]),
  ]);
  assert.equal(plain(subtitle(same)), "total 4 at step 1 · data loss 1 → 2 · penalties 50 %");
});

test("what buckets of several steps hide is told as the server found it", () => {
  const hidden = curves([
    series(column("total", "total"), [3, 2]),
    series(column("data", "data"), [2, 1]),
    series(column("k", "penalty"), [1, 1]),
  ]).series.map((one) => ({
    ...one,
    column: { ...one.column, first: 7 },
    rows: Uint32Array.of(5, 1),
  }));
  assert.match(
    plain(subtitle({ ...curves(hidden), shareLargest: 0.9 })),
    /data loss 7 → 1 · penalties 50 %, up to 90 %$/,
  );
});

const outOf = (total: number[], data: number[], penalty: number[]) =>
  curves([
    series(column("total", "total"), total),
    series(column("data", "data"), data),
    series(column("k", "penalty"), penalty),
    series(
      column("residual", "unexplained", { derived: true, significant: true }),
      total.map((value, i) => value - (data[i] ?? 0) - (penalty[i] ?? 0)),
    ),
  ]);

test("penalties that are not in the total have no share of it", () => {
  const without = outOf([2, 1], [2, 1], [90, 80]);
  assert.equal(
    subtitle(without),
    "total 1 at step 1 · data loss 2 → 1 · penalties not in the total",
  );
  assert.equal(lastStep(without)?.penalties, undefined);
});

test("of a total that its parts do not add up to no share is told", () => {
  const twice = outOf([4, 3], [2, 1], [1, 1]);
  assert.match(subtitle(twice), /data loss 2 → 1 · the parts do not add up to the total$/);
  const findings = [
    { code: "does_not_add_up", severity: "warning" as const, sentence: "", fix: "", terms: [] },
  ];
  assert.match(
    subtitle(loss(2, 1.5, 0.5), { columns: [], findings }),
    /do not add up to the total$/,
  );
});

test("a residual of one step among many is no story", () => {
  const ones = Array.from({ length: 200 }, () => 1);
  const total = ones.map((_, i) => (i === 50 ? 5 : 2));
  assert.match(plain(subtitle(outOf(total, ones, ones))), /penalties 50 %$/);
});

test("what is not in the loss and the strengths are told", () => {
  const told = (...strengths: number[]) => ({
    columns: [
      ...strengths.map((strength, i) => column(`k${i}`, "penalty", { strength })),
      column("forgotten", "unused"),
      column("lost", "unused"),
    ],
    findings: [],
  });
  const of = (...strengths: number[]) => plain(subtitle(loss(2, 1.5, 0.5), told(...strengths)));
  assert.match(of(), / · forgotten and 1 more not in the loss$/);
  assert.match(of(0.01, 0.01), / · strength 0.01$/);
  assert.match(of(0.01, 0.001), / · strengths 0.001 and 0.01$/);
  assert.match(of(4, 3, 2, 1), / · strengths 1 to 4$/);
});

test("strengths that changed say when", () => {
  const change = (at: number): Finding => ({
    ...{ code: "strength_changed", severity: "info", sentence: "", fix: "", terms: [] },
    steps: [at, at],
  });
  const columns = [column("k", "penalty", { strength: 0.1 })];
  const of = (...findings: Finding[]) => subtitle(loss(2, 1.5, 0.5), { columns, findings });
  assert.match(of(change(400)), / · strength 0.1, changed at step 400$/);
  assert.match(of(change(40), change(80)), /0.1, changed 2 times, first at step 40$/);
  columns[0] = column("k", "penalty", { strength: 0.1, firstStrength: 0.01 });
  assert.match(of(change(400)), / · strength 0.01 → 0.1, changed at step 400$/);
  assert.match(of(), / · strength 0.01 → 0.1$/);
  columns.push(column("b", "penalty", { strength: 0.5 }));
  assert.match(of(), / · strengths 0.01 and 0.5 → 0.1 and 0.5$/);
});

test("a recording without steps says so", () => {
  assert.equal(subtitle(curves([])), "No steps recorded yet");
});

test("what is not finite is named with the step at which it began", () => {
  const at = (name: string, firstNonFiniteStep: number) =>
    column(name, "penalty", { firstNonFiniteStep });
  assert.equal(describeNonFinite([column("a", "data")]), undefined);
  assert.equal(describeNonFinite([at("total", 812)]), "total: first NaN or infinite at step 812");
  assert.equal(
    describeNonFinite([at("late", 900), at("total", 812), at("data", 812)]),
    "total and data: first NaN or infinite at step 812",
  );
});
