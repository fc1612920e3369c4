import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { makePicture } from "./picture.ts";
import { describeSelection, stepsBetween, wholeSteps } from "./selection.ts";

test("a selection between two places has all steps of both buckets, in either order", () => {
  const single = curves([series(column("data", "data"), [1, 1, 1])]);
  const all = {
    ...single,
    firstXs: Float64Array.of(0, 10, 20),
    lastXs: Float64Array.of(9, 19, 29),
  };
  const picture = makePicture(all, chooseBands(all), () => true);
  assert.deepEqual(stepsBetween(picture, 14.5, 24.5), { min: 10, max: 29 });
  assert.deepEqual(stepsBetween(picture, 24.5, 4.5), { min: 0, max: 29 });
  assert.deepEqual(stepsBetween(picture, 14.5, 14.5), { min: 10, max: 19 });
});

test("what a hand drew is of whole steps, and of any times", () => {
  const drawn = { min: 1.4, max: 7.6 };
  assert.deepEqual(wholeSteps(drawn, "step"), { min: 1, max: 8 });
  assert.deepEqual(wholeSteps(drawn, "relative"), drawn);
});

test("a selection is said in the axis' own words", () => {
  assert.equal(describeSelection({ min: 5, max: 5 }, "step"), "step 5");
  assert.equal(describeSelection({ min: 5, max: 1200 }, "step"), "steps 5–1,200");
  assert.equal(describeSelection({ min: 0, max: 90 }, "relative"), "0 s to 90 s");
});
