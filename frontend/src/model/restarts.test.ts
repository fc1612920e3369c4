import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { describeNear, describeRestarts } from "./restarts.ts";

const back = { step: 1000, after: 1200 };
const on = { step: 1201, after: 1200 };

test("what went back is told from what only went on", () => {
  assert.equal(describeRestarts([back]), "went back to step 1,000 from 1,200");
  assert.equal(describeRestarts([on]), "continued at step 1,201");
  // The step that was recorded last is recorded once more.
  assert.equal(describeRestarts([{ step: 5, after: 5 }]), "went back to step 5 from 5");
  assert.equal(describeRestarts([]), undefined);
});

test("many restarts are a few words", () => {
  const fifty = Array.from({ length: 50 }, (_, i) => ({ step: 10 * i + 5, after: 10 * i + 9 }));
  assert.equal(describeRestarts(fifty), "went back 50 times, first at step 5");
  assert.equal(describeRestarts([back, on]), "went back once, continued once, first at step 1,000");
});

test("a restart is read where its mark is", () => {
  const steps = Array.from({ length: 100 }, () => 1);
  const restarted = {
    ...curves([series(column("data", "data"), steps)]),
    restarts: [{ step: 50, after: 60 }],
  };
  assert.equal(describeNear(restarted, 48), "went back to step 50 from 60");
  assert.equal(describeNear(restarted, 40), undefined);
  assert.equal(describeNear({ ...restarted, restarts: [] }, 50), undefined);
});
