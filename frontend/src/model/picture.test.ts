import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { makePicture, TOTAL_KEY } from "./picture.ts";
import { fullRange, valueRange, zoomRange } from "./ranges.ts";

const all = curves([
  series(column("total", "total"), [10, 2, Number.NaN, 2]),
  series(column("data", "data"), [8, 1, 1, 1]),
  series(column("k", "penalty"), [2, 1, 1, 1]),
]);

function picture(hidden: readonly string[] = []) {
  return makePicture(all, chooseBands(all), (key) => !hidden.includes(key));
}

test("the y range follows the steps that are shown", () => {
  const drawn = picture();
  assert.deepEqual(valueRange(drawn, { min: 0, max: 3 }), { min: 0, max: 10.5 });
  assert.deepEqual(valueRange(drawn, { min: 1, max: 3 }), { min: 0, max: 2.1 });
  assert.deepEqual(valueRange(drawn, { min: 0, max: 3 }), { min: 0, max: 10.5 });
  // Between two buckets: the ones around.
  assert.equal(valueRange(picture(), { min: 0.2, max: 0.8 }).max, 10.5);
});

test("the y range includes the spikes within a bucket", () => {
  const spiky = {
    ...all,
    series: all.series.map((s, i) => (i ? s : { ...s, max: Float32Array.of(40, 2, 2, 2) })),
  };
  const drawn = makePicture(spiky, chooseBands(spiky), () => true);
  assert.equal(valueRange(drawn, { min: 0, max: 3 }).max, 42);
});

test("the y range goes below zero only for negative values", () => {
  const negative = curves([series(column("kl", "data"), [-2, -1])]);
  const range = valueRange(
    makePicture(negative, chooseBands(negative), () => true),
    { min: 0, max: 1 },
  );
  assert.deepEqual(range, { min: -2.1, max: 0 });
});

test("nothing to draw still has a y range", () => {
  const none = makePicture(curves([]), [], () => true);
  assert.deepEqual(valueRange(none, { min: 0, max: 1 }), { min: 0, max: 1 });
});

test("hiding restacks the bands that remain and may hide the total", () => {
  const drawn = picture(["data:data", TOTAL_KEY]);
  assert.equal(drawn.total, undefined);
  assert.equal(drawn.layers.length, 1);
  assert.equal(drawn.layers[0]?.above.lower[0], 0);
});

test("buckets are marked where a shown series is not finite", () => {
  assert.deepEqual([...picture().nonFinite], [0, 0, 1, 0]);
  assert.deepEqual([...picture([TOTAL_KEY]).nonFinite], [0, 0, 0, 0]);
});

test("a bucket lies in the middle of its steps", () => {
  const wide = { ...all, lastXs: Float64Array.of(0, 5, 2, 3) };
  assert.equal(makePicture(wide, [], () => true).x[1], 3);
});

test("a recording of one step has room on both sides", () => {
  const one = curves([series(column("data", "data"), [1])], 7);
  assert.deepEqual(fullRange(one), { min: 6.5, max: 7.5 });
});

test("a dragged range becomes whole steps within the recording", () => {
  const whole = { min: 0, max: 100 };
  assert.deepEqual(zoomRange({ min: 10.4, max: 20.2 }, whole), { min: 10, max: 21 });
  assert.deepEqual(zoomRange({ min: 90, max: 130 }, whole), { min: 90, max: 100 });
  assert.deepEqual(zoomRange({ min: 10.2, max: 10.4 }, whole), { min: 10, max: 11 });
  assert.equal(zoomRange({ min: 120, max: 130 }, whole), undefined);
});

test("what is beside the loss is a line over the stack, which keeps its height", () => {
  const forgotten = curves([...all.series, series(column("k", "unused"), [50, 50, 50, 50])]);
  const bands = chooseBands(forgotten);
  const drawn = makePicture(forgotten, bands, () => true);
  assert.deepEqual(
    drawn.layers.map(({ band }) => band.key),
    ["penalty:k", "data:data"],
  );
  assert.deepEqual(
    drawn.lines.map(({ band }) => band.key),
    ["unused:k", TOTAL_KEY],
  );
  assert.equal(valueRange(drawn, { min: 0, max: 3 }).max, 10.5);
  const alone = makePicture(forgotten, bands, (key) => key === "unused:k");
  assert.ok(valueRange(alone, { min: 0, max: 3 }).max > 50);
  assert.deepEqual(makePicture(forgotten, bands, () => true, "share").lines, []);
});
