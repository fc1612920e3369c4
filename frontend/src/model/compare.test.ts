import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, recording, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import {
  choosePair,
  commonRange,
  comparisonPicture,
  differenceOf,
  differencePair,
  joinSeeds,
  resample,
  runLines,
  union,
} from "./compare.ts";

const run = (name: string, data: number[], penalty: number[], firstStep = 0) => ({
  recording: recording(name),
  curves: curves(
    [
      series(
        column("total", "total"),
        data.map((value, i) => value + (penalty[i] ?? 0)),
      ),
      series(column("data", "data"), data),
      series(column("penalties", "penalty"), penalty),
    ],
    firstStep,
  ),
});

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

test("the difference of two runs is that of each term, and adds up to that of the totals", () => {
  const extra = series(column("extra", "penalty"), [5, 5]);
  const [first, second] = runs.map(({ curves }) => curves);
  assert.ok(first && second);
  const difference = differenceOf({ ...first, series: [...first.series, extra] }, second);
  const bands = chooseBands(difference);
  assert.deepEqual(
    bands.map((band) => [band.label, ...band.values]),
    [
      ["data", -2, -2],
      ["extra", 5, 5],
      ["penalties", 0, 0],
    ],
  );
});

test("a difference names no strength that the two runs don't share", () => {
  const all = (strength: number) =>
    curves([
      series(column("k", "penalty", { kind: "l2", strength }), [1]),
      series(column("b", "penalty", { kind: "l1", strength: 3 }), [1]),
    ]);
  const { series: found } = differenceOf(all(1), all(2));
  assert.deepEqual(
    found.map(({ column }) => [column.kind, column.strength]),
    [
      ["l2", undefined],
      ["l1", 3],
    ],
  );
});

test("a difference is of the runs asked for, else of the first that are left", () => {
  const [a, b, c] = runs.map(({ recording }) => recording);
  assert.ok(a && b && c);
  const pair = (minuend: string, subtrahend: string, all = [a, b, c]) =>
    differencePair(all, { minuend, subtrahend });
  assert.deepEqual(pair("", ""), [a, b]);
  assert.deepEqual(pair(c.key, ""), [c, a]);
  assert.deepEqual(pair("", a.key), [b, a]);
  assert.deepEqual(pair(c.key, b.key), [c, b]);
  assert.deepEqual(pair(b.key, b.key), [b, a]);
  assert.deepEqual(pair("gone", c.key), [a, c]);
  assert.deepEqual(pair(c.key, b.key, [a]), [a]);
});

test("choosing the run of the other place swaps the two", () => {
  const [a, b, c] = runs.map(({ recording }) => recording);
  assert.ok(a && b && c);
  const keys = (minuend: string, subtrahend: string) => ({ minuend, subtrahend });
  assert.deepEqual(choosePair([a, b], "minuend", c.key), keys(c.key, b.key));
  assert.deepEqual(choosePair([a, b], "subtrahend", c.key), keys(a.key, c.key));
  assert.deepEqual(choosePair([a, b], "minuend", b.key), keys(b.key, a.key));
  assert.deepEqual(choosePair([a, b], "subtrahend", a.key), keys(b.key, a.key));
});

test("a difference ends where either run ends", () => {
  const [first, , third] = runs.map(({ curves }) => curves);
  assert.ok(first && third);
  const [data] = chooseBands(differenceOf(third, first));
  assert.deepEqual([...(data?.values ?? [])], [4, 4, Number.NaN]);
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
