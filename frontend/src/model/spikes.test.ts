import assert from "node:assert/strict";
import { test } from "node:test";
import { column, curves, series } from "../testing/curves.ts";
import { makeRandom } from "../testing/random.ts";
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

/** Values in buckets of so many rows on average: of 1.5, every other one has a second. */
function bucketsOf(values: readonly number[], rows: number) {
  const bound = (i: number) => Math.round(i * rows);
  const parts = Array.from({ length: Math.round(values.length / rows) }, (_, i) =>
    values.slice(bound(i), bound(i + 1)),
  );
  const means = parts.map((part) => part.reduce((sum, value) => sum + value) / part.length);
  return {
    ...series(column("data", "data"), means),
    min: Float32Array.from(parts, (part) => Math.min(...part)),
    max: Float32Array.from(parts, (part) => Math.max(...part)),
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

test("a level that changes for good is no spike, nor is what comes with every epoch", () => {
  const level = (of: (bucket: number) => number) => {
    const values = Array.from({ length: 4 * BUCKETS }, (_, step) => of(step));
    return found(bucketsOf(values, 4));
  };
  assert.deepEqual(
    level((step) => (step < 194 ? 0.25 : 0.3)),
    [],
  );
  assert.deepEqual(
    level((step) => (step < 390 ? 0.25 : 0.3)),
    [],
  );
  assert.deepEqual(
    level((step) => (step % 16 === 2 ? 4 : 0.25)),
    [],
  );
  // A few are spikes, however near to each other.
  const few = new Set([162, 163, 170, 178]);
  const heights = level((step) => (few.has(step) ? 4 : 0.25));
  assert.deepEqual(
    heights,
    [40, 42, 44].map((bucket) => [bucket, 4]),
  );
});

const random = makeRandom(14);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** By which factor a value leaves its level, for a deviation. */
const NOISE: Record<string, (deviation: number) => number> = {
  normal: (deviation) => 1 + deviation * normal(),
  "log-normal": (deviation) => Math.exp(deviation * normal()),
  uniform: (deviation) => 1 + deviation * Math.sqrt(3) * (2 * random() - 1),
};
/** What the level is, of the way from the first step to the last. */
const LEVELS: readonly ((at: number) => number)[] = [
  () => 1,
  (at) => 0.2 + 2 * Math.exp(-5 * at),
  (at) => 0.2 + at,
];
const DEVIATIONS = [0.05, 0.15, 0.3];
const DRAWN = 1000;

/** Each kind of noise of each size around each level, as many rows a bucket. */
function* noises(rows: number) {
  const steps = DRAWN * rows;
  for (const [kind, noise] of Object.entries(NOISE)) {
    for (const deviation of DEVIATIONS) {
      for (const level of LEVELS) {
        const of = (step: number) => level(step / steps);
        const values = Array.from({ length: steps }, (_, step) => of(step) * noise(deviation));
        yield { name: `${kind} of ${deviation}, ${rows} rows a bucket`, level: of, values };
      }
    }
  }
}

test("noise of 5 to 30 % has fewer than one spike in 10,000 buckets, of however many rows", () => {
  for (const rows of [1, 1.01, 1.1, 1.5, 2, 3, 5, 10, 20]) {
    const counts = [...noises(rows)].map(({ values }) => found(bucketsOf(values, rows)).length);
    const [spikes, buckets] = [counts.reduce((a, b) => a + b), DRAWN * counts.length];
    assert.ok(spikes < buckets / 10_000, `${spikes} in ${buckets} buckets of ${rows} rows`);
  }
});

test("a step of ten times what is around it is a spike in any of this noise", () => {
  for (const rows of [1.01, 1.1, 1.5, 2, 3, 5, 20]) {
    for (const { name, level, values } of noises(rows)) {
      // The first losses may be anything.
      const bucket = 2 + Math.floor(random() * (DRAWN - 2));
      const at = Math.round(bucket * rows);
      values[at] = 10 * level(at);
      const of = bucketsOf(values, rows);
      // The mean of a single row is the spike itself.
      const isDrawn = of.mean[bucket] === of.max[bucket];
      const spikes = isDrawn ? [] : [[bucket, Math.fround(10 * level(at))]];
      assert.deepEqual(found(of), spikes, name);
    }
  }
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
