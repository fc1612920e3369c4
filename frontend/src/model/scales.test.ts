import assert from "node:assert/strict";
import { test } from "node:test";
import { backward, forward, LINEAR, project, scaleFor } from "./scales.ts";

const BOX = { left: 10, top: 20, width: 100, height: 50 };

test("every scale leads there and back", () => {
  for (const kind of ["linear", "log", "symlog"] as const) {
    const scale = scaleFor(kind, 1000);
    for (const value of [1e-6, 0.5, 1, 999]) {
      const there = backward(scale, forward(scale, value));
      assert.ok(Math.abs(there / value - 1) < 1e-9, `${kind} ${value}`);
    }
  }
});

test("symlog keeps sign and order through zero", () => {
  const scale = scaleFor("symlog", 100);
  const places = [-100, -1, -0.01, 0, 0.01, 1, 100].map((value) => forward(scale, value));
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.equal(places[3], 0);
  assert.equal(places[0], -(places[6] ?? 0));
});

test("a projection puts the ends of the ranges on the edges of the box", () => {
  const { x, y } = project(BOX, { min: 0, max: 10 }, { min: 1, max: 100 }, scaleFor("log", 100));
  assert.deepEqual([x(0), x(10)], [10, 110]);
  assert.deepEqual([y(1), y(100)], [70, 20]);
  assert.equal(y(10), 45);
});

test("a projection leads back from each pixel", () => {
  for (const kind of ["linear", "log", "symlog"] as const) {
    const range = { min: 1, max: 100 };
    const { x, y, xAt, yAt } = project(BOX, { min: 0, max: 10 }, range, scaleFor(kind, 100));
    assert.ok(Math.abs(xAt(x(7)) - 7) < 1e-9, kind);
    assert.ok(Math.abs(yAt(y(7)) - 7) < 1e-9, kind);
  }
});

test("what a log scale cannot show is far outside, and still a number", () => {
  const { y } = project(BOX, { min: 0, max: 1 }, { min: 1, max: 10 }, scaleFor("log", 10));
  assert.ok(y(0) > 1000 && Number.isFinite(y(0)));
  const linear = project(BOX, { min: 0, max: 1 }, { min: 0, max: 1 }, LINEAR);
  assert.ok(Number.isFinite(linear.y(1e38)));
});
