import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCurves } from "./curves.ts";

/** Writes an answer as docs/http_api.md describes it. */
function encode(arrays: Record<string, Float64Array | Float32Array | Uint32Array>, header: object) {
  let offset = 0;
  const index = Object.entries(arrays).map(([name, array]) => {
    const dtype =
      array instanceof Float64Array
        ? "float64"
        : array instanceof Float32Array
          ? "float32"
          : "uint32";
    const place = { name, dtype, shape: [array.length], offset };
    offset += array.byteLength;
    return place;
  });
  const json = new TextEncoder().encode(JSON.stringify({ ...header, arrays: index }));
  const begin = Math.ceil((4 + json.length) / 8) * 8;
  const answer = new Uint8Array(begin + offset).fill(32);
  new DataView(answer.buffer).setUint32(0, begin - 4, true);
  answer.set(json, 4);
  let at = begin;
  for (const array of Object.values(arrays)) {
    answer.set(new Uint8Array(array.buffer), at);
    at += array.byteLength;
  }
  return answer.buffer;
}

const header = {
  first_step: 0,
  last_step: 9,
  rows: 10,
  columns: [
    { name: "total", role: "total", derived: true },
    {
      name: "k\n<b>",
      role: "penalty",
      kind: "l1_l2",
      strength: [0.1, 0.2],
      first_non_finite_step: 7,
    },
  ],
  problems: [{ tag: "t", reason: "r" }],
};

const arrays = () => ({
  first_step: Float64Array.of(0, 5),
  last_step: Float64Array.of(4, 9),
  wall_time: Float64Array.of(1.5, 2.5),
  rows: Uint32Array.of(5, 5, 5, 4),
  min: Float32Array.of(1, 2, 3, 4),
  mean: Float32Array.of(2, 3, 4, 5),
  max: Float32Array.of(3, 4, 5, Number.NaN),
  last: Float32Array.of(1, 2, 3, Number.POSITIVE_INFINITY),
  nan: Uint32Array.of(0, 0, 0, 2),
});

test("curves are split into series by row of each array", () => {
  const decoded = decodeCurves(encode(arrays(), header));
  assert.equal(decoded.buckets, 2);
  assert.deepEqual([...decoded.lastSteps], [4, 9]);
  const [total, penalty] = decoded.series;
  assert.deepEqual([...(total?.mean ?? [])], [2, 3]);
  assert.deepEqual([...(penalty?.rows ?? [])], [5, 4]);
  assert.equal(total?.column.derived, true);
  assert.deepEqual(penalty?.column.strength, [0.1, 0.2]);
  assert.equal(penalty?.column.firstNonFiniteStep, 7);
  assert.deepEqual(decoded.problems, [{ tag: "t", reason: "r" }]);
});

test("counts of non-finite values are there only for series that have any", () => {
  const [total, penalty] = decodeCurves(encode(arrays(), header)).series;
  assert.equal(total?.nonFinite, undefined);
  assert.deepEqual([...(penalty?.nonFinite?.nan ?? [])], [0, 2]);
  assert.deepEqual([...(penalty?.nonFinite?.positiveInfinity ?? [])], [0, 0]);
});

test("a recording without rows has no buckets and no first step", () => {
  const none = { first_step: null, last_step: null, rows: 0, columns: [], problems: [] };
  const empty = Object.fromEntries(
    Object.entries(arrays()).map(([name, array]) => [name, array.subarray(0, 0).slice()]),
  );
  const decoded = decodeCurves(encode(empty, none));
  assert.equal(decoded.buckets, 0);
  assert.equal(decoded.firstStep, null);
});

test("an answer of another form is refused with the reason", () => {
  assert.throws(() => decodeCurves(new ArrayBuffer(2)), /too short/);
  const long = new ArrayBuffer(8);
  new DataView(long).setUint32(0, 99, true);
  assert.throws(() => decodeCurves(long), /within their header/);
  const { min: _, ...withoutMin } = arrays();
  assert.throws(() => decodeCurves(encode(withoutMin, header)), /array min is missing/);
});
