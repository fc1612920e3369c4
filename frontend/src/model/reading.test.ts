import assert from "node:assert/strict";
import { test } from "node:test";
import type { Curves } from "../data/curves.ts";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { makePicture } from "./picture.ts";
import { describeReading, READING_ROWS, read } from "./reading.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

function readingOf(all: Curves, at = 0) {
  return read(
    makePicture(all, chooseBands(all), () => true),
    { at },
  );
}

test("rows go from the top of the stack to its bottom, with values and shares", () => {
  const reading = readingOf(
    curves([
      series(column("total", "total"), [4]),
      series(column("data", "data"), [3]),
      series(column("k", "penalty"), [1]),
    ]),
  );
  assert.deepEqual(
    reading.rows.map(({ band, value, share }) => [band.label, value, plain(share)]),
    [
      ["data", "3", "75 %"],
      ["k", "1", "25 %"],
    ],
  );
  assert.deepEqual(reading.total, { value: "4" });
  assert.equal(reading.isMean, false);
});

test("a reading is told in one sentence", () => {
  const reading = readingOf(
    curves([
      series(column("total", "total"), [4]),
      series(column("data", "data"), [3]),
      series(column("k", "penalty"), [1]),
    ]),
  );
  assert.equal(plain(describeReading(reading)), "step 0: total 4; data 3, 75 %; k 1, 25 %");
  const cut = { ...reading, place: ["step 0", "2 min"], rows: [], more: 5 };
  assert.equal(describeReading(cut), "step 0, 2 min: total 4; 5 more");
});

test("a bucket of several rows says its steps and the total's range", () => {
  const total = series(column("total", "total"), [4]);
  const all = curves([
    { ...total, rows: Uint32Array.of(5), min: Float32Array.of(1), max: Float32Array.of(9) },
  ]);
  const reading = readingOf({ ...all, lastSteps: Float64Array.of(4) });
  assert.deepEqual(reading.place, ["step 0–4"]);
  assert.equal(reading.isMean, true);
  assert.deepEqual(reading.total, { value: "4", range: "1 – 9" });
});

test("a place is read off the curves that are drawn, however many buckets they have", () => {
  const first = curves([series(column("data", "data"), [0, 1, 2, 3, 4, 5, 6, 7])]);
  const zoomed = curves([series(column("data", "data"), [5, 6, 7])], 5);
  assert.deepEqual(readingOf(first, 6).place, ["step 6"]);
  assert.deepEqual(readingOf(zoomed, 6).place, ["step 6"]);
});

test("gaps and values that are not finite are named, never zero", () => {
  const all = curves([
    series(column("total", "total"), [Number.NaN]),
    series(column("a", "penalty"), [undefined]),
    series(column("b", "penalty"), [Number.POSITIVE_INFINITY]),
  ]);
  const reading = readingOf(all);
  assert.equal(reading.total?.value, "NaN");
  assert.deepEqual(
    reading.rows.map(({ value, share }) => [value, share]),
    [
      ["∞", ""],
      ["–", ""],
    ],
  );
});

test("shares are left out where a part is negative", () => {
  const all = curves([
    series(column("total", "total"), [1]),
    series(column("data", "data"), [2]),
    series(column("k", "penalty"), [-1]),
  ]);
  assert.deepEqual(
    readingOf(all).rows.map(({ share }) => share),
    ["", ""],
  );
});

test("of very many rows the smallest are left out, and said to be", () => {
  const parts = Array.from({ length: 30 }, (_, i) => series(column(`d${i}`, "data"), [30 - i]));
  const reading = readingOf(curves(parts));
  assert.equal(reading.rows.length, READING_ROWS - 1);
  assert.equal(reading.more, 15);
  assert.equal(reading.rows.at(-1)?.band.label, "d0");
});
