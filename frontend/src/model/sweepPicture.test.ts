import assert from "node:assert/strict";
import { test } from "node:test";
import { entry, point, sweep } from "../testing/sweeps.ts";
import { strengthAxis, sweepPicture } from "./sweepPicture.ts";

const losses = (...strengths: number[]) =>
  sweep(strengths.map((strength) => entry(strength, [point(`${strength}`)])));

test("strengths lie by decades, and zero stands apart before a break", () => {
  const { place, breakAt = Number.NaN, range } = strengthAxis([0, 1e-4, 1e-2, 1]);
  assert.deepEqual([1e-4, 1e-2, 1].map(place), [-4, -2, 0]);
  assert.ok(range.min < place(0) && place(0) < breakAt && breakAt < -4 && range.max > 0);
});

test("without a zero nothing is broken, and one strength alone has a place, too", () => {
  assert.equal(strengthAxis([0.1, 1]).breakAt, undefined);
  const { range, place } = strengthAxis([0.1]);
  assert.ok(range.min < place(0.1) && place(0.1) < range.max);
});

test("the strengths tried are named while there is room, and else decades", () => {
  const { ticks } = strengthAxis([0, 1e-3, 3e-3, 1e-2, 1]);
  assert.deepEqual(ticks(20).labels, ["0", "0.001", "0.003", "0.01", "1"]);
  assert.deepEqual(ticks(4).labels, ["0", "0.001", "0.01", "0.1", "1"]);
});

test("means are joined, but never over the break", () => {
  const [panel] = sweepPicture(losses(0, 0.01, 0.1, 1)).panels;
  const joins = panel?.series[0]?.joins ?? [];
  assert.deepEqual(
    joins.map(({ from, to, isAlike }) => [from.at, to.at, isAlike]),
    [
      [-2, -1, true],
      [-1, 0, true],
    ],
  );
});

test("what joins runs of different lengths says so", () => {
  const short = point("short", { last_step: 50, unfinished: true });
  const all = [entry(0.01, [point("a")]), entry(0.1, [point("b"), short]), entry(1, [point("c")])];
  const joins = sweepPicture(sweep(all)).panels[0]?.series[0]?.joins ?? [];
  assert.deepEqual(
    joins.map(({ isAlike }) => isAlike),
    [false, false],
  );
});

test("a run that diverged is there without a value; one that never validated is not", () => {
  const lost = point("lost", { data_loss: null, diverged: true });
  const validated = { mean: 1, min: 1, max: 1, standard_error: null };
  const entries = [
    entry(0.1, [point("a", { validation_data_loss: 1 })], { validation_data_loss: validated }),
    entry(1, [lost, point("b", { restarted: true })], { restarted: ["b"] }),
  ];
  const [training, validation] = sweepPicture(sweep(entries)).panels[0]?.series ?? [];
  const dots = training?.marks.flatMap((mark) => mark.dots) ?? [];
  assert.deepEqual(
    dots.map(({ point, value, isFlagged }) => [point.run, value, isFlagged]),
    [
      ["a", 1, false],
      ["lost", undefined, true],
      ["b", 1, true],
    ],
  );
  const runs = validation?.marks.flatMap((mark) => mark.dots).map(({ point }) => point.run);
  assert.deepEqual(runs, ["a", "lost"]);
});

test("losses that lie far apart have a logarithmic axis, if all are positive", () => {
  const scaleOf = (...values: number[]) => {
    const entries = values.map((loss, i) => entry(i + 1, [point(`${i}`, { data_loss: loss })]));
    return sweepPicture(sweep(entries)).panels[0]?.scale.kind;
  };
  assert.equal(scaleOf(0.5, 0.6), "linear");
  assert.equal(scaleOf(0.04, 2.3), "log");
  assert.equal(scaleOf(-0.04, 2.3), "linear");
  assert.equal(scaleOf(0, 2.3), "linear");
});

test("the level of guessing is in the picture, and a metric is above the losses", () => {
  const spread = { mean: 0.5, min: 0.5, max: 0.5, standard_error: null };
  const strengths = [0.1, 1].map((strength) =>
    entry(strength, [point(`${strength}`, { metric: 0.5 })], { chance_level: 2.3, metric: spread }),
  );
  const { panels } = sweepPicture(sweep(strengths, { metric: "accuracy" }));
  assert.deepEqual(
    panels.map(({ name }) => name),
    ["accuracy", "data loss", "penalties"],
  );
  const [, loss] = panels;
  assert.deepEqual(loss?.levels, [2.3]);
  assert.ok((loss?.range.max ?? 0) > 2.3);
});
