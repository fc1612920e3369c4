import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, run, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { comparisonPicture, runLines } from "./compare.ts";
import { numbersCsv, numbersJson, numbersOf } from "./numbers.ts";
import { makePicture } from "./picture.ts";
import type { ViewName } from "./settings.ts";

const all = curves([
  series(column("total", "total"), [4, 8, 2]),
  series(column("data", "data"), [2.5, 4.25, Number.NaN]),
  series(column("kernel", "penalty"), [1.5, 3.75, undefined]),
]);

function numbers(view: ViewName, range = { min: 0, max: 2 }, of = all) {
  return numbersOf(
    makePicture(of, chooseBands(of), () => true, view),
    range,
  );
}

test("a stack is the total and each band's own height", () => {
  assert.deepEqual(numbers("stack"), {
    columns: ["step", "total", "kernel", "data"],
    rows: [
      [0, 4, 1.5, 2.5],
      [1, 8, 3.75, 4.25],
      [2, 2, Number.NaN, Number.NaN],
    ],
  });
});

test("only what is shown is there, in the unit of the view", () => {
  assert.deepEqual(numbers("share", { min: 0, max: 0 }).rows, [[0, 0.375, 0.625]]);
  assert.deepEqual(numbers("ratio", { min: 0, max: 0 }).rows, [[0, 0.6, 0.6]]);
});

test("negative terms keep their sign", () => {
  const negative = curves([series(column("entropy", "penalty"), [-0.5, 0.25])]);
  assert.deepEqual(
    numbers("stack", { min: 0, max: 1 }, negative).rows.map(([, value]) => value),
    [-0.5, 0.25],
  );
});

test("buckets of several rows have their ends, and lines their smallest and largest value", () => {
  const kernel = { ...series(column("kernel", "penalty"), [2]), max: Float32Array.of(3) };
  const bucket = { ...curves([kernel]), lastXs: Float64Array.of(9) };
  const table = numbers("lines", { min: 0, max: 9 }, bucket);
  assert.deepEqual(table.columns, [
    "first_step",
    "last_step",
    "kernel",
    "kernel (min)",
    "kernel (max)",
  ]);
  assert.deepEqual(table.rows, [[0, 9, 2, 2, 3]]);
});

test("runs of other steps leave gaps to one another", () => {
  const runs = [run("a", [1], [1]), run("b", [3, 4], [1, 1], 1)];
  const [{ curves: sample }] = runs as [(typeof runs)[0]];
  const lines = runLines(runs, "data");
  const picture = comparisonPicture(lines, () => true, "data", "linear", sample);
  assert.equal(
    numbersJson(numbersOf(picture, { min: 0, max: 2 })),
    '{"columns":["step","a","b"],"rows":[[0,1,null],[1,null,3],[2,null,4]]}',
  );
});

test("CSV quotes names, leaves gaps empty and tells roles apart", () => {
  const twice = curves([
    series(column('a, "b"', "data"), [0.1, undefined]),
    series(column('a, "b"', "penalty"), [1e-7, 2]),
  ]);
  assert.equal(
    numbersCsv(numbers("stack", { min: 0, max: 1 }, twice)),
    'step,"penalty: a, ""b""","data: a, ""b"""\r\n0,1e-7,0.1\r\n1,2,\r\n',
  );
});
