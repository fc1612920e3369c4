import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseBands } from "../model/bands.ts";
import { column, curves, recording, series } from "../testing/curves.ts";
import { distance, SIGHTS } from "../testing/sight.ts";
import {
  bandColour,
  DATA_COLOURS,
  numberRuns,
  numberTerms,
  PENALTY_COLOURS,
  runColour,
} from "./colours.ts";

const terms = (...names: string[]) => names.map((name) => column(name, "penalty"));

test("runs have TensorBoard's colours in TensorBoard's order", () => {
  const numbers = numberRuns(new Map(), ["b", "a"]);
  assert.equal(runColour("light", numbers.get("b") ?? -1), "#425066");
  assert.equal(runColour("dark", numbers.get("b") ?? -1), "#8e98a3");
  assert.equal(runColour("light", numbers.get("a") ?? -1), "#12b5cb");
  assert.equal(numberRuns(numbers, ["c", "a", "b"]).get("a"), 1);
});

test("a term has one number in every run, by natural order", () => {
  const numbers = numberTerms(new Map(), [
    recording("r", "losses", terms("layer10", "layer9")),
    recording("s", "losses", terms("layer9", "layer1")),
  ]);
  assert.deepEqual(
    [...numbers],
    [
      ["penalty:layer1", 0],
      ["penalty:layer9", 1],
      ["penalty:layer10", 2],
    ],
  );
});

test("a term that appears later takes no colour from another", () => {
  const before = numberTerms(new Map(), [recording("r", "losses", terms("b", "c"))]);
  const after = numberTerms(before, [recording("r", "losses", terms("a", "b", "c"))]);
  assert.deepEqual([after.get("penalty:b"), after.get("penalty:c")], [0, 1]);
  assert.equal(after.get("penalty:a"), 2);
});

test("neighbouring terms differ in colour through two rounds of the palette", () => {
  const names = Array.from({ length: 16 }, (_, i) => `t${i}`);
  const numbers = numberTerms(new Map(), [recording("r", "losses", terms(...names))]);
  const bands = chooseBands(curves(names.map((name) => series(column(name, "penalty"), [1]))));
  const keep = { keep: new Set(names.map((name) => `penalty:${name}`)) };
  const all = chooseBands(curves(bands.flatMap(({ members }) => members)), keep);
  assert.equal(new Set(all.map((band) => bandColour("light", band, numbers))).size, 16);
});

test("data loss and penalty terms are told apart with every kind of sight", () => {
  for (const theme of ["light", "dark"] as const) {
    const colours = [DATA_COLOURS[theme][0] ?? "", ...PENALTY_COLOURS[theme]];
    for (const sight of SIGHTS) {
      for (const [i, first] of colours.entries()) {
        for (const second of colours.slice(i + 1)) {
          const far = distance(first, second, sight);
          assert.ok(far > 12, `${theme}: ${first} and ${second} differ by ${far}`);
        }
      }
    }
  }
});
