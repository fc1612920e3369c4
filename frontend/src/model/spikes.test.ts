import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { makePicture } from "./picture.ts";
import { valueRange } from "./ranges.ts";
import type { ViewName } from "./settings.ts";
import { spikesOf } from "./spikes.ts";

const BUCKETS = 100;

/** Buckets of several steps, with their smallest and largest values. */
function buckets(
  role: "data" | "penalty",
  mean: number,
  ends: (bucket: number) => [number, number],
) {
  const all = Array.from({ length: BUCKETS }, (_, i) => ends(i));
  return {
    ...series(
      column(role, role),
      all.map(() => mean),
    ),
    min: Float32Array.from(all, ([low]) => low),
    max: Float32Array.from(all, ([, high]) => high),
  };
}

const found = (of: ReturnType<typeof buckets>) =>
  [...(spikesOf(of) ?? [])].flatMap((value, i) => (Number.isNaN(value) ? [] : [[i, value]]));

const spiky = buckets("penalty", 0.25, (i) => [0.25, i === 40 ? 4 : 0.25]);

test("a single step that sticks out is found, upwards and downwards, also at the end", () => {
  assert.deepEqual(found(spiky), [[40, 4]]);
  assert.deepEqual(found(buckets("data", 2, (i) => [i === 9 ? -1 : 2, 2])), [[9, -1]]);
  assert.deepEqual(found(buckets("data", 2, (i) => [2, i > 97 ? 7 : 2])), [
    [98, 7],
    [99, 7],
  ]);
});

test("noise and slopes stick out nowhere", () => {
  const noise = (i: number) => 0.4 + 0.15 * Math.sin(i * i);
  assert.deepEqual(found(buckets("data", 1, (i) => [1 - noise(i), 1 + noise(i + 7)])), []);
  assert.deepEqual(found(buckets("data", 0, (i) => [0, 10 * Math.exp(-i / 5)])), []);
  assert.deepEqual(found(buckets("data", 1, () => [1, 1])), []);
});

const all = curves([spiky, buckets("data", 1, () => [1, 1])]);
const picture = (view: ViewName) => makePicture(all, chooseBands(all), () => true, view);

test("a spike is in every view that shows its term", () => {
  for (const [view, from, to] of [
    ["stack", 0.25, 4],
    ["share", 0.2, 0.8],
    ["strip", 0.2, 0.8],
  ] as const) {
    const [layer] = picture(view).layers;
    assert.equal(layer?.spikes?.lower[40], from);
    assert.equal(layer?.spikes?.upper[40], to);
    assert.ok(Number.isNaN(layer?.spikes?.upper[41]));
  }
  for (const view of ["lines", "multiples", "ratio"] as const) {
    const spiked = picture(view).lines.filter(({ spikes }) => spikes?.upper[40] === 4);
    assert.ok(
      spiked.some(({ band }) => band.label === "penalty"),
      view,
    );
  }
});

test("the y range holds the spikes of a stack", () => {
  assert.equal(valueRange(picture("stack"), { min: 0, max: BUCKETS - 1 }).max, 4.2);
});

test("what lies between minimum and maximum fades with smoothing; what sticks out stays", () => {
  const smooth = (smoothing: number) =>
    makePicture(all, chooseBands(all), () => true, "lines", "linear", smoothing);
  const [none = 0, some = 0] = [smooth(0), smooth(0.5)].map(({ spread }) => spread);
  assert.ok(none > some && some > 0);
  assert.equal(smooth(0.95).spread, 0);
  assert.ok(smooth(0.95).lines.some(({ spikes }) => spikes?.upper[40] === 4));
});
