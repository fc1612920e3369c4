import assert from "node:assert/strict";
import { test } from "node:test";
import { isWhole, pan, placeAfterKey, rangeAfterKey, scaleRange } from "./navigation.ts";

const WHOLE = { min: 0, max: 100 };

test("panning keeps the width and stays within the whole", () => {
  assert.deepEqual(pan({ min: 10, max: 30 }, WHOLE, 5), { min: 15, max: 35 });
  assert.deepEqual(pan({ min: 10, max: 30 }, WHOLE, -50), { min: 0, max: 20 });
  assert.deepEqual(pan({ min: 10, max: 30 }, WHOLE, 500), { min: 80, max: 100 });
});

test("zooming keeps what the pointer is at, and ends at the whole", () => {
  assert.deepEqual(scaleRange(WHOLE, WHOLE, 0.5, 0.2), { min: 10, max: 60 });
  assert.deepEqual(scaleRange({ min: 80, max: 100 }, WHOLE, 2), { min: 60, max: 100 });
  assert.ok(isWhole(scaleRange({ min: 80, max: 100 }, WHOLE, 20), WHOLE));
});

test("keys pan, zoom and reset; others mean nothing here", () => {
  const range = { min: 40, max: 60 };
  assert.deepEqual(rangeAfterKey("ArrowRight", range, WHOLE), { min: 44, max: 64 });
  assert.deepEqual(rangeAfterKey("ArrowLeft", range, WHOLE), { min: 36, max: 56 });
  assert.deepEqual(rangeAfterKey("+", range, WHOLE), { min: 45, max: 55 });
  assert.deepEqual(rangeAfterKey("-", range, WHOLE), { min: 30, max: 70 });
  assert.equal(rangeAfterKey("0", range, WHOLE), null);
  assert.equal(rangeAfterKey("Tab", range, WHOLE), undefined);
});

test("keys zoom at the reading cursor, which stays where it is", () => {
  assert.deepEqual(rangeAfterKey("+", { min: 40, max: 60 }, WHOLE, 45), { min: 42.5, max: 52.5 });
  assert.deepEqual(rangeAfterKey("-", { min: 40, max: 60 }, WHOLE, 45), { min: 35, max: 75 });
});

test("the reading cursor goes through the buckets shown, and ends", () => {
  const x = Float64Array.from({ length: 31 }, (_, i) => i * 2);
  const range = { min: 11, max: 51 };
  const after = (key: string, place?: number) => placeAfterKey(key, x, range, place);
  assert.equal(after("."), 12);
  assert.equal(after(","), 50);
  assert.equal(after(".", 20), 22);
  assert.equal(after(",", 20), 18);
  assert.equal(after(".", 50), 50);
  assert.equal(after(",", 12), 12);
  assert.equal(after("PageDown", 20), 24);
  assert.equal(after("PageUp", 14), 12);
  assert.equal(after("Home", 20), 12);
  assert.equal(after("End", 20), 50);
  assert.equal(after("Escape", 20), null);
  // The page may have these keys while nothing is read.
  assert.equal(after("Home"), undefined);
  assert.equal(after("Escape"), undefined);
  assert.equal(after("a", 20), undefined);
  assert.equal(placeAfterKey(".", new Float64Array(), range, undefined), undefined);
});
