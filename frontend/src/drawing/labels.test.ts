import assert from "node:assert/strict";
import { test } from "node:test";
import { labelWidth, widest, withinEnd } from "./labels.ts";

test("a label that would be cut off at the end is left out, its tick stays", () => {
  const ticks = { values: [0, 50, 90, 100], labels: ["0", "25,000", "25,040", "25,050"] };
  const range = { min: 0, max: 100 };
  assert.deepEqual(withinEnd(ticks, range, 600, 12), {
    ...ticks,
    labels: ["0", "25,000", "25,040", ""],
  });
  assert.deepEqual(withinEnd(ticks, range, 600, labelWidth("25,050")), ticks);
});

test("an axis is as wide as its widest label", () => {
  assert.equal(widest(["1", "1,000", "10"]), labelWidth("1,000"));
  assert.equal(widest([]), labelWidth("00"));
});
