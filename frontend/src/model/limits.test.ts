import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { cutOff, describeCut } from "./cut.ts";
import { type Limits, limitRange, refuseLimits, shareRange } from "./limits.ts";
import { makePicture, type Picture } from "./picture.ts";
import { valueRange } from "./ranges.ts";
import { LINEAR, type ScaleKind } from "./scales.ts";
import type { ViewName } from "./settings.ts";

const STEPS = 40;
const WHOLE = { min: 0, max: STEPS - 1 };

/** A data loss of 1, and a penalty of 0.5 that is 100 at step 30. */
const all = curves([
  series(column("total", "total"), valuesOf(1.5, 101)),
  series(column("data", "data"), valuesOf(1, 1)),
  series(column("w", "penalty"), valuesOf(0.5, 100)),
]);

function valuesOf(usual: number, at30: number): number[] {
  return Array.from({ length: STEPS }, (_, step) => (step === 30 ? at30 : usual));
}

function picture(view: ViewName, limits: Limits, scale: ScaleKind = "linear"): Picture {
  return { ...makePicture(all, chooseBands(all), () => true, view, scale), limits };
}

const said = (drawn: Picture, range = WHOLE) => {
  const cut = cutOff(drawn, range);
  return cut && describeCut(cut, drawn);
};

test("outliers are left out of the range of each curve, and said", () => {
  const drawn = picture("stack", { ignoresOutliers: true });
  assert.deepEqual(valueRange(drawn, WHOLE), { min: 0, max: 1.575 });
  assert.equal(said(drawn), "Not in view: 1 step above 1.575, up to 101.");
  assert.deepEqual(cutOff(drawn, WHOLE)?.above.places, new Set([30]));
  // A part without outliers has nothing to say, and a curve that is high all the time is seen.
  assert.equal(said(drawn, { min: 0, max: 29 }), undefined);
  assert.ok(valueRange(picture("lines", { ignoresOutliers: true }), WHOLE).max > 1.5);
});

test("nothing is said where nobody chose a range, or the axis is the same for all values", () => {
  assert.equal(cutOff(picture("stack", {}), WHOLE), undefined);
  const share = picture("share", { max: 0.1 });
  assert.equal(cutOff(share, WHOLE), undefined);
  assert.deepEqual(valueRange(share, WHOLE), { min: 0, max: 1 });
});

test("ends chosen by hand take the place of the automatic ones", () => {
  const drawn = picture("lines", { min: 0.75, max: 2 });
  assert.deepEqual(valueRange(drawn, WHOLE), { min: 0.75, max: 2 });
  assert.equal(
    said(drawn),
    "Not in view: 1 step above 2, up to 101; 39 steps below 0.75, down to 0.5.",
  );
  const stack = picture("stack", { min: 0.25 });
  assert.deepEqual(valueRange(stack, WHOLE), { min: 0.25, max: 106.05 });
  assert.equal(said(stack), "Not in view: zero, where the bands begin.");
  // On a log axis, zero is no place to begin.
  assert.ok(valueRange(picture("lines", { min: 0 }, "log"), WHOLE).min > 0);
});

test("ends that make no range are refused; one beyond all values still is an end", () => {
  const automatic = { min: 0, max: 4 };
  assert.deepEqual(limitRange(automatic, { min: 3, max: 2 }, "linear"), automatic);
  assert.equal(refuseLimits({ min: 3, max: 2 }, "linear"), "3 is not below 2.");
  assert.match(refuseLimits({ max: -1 }, "log") ?? "", /only values above 0/);
  assert.equal(refuseLimits({ min: 1 }, "log"), undefined);
  assert.deepEqual(limitRange(automatic, { min: 6 }, "linear"), { min: 6, max: 9 });
  assert.deepEqual(limitRange({ min: 1, max: 4 }, { max: 0.5 }, "log"), { min: 0.25, max: 0.5 });
  assert.deepEqual(limitRange(automatic, { max: 0 }, "linear"), { min: -1, max: 0 });
});

test("what holds several steps is called a place", () => {
  const drawn = picture("stack", { max: 1.6 });
  const bucketed = { ...drawn, curves: { ...all, rows: 10 * STEPS } };
  assert.equal(said(bucketed), "Not in view: 1 place above 1.6, up to 101.");
});

test("a shared range holds those of the same quantity on the same kind of axis", () => {
  const own = (quantity: Picture["quantity"], max: number, kind: ScaleKind = "linear") => ({
    quantity,
    scale: { kind, threshold: max / 1000 },
    values: { min: -max, max },
  });
  const cards = [own("loss", 1), own("loss", 3), own("ratio", 50), own("loss", 70, "symlog")];
  assert.deepEqual(shareRange(cards, { quantity: "loss", scale: LINEAR }).values, {
    min: -3,
    max: 3,
  });
  // Zero is as wide in all of them, too.
  const { scale } = shareRange([...cards, own("loss", 7, "symlog")], {
    quantity: "loss",
    scale: { kind: "symlog", threshold: 0.007 },
  });
  assert.equal(scale.threshold, 0.07);
  assert.equal(shareRange([], { quantity: "loss", scale: LINEAR }).values, undefined);
  const drawn = picture("stack", { shared: { min: 0, max: 500 } });
  assert.deepEqual(valueRange(drawn, WHOLE), { min: 0, max: 500 });
});
