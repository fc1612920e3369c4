import assert from "node:assert/strict";
import { test } from "node:test";
import { recording } from "../testing/curves.ts";
import {
  type Choice,
  filterRecordings,
  naturalCompare,
  recordingLabel,
  sortRecordings,
  updateChoice,
} from "./runs.ts";

const NO_CHOICE: Choice = { chosen: new Set(), known: new Set() };
const many = (count: number) => Array.from({ length: count }, (_, i) => recording(`run${i}`).key);

test("numbers in names are ordered by their value", () => {
  const names = ["run10", "run9", "a", "lambda=1.0", "lambda=1e-4", "lambda=0.01", "run9b", ""];
  assert.deepEqual(names.toSorted(naturalCompare), [
    "",
    "a",
    "lambda=1e-4",
    "lambda=0.01",
    "lambda=1.0",
    "run9",
    "run9b",
    "run10",
  ]);
});

test("the order of names is total, also where numbers are written differently", () => {
  assert.notEqual(naturalCompare("a1", "a01"), 0);
  assert.equal(naturalCompare("a1", "a01"), -naturalCompare("a01", "a1"));
  assert.equal(naturalCompare("same", "same"), 0);
});

test("recordings are ordered by run, then by name", () => {
  const sorted = sortRecordings([recording("b"), recording("a", "z"), recording("a", "elbo")]);
  assert.deepEqual(sorted.map(recordingLabel), ["a · elbo", "a · z", "b"]);
});

test("the default name is left out of a label", () => {
  assert.equal(recordingLabel(recording("a/train")), "a/train");
});

test("the filter ignores case and reads regular expressions", () => {
  const { matching, invalid } = filterRecordings([recording("A1"), recording("b2")], "^a\\d");
  assert.deepEqual(matching.map(recordingLabel), ["A1"]);
  assert.equal(invalid, false);
});

test("an invalid expression filters nothing and says so", () => {
  const { matching, invalid } = filterRecordings([recording("a"), recording("b")], "(");
  assert.equal(matching.length, 2);
  assert.equal(invalid, true);
});

test("at first all recordings are chosen, or the first ten of very many", () => {
  assert.equal(updateChoice(NO_CHOICE, many(40)).chosen.size, 40);
  assert.equal(updateChoice(NO_CHOICE, many(41)).chosen.size, 10);
});

test("a reload keeps the choice and adds new recordings while there is room", () => {
  const first = updateChoice(NO_CHOICE, many(3));
  const without = { ...first, chosen: new Set([...first.chosen].slice(1)) };
  const next = updateChoice(without, many(5));
  assert.equal(next.chosen.size, 4);
  assert.equal(next.chosen.has(recording("run0").key), false);
  assert.equal(updateChoice(updateChoice(NO_CHOICE, many(39)), many(60)).chosen.size, 40);
});
