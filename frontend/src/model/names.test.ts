import assert from "node:assert/strict";
import { test } from "node:test";
import { BERT } from "../testing/models.ts";
import { shortestNames, shortNames } from "./names.ts";

const shown = (names: readonly string[], length: number) => [...shortNames(names, length).values()];

test("names that fit stay as they are", () => {
  const names = ["dense/kernel", "dense/bias"];
  assert.deepEqual(shown(names, 20), names);
});

test("long names lose what all of them share, and keep what differs", () => {
  const names = ["query", "key"].map((part) => `model/encoder/layer_3/attention/${part}/kernel`);
  assert.deepEqual(shown(["data", ...names], 20), ["data", "query", "key"]);
});

test("runs named by their settings lose those that all have", () => {
  const names = [0, 1].map((seed) => `model=resnet50, lr=0.0001, seed=${seed}, fold=all`);
  assert.deepEqual(shown(names, 16), ["seed=0", "seed=1"]);
});

test("where there is no room for what settings are called, their values are kept", () => {
  const names = ["0.0001", "0.001"].map((strength) => `lambda=${strength}/seed=0/train`);
  const short = shortestNames([...names, "lambda=0.001/seed=1/train"], 17);
  assert.deepEqual([...short.values()], ["0.0001/0/train", "0.001/0/train", "0.001/1/train"]);
  assert.deepEqual([...shortestNames(names, 30).values()], names);
  // Values that need their names keep them.
  const swapped = ["alpha=1/beta=2/gamma=3", "beta=1/alpha=2/gamma=3"];
  assert.equal(new Set(shortestNames(swapped, 6).values()).size, 2);
});

test("a number is not cut at its decimal point", () => {
  const names = ["0.0001", "0.01"].map((strength) => `sweep/lambda=${strength}/validation`);
  assert.deepEqual(shown(names, 16), ["lambda=0.0001", "lambda=0.01"]);
});

test("what tells a long name from a short one is kept", () => {
  const names = ["lambda=0.01/train", "lambda=0.01/validation", "lambda=0.1/validation"];
  assert.deepEqual(shown(names, 18), names);
});

test("no two names are ever shown alike", () => {
  for (const length of [4, 8, 18, 40]) {
    const short = shown(BERT, length);
    assert.equal(new Set(short).size, BERT.length, String(length));
  }
  const twins = ["a", "b"].map((x) => `${"left".repeat(20)}${x}${"right".repeat(20)}`);
  assert.equal(new Set(shown(twins, 10)).size, 2);
  // Without what they share, long ones could be called like a short one.
  const names = ["query", ...["query", "key"].map((part) => `a/very/long/path/to/${part}/kernel`)];
  assert.equal(new Set(shown(names, 12)).size, 3);
});
