import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { layerAt, stack } from "./stack.ts";

function layersOf(...values: (number | undefined)[][]) {
  const all = values.map((row, i) => series(column(`t${i}`, "penalty"), row));
  return stack(chooseBands(curves(all), { order: "recorded" }));
}

test("positive values add up from zero", () => {
  const [data, penalty] = layersOf([3, 2], [1, 0.5]);
  assert.deepEqual([...(data?.above.upper ?? [])], [3, 2]);
  assert.deepEqual([...(penalty?.above.lower ?? [])], [3, 2]);
  assert.deepEqual([...(penalty?.above.upper ?? [])], [4, 2.5]);
  assert.equal(penalty?.below, undefined);
});

test("negative values add up downwards, apart from the positive ones", () => {
  const [data, large, small] = layersOf([3], [-2], [-1]);
  assert.equal(data?.above.upper[0], 3);
  assert.deepEqual([large?.below?.upper[0], large?.below?.lower[0]], [0, -2]);
  assert.deepEqual([small?.below?.upper[0], small?.below?.lower[0]], [-2, -3]);
  assert.deepEqual([small?.above.lower[0], small?.above.upper[0]], [3, 3]);
});

test("a band that changes its sign leaves one stack as it enters the other", () => {
  const [, term] = layersOf([2, 2], [1, -1]);
  assert.deepEqual([...(term?.above.upper ?? [])], [3, 2]);
  assert.deepEqual([...(term?.below?.lower ?? [])], [0, -1]);
});

test("a gap breaks its own band and lets the ones above down", () => {
  const [, large, small] = layersOf([1, 1], [5, undefined], [1, 1]);
  assert.ok(Number.isNaN(large?.above.upper[1]));
  assert.equal(small?.above.lower[1], 1);
});

test("the layer under the pointer is the one whose edges enclose the value", () => {
  const layers = layersOf([3, undefined], [1, undefined], [-0.5, undefined]);
  const name = (value: number, bucket = 0) => layerAt(layers, bucket, value)?.band.label;
  assert.equal(name(0), "t0");
  assert.equal(name(2.99), "t0");
  assert.equal(name(3), "t1");
  assert.equal(name(4), undefined);
  assert.equal(name(-0.4), "t2");
  assert.equal(name(1, 1), undefined);
});
