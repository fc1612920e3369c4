import assert from "node:assert/strict";
import { test } from "node:test";
import { isWhole, pan, rangeAfterKey, scaleRange } from "./navigation.ts";

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
