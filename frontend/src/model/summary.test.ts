import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { describeChart, describeNonFinite, lastStep, subtitle } from "./summary.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");
const loss = (total: number, data: number, penalty: number) =>
  curves(
    [
      series(column("total", "total"), [9, total]),
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
  assert.equal(plain(subtitle(curvesOf)), "total 2 at step 3,999 · penalties 25 %");
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

test("a recording without steps says so", () => {
  assert.equal(subtitle(curves([])), "No steps recorded yet");
});

test("what is not finite is named with the step at which it began", () => {
  const at = (name: string, firstNonFiniteStep: number) =>
    column(name, "penalty", { firstNonFiniteStep });
  assert.equal(describeNonFinite([column("a", "data")]), undefined);
  assert.equal(describeNonFinite([at("total", 812)]), "total is not finite from step 812");
  assert.equal(
    describeNonFinite([at("late", 900), at("total", 812), at("data", 812)]),
    "total and data are not finite from step 812",
  );
});
