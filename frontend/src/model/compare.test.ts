import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../testing/curves.ts";
import { commonRange, comparisonPicture, joinSeeds, resample, runLines, union } from "./compare.ts";
import { read } from "./reading.ts";

const runs = [
  run("lambda=1,seed=1", [1, 2], [1, 1]),
  run("lambda=1,seed=2", [3, 4], [1, 1]),
  run("lambda=2,seed=1", [5, 6, 7], [2, 2, 2]),
];

const values = (quantity: string) => runLines(runs, quantity).map((line) => [...line.values]);

test("each quantity makes a line a run", () => {
  assert.deepEqual(values("total"), [
    [2, 3],
    [4, 5],
    [7, 8, 9],
  ]);
  assert.deepEqual(values("penalties")[2], [2, 2, 2]);
  assert.deepEqual(values("ratio")[0], [1, 0.5]);
  assert.deepEqual(values("data:data")[1], [3, 4]);
  assert.deepEqual(values("penalty:none"), []);
  assert.deepEqual(
    runLines(runs, "total").map(({ band }) => [band.role, band.label]),
    runs.map(({ recording }) => ["run", recording.run]),
  );
});

test("runs that match alike become their mean between smallest and largest", () => {
  const joined = joinSeeds(runLines(runs, "total"), /(lambda=\d)/);
  assert.deepEqual(
    joined.map(({ band }) => band.label),
    ["lambda=1 (2 runs)", "lambda=2 (1 run)"],
  );
  assert.deepEqual([...(joined[0]?.values ?? [])], [3, 4]);
  assert.deepEqual([...(joined[0]?.envelope?.lower ?? [])], [2, 3]);
  assert.deepEqual([...(joined[0]?.envelope?.upper ?? [])], [4, 5]);
  assert.equal(joinSeeds(runLines(runs, "total"), undefined).length, 3);
});

test("values between known places lie on straight lines, none beyond them", () => {
  const at = Float64Array.of(-1, 0, 1, 2, 5, 6);
  const there = resample(Float64Array.of(0, 4, 5), Float64Array.of(0, 8, Number.NaN), at);
  assert.deepEqual([...there], [Number.NaN, 0, 2, 4, Number.NaN, Number.NaN]);
  assert.deepEqual([...union([Float64Array.of(2, 3), Float64Array.of(1, 2)])], [1, 2, 3]);
});

test("the picture spans all runs and leaves hidden ones out", () => {
  const lines = runLines(runs, "total");
  const [sample] = runs;
  assert.ok(sample);
  const key = sample.recording.key;
  const picture = comparisonPicture(lines, (k) => k !== key, "total", "linear", sample.curves);
  assert.equal(picture.lines.length, 2);
  assert.deepEqual([...picture.x], [0, 1, 2]);
  assert.deepEqual(commonRange(runs.map(({ curves }) => curves)), { min: 0, max: 2 });
  assert.deepEqual(commonRange([]), { min: -0.5, max: 0.5 });
});

test("on a time axis a reading across runs has a time and no step", () => {
  const [sample] = runs;
  assert.ok(sample);
  const curves = { ...sample.curves, xAxis: "relative" as const };
  const picture = comparisonPicture(runLines(runs, "total"), () => true, "total", "linear", curves);
  assert.deepEqual(read(picture, { at: 1 }).place, ["1 s"]);
});
