import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../data/findings.ts";
import { column, curves, series } from "../testing/curves.ts";
import {
  describeSteps,
  findingMarks,
  foldValidations,
  rangeAround,
  showOnly,
  termKeys,
  xOfStep,
} from "./findings.ts";
import { WHOLE_VIEW } from "./view.ts";

function finding(more: Partial<Finding>): Finding {
  return { code: "a", severity: "error", sentence: "", fix: "", terms: [], ...more };
}

/** Two buckets of ten steps each, a second a step, which began at 100 s. */
const OF_TIME = {
  ...curves([series(column("data", "data"), [1, 2])]),
  xAxis: "relative" as const,
  firstStep: 0,
  firstSteps: Float64Array.of(0, 10),
  lastSteps: Float64Array.of(9, 19),
  firstXs: Float64Array.of(100, 110),
  lastXs: Float64Array.of(109, 119),
};

test("a step lies between the ends of its bucket", () => {
  assert.equal(xOfStep(OF_TIME, 0), 100);
  assert.equal(xOfStep(OF_TIME, 13), 113);
  assert.equal(xOfStep(OF_TIME, 19), 119);
});

test("a step outside of the curves, or between two buckets, has no place", () => {
  assert.equal(xOfStep(OF_TIME, 20), undefined);
  const gap = { ...OF_TIME, lastSteps: Float64Array.of(5, 19) };
  assert.equal(xOfStep(gap, 7), undefined);
});

test("a mark is where a finding begins; what is so from the start has none", () => {
  const found = [finding({ steps: [13, 19] }), finding({ steps: [0, 19] }), finding({})];
  assert.deepEqual(findingMarks(found, OF_TIME), [{ x: 113, severity: "error" }]);
});

test("the steps of a finding are shown with some around them", () => {
  const whole = { min: 0, max: 999 };
  assert.deepEqual(rangeAround(finding({ steps: [500, 500] }), whole), { min: 450, max: 550 });
  assert.deepEqual(rangeAround(finding({ steps: [600, 999] }), whole), { min: 550, max: 999 });
  assert.equal(rangeAround(finding({ steps: [0, 999] }), whole), undefined);
  assert.equal(rangeAround(finding({}), whole), undefined);
});

test("a finding is at a step or goes on for some", () => {
  assert.equal(describeSteps([1500, 1500]), "step 1,500");
  assert.equal(describeSteps([5, 9]), "steps 5–9");
});

test("terms are found by their names, and the total alone is none", () => {
  const columns = [column("total", "total"), column("data", "data"), column("kernel", "penalty")];
  assert.deepEqual(termKeys(finding({ terms: ["kernel", "gone"] }), columns), ["penalty:kernel"]);
  assert.deepEqual(termKeys(finding({ terms: ["total", "data"] }), columns), [
    "total",
    "data:data",
  ]);
  assert.deepEqual(termKeys(finding({ terms: ["total"] }), columns), []);
});

test("showing the terms of a finding again shows all", () => {
  const alone = showOnly(WHOLE_VIEW, ["a", "b"]);
  assert.deepEqual([...alone.isolated], ["a", "b"]);
  assert.equal(showOnly(alone, ["b", "a"]).isolated.size, 0);
});

test("what a training and its validation both have is said once, of the training", () => {
  const [constant, spike] = [
    finding({ code: "constant_term", terms: ["k"] }),
    finding({ code: "spike" }),
  ];
  const other = finding({ code: "constant_term", terms: ["b"] });
  for (const [training, validation] of [
    ["train", "validation"],
    [".", "validation"],
    ["a/train", "a/validation"],
    ["a", "a/validation"],
  ]) {
    const keys = [training, validation].map((run) => JSON.stringify([run, "losses"]));
    const [of, beside] = keys as [string, string];
    // Whichever was looked at first.
    for (const order of [
      [of, beside],
      [beside, of],
    ]) {
      const folded = foldValidations(
        new Map(
          order.map((key) => [key, key === of ? [constant, spike] : [constant, spike, other]]),
        ),
      );
      assert.deepEqual(folded.get(of), [{ ...constant, isOfValidation: true }, spike]);
      assert.deepEqual(folded.get(beside), [spike, other]);
    }
  }
});

test("a run by the name of a validation whose training is not there keeps what was found", () => {
  const key = JSON.stringify(["a/validation", "losses"]);
  assert.deepEqual(foldValidations(new Map([[key, [finding({})]]])).get(key), [finding({})]);
});
