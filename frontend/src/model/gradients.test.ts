import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, recording, series } from "../testing/curves.ts";
import { columnTitle, gradientBands, NO_GRADIENTS, sortGradients, termKey } from "./gradients.ts";
import { makePicture } from "./picture.ts";

const OF_KERNEL = [
  series(column("kernel", "gradient"), [1, 2, undefined, 3]),
  series(column("kernel", "data_gradient"), [10, 4, undefined, 0]),
  series(column("kernel", "gradient_cosine"), [0.5, -1, undefined, Number.NaN]),
];
const GRADIENTS = curves(OF_KERNEL);

test("pull is the penalty's gradient by the data loss's on the same variable", () => {
  const other = series(column("bias", "gradient"), [1, 1, 1, 1]);
  const bands = gradientBands(curves([...OF_KERNEL, other]), "pull");
  assert.deepEqual(
    bands.map(({ label, values }) => [label, [...values]]),
    [
      ["kernel", [0.1, 0.5, Number.NaN, Number.NaN]],
      ["bias", [Number.NaN, Number.NaN, Number.NaN, Number.NaN]],
    ],
  );
});

test("cosines are shown as recorded", () => {
  const [only] = gradientBands(GRADIENTS, "cosine");
  assert.deepEqual([...(only?.values ?? [])], [0.5, -1, Number.NaN, Number.NaN]);
});

test("smoothed gradients are divided, with the raw ratio behind", () => {
  const [gradient, data] = OF_KERNEL;
  assert.ok(gradient && data);
  const smooth = curves([
    { ...gradient, smoothed: Float32Array.of(1, 1, 1, 1) },
    { ...data, smoothed: Float32Array.of(2, 4, 4, 8) },
  ]);
  const [only] = gradientBands(smooth, "pull");
  assert.deepEqual([...(only?.values ?? [])], [0.5, 0.25, Number.NaN, 0.125]);
  assert.equal(only?.raw?.[0], 0.1);
});

test("a term has the key of its penalty, and so its colour", () => {
  assert.equal(termKey(column("kernel", "gradient")), "penalty:kernel");
  assert.equal(termKey(column("data", "data")), "data:data");
  assert.equal(columnTitle(column("kernel", "gradient_cosine")), "kernel: cosine");
  assert.equal(columnTitle(column("kernel", "penalty")), "kernel");
});

test("recordings of gradients belong to those of losses", () => {
  const losses = recording("run", "losses", [column("kernel", "penalty")]);
  const gradients = recording("run", "losses.gradients", [column("kernel", "gradient")]);
  const empty = recording("run", "other");
  const sorted = sortGradients([losses, gradients, empty]);
  assert.deepEqual(sorted.losses, [losses, empty]);
  assert.deepEqual([...sorted.gradients], [[losses.key, gradients]]);
});

test("without gradients the picture says how to record them", () => {
  const picture = makePicture(
    curves([series(column("data", "data"), [1])]),
    [],
    () => true,
    "pull",
  );
  assert.equal(picture.refusal, NO_GRADIENTS);
});

test("pull is a part of the data loss's gradient, a cosine a number", () => {
  const shown = (view: "pull" | "cosine") =>
    makePicture(GRADIENTS, gradientBands(GRADIENTS, view), () => true, view);
  assert.deepEqual([shown("pull").quantity, shown("pull").references.length], ["pull", 3]);
  assert.deepEqual([shown("cosine").quantity, shown("cosine").references.length], ["cosine", 0]);
});
