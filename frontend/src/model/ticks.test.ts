import assert from "node:assert/strict";
import { test } from "node:test";
import { LINEAR, scaleFor } from "./scales.ts";
import { formatDuration, niceIncrement, xTicks, yTicks } from "./ticks.ts";

const plain = (labels: readonly string[]) => labels.map((label) => label.replaceAll("\u00a0", " "));

test("linear ticks are even and not too many", () => {
  const { values, labels } = yTicks(LINEAR, { min: 0, max: 10.5 }, 6, "loss");
  assert.deepEqual(values, [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(labels, ["0", "2", "4", "6", "8", "10"]);
});

test("shares and ratios are labelled in percent", () => {
  assert.deepEqual(plain(yTicks(LINEAR, { min: 0, max: 1 }, 2, "share").labels), [
    "0 %",
    "50 %",
    "100 %",
  ]);
});

test("tiny ratios are told apart", () => {
  const { labels } = yTicks(scaleFor("log", 1), { min: 1e-7, max: 1e-4 }, 5, "ratio");
  assert.deepEqual(plain(labels), ["1e-5 %", "1e-4 %", "0.001 %", "0.01 %"]);
});

test("a log axis counts decades, finer where there are few", () => {
  const wide = yTicks(scaleFor("log", 1e4), { min: 1e-4, max: 1e4 }, 5, "loss");
  assert.deepEqual(wide.values, [1e-4, 0.01, 1, 100, 1e4]);
  assert.deepEqual(
    yTicks(scaleFor("log", 12), { min: 0.9, max: 12 }, 5, "loss").values,
    [1, 2, 5, 10],
  );
  // Within one decade only straight steps are left.
  assert.ok(yTicks(scaleFor("log", 3.3), { min: 3.1, max: 3.3 }, 5, "loss").values.length >= 2);
});

test("symlog has zero, and the same decades on both sides", () => {
  const { values } = yTicks(scaleFor("symlog", 100), { min: -100, max: 100 }, 9, "loss");
  assert.ok(values.includes(0));
  assert.deepEqual(values, values.map((value) => -value || 0).toReversed());
});

test("there is nothing between two steps", () => {
  assert.deepEqual(xTicks("step", { min: 3, max: 5 }, 20).values, [3, 4, 5]);
});

test("relative time goes by what clocks count", () => {
  const { values, labels } = xTicks("relative", { min: 0, max: 3600 }, 6);
  assert.deepEqual(values, [0, 600, 1200, 1800, 2400, 3000, 3600]);
  assert.equal(labels[1], "10 m");
  assert.ok(xTicks("relative", { min: 0, max: 0.2 }, 4).values.length >= 2);
});

test("wall time has labels of the day", () => {
  const noon = new Date(2026, 4, 7, 12).getTime() / 1000;
  assert.deepEqual(xTicks("wall_time", { min: noon, max: noon + 7200 }, 3).labels, [
    "12:00",
    "13:00",
    "14:00",
  ]);
});

test("durations have two units at most", () => {
  assert.deepEqual([0, 90, 750, 3600 * 3 + 60 * 20, 90_000].map(formatDuration), [
    "0 s",
    "90 s",
    "12 m 30 s",
    "3 h 20 m",
    "1 d 1 h",
  ]);
});

test("increments are 1, 2 or 5 times a power of ten", () => {
  assert.deepEqual([0.3, 1, 1.1, 6, 0].map(niceIncrement), [0.5, 1, 2, 10, 1]);
});

test("a time of less than a second has labels that differ and have room", () => {
  const begin = 1_763_884_800.25;
  const { values, labels } = xTicks("wall_time", { min: begin, max: begin + 0.004 }, 8);
  assert.equal(new Set(labels).size, labels.length);
  assert.ok(labels.length >= 3 && values.every((value) => value >= begin - 1e-6));
  assert.ok(
    labels.every((label) => /^\d\d:\d\d:\d\d\.\d{3,}$/.test(label)),
    labels.join(),
  );
  assert.ok(labels.length * (labels[0]?.length ?? 0) <= 9 * 11);
});

test("steps up to the largest whole number have labels", () => {
  const max = 2 ** 53 - 1;
  const { values, labels } = xTicks("step", { min: max - 100, max }, 8);
  assert.ok(labels.length >= 2);
  assert.equal(new Set(labels).size, labels.length);
  assert.ok(values.every((value) => value >= max - 100 && value <= max && value % 10 === 0));
});
