import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { pictureTicks } from "./labels.ts";
import { makePicture } from "./picture.ts";

function namesOfRows(rows: number): readonly string[] {
  const all = curves(
    Array.from({ length: rows }, (_, i) => series(column(`term_${i}`, "penalty"), [1])),
  );
  const bands = chooseBands(all, { top: 0, order: "name" });
  const picture = makePicture(all, bands, () => true, "strip");
  return pictureTicks(picture, { min: 0, max: rows }, 8).labels;
}

test("each row of a heat strip has its name; among many, as many as there is room for", () => {
  assert.equal(namesOfRows(12).length, 12);
  assert.deepEqual(namesOfRows(40).slice(0, 3), ["term_0", "term_2", "term_4"]);
  assert.ok(namesOfRows(300).length <= 20);
});
