import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, run, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { choosePair, differenceOf, differencePair } from "./difference.ts";

const runs = [
  run("lambda=1,seed=1", [1, 2], [1, 1]),
  run("lambda=1,seed=2", [3, 4], [1, 1]),
  run("lambda=2,seed=1", [5, 6, 7], [2, 2, 2]),
];

test("the difference of two runs is that of each term, and adds up to that of the totals", () => {
  const extra = series(column("extra", "penalty"), [5, 5]);
  const [first, second] = runs.map(({ curves }) => curves);
  assert.ok(first && second);
  const difference = differenceOf({ ...first, series: [...first.series, extra] }, second);
  const bands = chooseBands(difference);
  assert.deepEqual(
    bands.map((band) => [band.label, ...band.values]),
    [
      ["extra", 5, 5],
      ["penalties", 0, 0],
      ["data", -2, -2],
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
  const data = chooseBands(differenceOf(third, first)).at(-1);
  assert.deepEqual([...(data?.values ?? [])], [4, 4, Number.NaN]);
});

test("a smoothed difference is that of the smoothed values", () => {
  const smooth = (values: number[], smoothed: number[]) =>
    curves([{ ...series(column("data", "data"), values), smoothed: Float32Array.from(smoothed) }]);
  const [band] = chooseBands(differenceOf(smooth([5, 1], [4, 3]), smooth([1, 1], [1, 2])));
  assert.deepEqual([...(band?.values ?? [])], [3, 1]);
  assert.deepEqual([...(band?.raw ?? [])], [4, 0]);
});
