import assert from "node:assert/strict";
import { test } from "node:test";
import type { Band } from "../model/bands.ts";
import { distance, SIGHTS } from "../testing/sight.ts";
import {
  columnColour,
  DATA_COLOURS,
  numberRuns,
  PENALTY_COLOURS,
  runColour,
  runVariant,
} from "./colours.ts";
import { dashOf } from "./variants.ts";

const NO_VALUES = new Float64Array();
const [FULL = []] = SIGHTS;

test("runs have TensorBoard's colours in TensorBoard's order", () => {
  const numbers = numberRuns(new Map(), ["b", "a"]);
  assert.equal(runColour("light", numbers.get("b") ?? -1), "#425066");
  assert.equal(runColour("dark", numbers.get("b") ?? -1), "#8e98a3");
  assert.equal(runColour("light", numbers.get("a") ?? -1), "#12b5cb");
  assert.equal(numberRuns(numbers, ["c", "a", "b"]).get("a"), 1);
});

test("28 runs are told apart by colour and dash", () => {
  const looks = Array.from({ length: 28 }, (_, number) => {
    const variant = runVariant(number);
    const band: Band = { key: "", label: "", role: "run", members: [], values: NO_VALUES, variant };
    return `${runColour("light", number)} ${dashOf(band)}`;
  });
  assert.equal(new Set(looks).size, 28);
});

test("24 terms are told apart by colour", () => {
  for (const theme of ["light", "dark"] as const) {
    const numbers = new Map(Array.from({ length: 24 }, (_, i) => [`penalty:${i}`, i]));
    const colours = [...numbers.keys()].map((key) => columnColour(theme, key, numbers));
    for (const [i, first] of colours.entries()) {
      for (const second of colours.slice(i + 1)) {
        const far = distance(first, second, FULL);
        assert.ok(far > 12, `${theme}: ${first} and ${second} differ by ${far}`);
      }
    }
  }
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
