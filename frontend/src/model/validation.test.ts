import assert from "node:assert/strict";
import { test } from "node:test";
import { recording, run } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { runLines } from "./compare.ts";
import { validationOf, withValidation } from "./validation.ts";

const training = run("a/train", [5, 4, 3, 2], [1, 1, 1, 1]);
const validation = run("a/validation", [6, 8], [1, 1], 1);

test("a training has the validation of its directory and of its name", () => {
  const all = ["a/train", "a/validation", "b/validation"].map((name) => recording(name));
  assert.equal(validationOf(recording("a/train"), all)?.run, "a/validation");
  assert.equal(validationOf(recording("b"), all)?.run, "b/validation");
  assert.equal(validationOf(recording("a/train", "discriminator"), all), undefined);
  assert.equal(validationOf(recording("a/validation"), all), undefined);
});

test("the data loss of a validation lies beside the stack, between its first and last step", () => {
  const bands = chooseBands(withValidation(training.curves, validation.curves));
  const band = bands.find(({ role }) => role === "validation");
  assert.equal(band?.label, "validation data");
  assert.deepEqual([...(band?.values ?? [])], [Number.NaN, 6, 8, Number.NaN]);
});

test("on an axis of time since its beginning a validation begins later", () => {
  const relative = (curves: typeof training.curves, first: number) => ({
    ...curves,
    xAxis: "relative" as const,
    lastXs: curves.firstSteps.map((_, i) => i),
    firstXs: curves.firstSteps.map((_, i) => i),
    wallTimes: curves.firstSteps.map((_, i) => first + i),
  });
  const { series } = withValidation(
    relative(training.curves, 100),
    relative(validation.curves, 102),
  );
  assert.deepEqual([...(series.at(-1)?.mean ?? [])], [Number.NaN, Number.NaN, 6, 8]);
});

test("how far apart both are is a line of the training", () => {
  const [line, ...others] = runLines([training, validation], "gap");
  assert.equal(others.length, 0);
  assert.equal(line?.band.label, "a/train");
  assert.deepEqual([...(line?.values ?? [])], [Number.NaN, 2, 5, Number.NaN]);
});
