import assert from "node:assert/strict";
import { test } from "node:test";
import type { Column } from "../data/recording.ts";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands, isSummand, MORE_KEY, sumOf } from "./bands.ts";
import { DEFAULT_TOP, type StackOrder, type TermOrder } from "./settings.ts";

const total = column("total", "total");
const data = column("data", "data");
const penalty = (name: string, more: Partial<Column> = {}) => column(name, "penalty", more);

test("penalty terms come first, largest first, and data loss lies on them", () => {
  const bands = chooseBands(
    curves([
      series(total, [6, 6]),
      series(penalty("small"), [1, 1]),
      series(penalty("negative"), [-3, -3]),
      series(penalty("large"), [2, 2]),
      series(data, [0.1, 0.1]),
    ]),
  );
  assert.deepEqual(
    bands.map((band) => band.label),
    ["negative", "large", "small", "data"],
  );
});

test("many penalty terms: the largest have bands of their own, the others one together", () => {
  const terms = Array.from({ length: 300 }, (_, i) => series(penalty(`t${i}`), [300 - i, 1]));
  const bands = chooseBands(curves([series(data, [1, 1]), ...terms]));
  assert.equal(bands.length, 1 + DEFAULT_TOP + 1);
  const more = bands.at(-2);
  assert.equal(more?.key, MORE_KEY);
  assert.equal(more?.label, "288 more terms");
  assert.deepEqual([...(more?.values ?? [])], [(288 * 289) / 2, 288]);
});

test("no band stands for a single further term", () => {
  const terms = Array.from({ length: DEFAULT_TOP + 1 }, (_, i) => series(penalty(`t${i}`), [i]));
  assert.equal(
    chooseBands(curves(terms)).some(({ key }) => key === MORE_KEY),
    false,
  );
});

test("a term to be kept has a band of its own however small it is", () => {
  const terms = Array.from({ length: 30 }, (_, i) => series(penalty(`t${i}`), [30 - i]));
  const bands = chooseBands(curves(terms), { keep: new Set(["penalty:t29"]) });
  assert.ok(bands.some(({ key }) => key === "penalty:t29"));
  assert.equal(bands.at(-1)?.label, "17 more terms");
});

test("a residual has a band only where it is more than rounding", () => {
  const residual = (significant: boolean) =>
    series(column("residual", "unexplained", { derived: true, significant }), [0.5]);
  const roles = (significant: boolean) =>
    chooseBands(curves([series(data, [1]), residual(significant)])).map(({ role }) => role);
  assert.deepEqual(roles(true), ["data", "unexplained"]);
  assert.deepEqual(roles(false), ["data"]);
});

test("penalties are ordered by share, by the size of their variables, by name or as recorded", () => {
  const all = curves([
    series(penalty("b", { shape: [2, 3] }), [1]),
    series(penalty("a", { size: 100 }), [2]),
    series(penalty("c"), [3]),
  ]);
  const labels = (order: TermOrder) => chooseBands(all, { order }).map(({ label }) => label);
  assert.deepEqual(labels("share"), ["c", "a", "b"]);
  assert.deepEqual(labels("size"), ["a", "b", "c"]);
  assert.deepEqual(labels("name"), ["a", "b", "c"]);
  assert.deepEqual(labels("recorded"), ["b", "a", "c"]);
});

test("the data loss may be the bottom instead: what is left over stays on top", () => {
  const all = curves([
    series(data, [1]),
    series(penalty("small"), [2]),
    series(penalty("large"), [3]),
    series(column("residual", "unexplained", { derived: true, significant: true }), [0.5]),
  ]);
  const labels = (stackOrder: StackOrder) =>
    chooseBands(all, { stackOrder }).map(({ label }) => label);
  assert.deepEqual(labels("penalties"), ["large", "small", "data", "residual"]);
  assert.deepEqual(labels("data"), ["data", "large", "small", "residual"]);
});

test("what is no summand of the loss comes after all that is", () => {
  const bands = chooseBands(
    curves([
      series(column("decay", "implicit"), [9]),
      series(column("b", "inside"), [8]),
      series(column("a", "unused"), [7]),
      series(penalty("c"), [1]),
      series(data, [1]),
    ]),
  );
  const isPart = bands.map((band) => [band.label, isSummand(band)]);
  const beside = [
    ["decay", false],
    ["a", false],
    ["b", false],
  ];
  assert.deepEqual(isPart, [["c", true], ["data", true], ...beside]);
});

test("a gap is not zero, in a band and in the sum of several", () => {
  const terms = Array.from({ length: 20 }, (_, i) =>
    series(penalty(`t${i}`), [
      20 - i,
      i < 15 ? 1 : undefined,
      undefined,
      i === 19 ? Number.NaN : 1,
    ]),
  );
  const bands = chooseBands(curves(terms));
  assert.ok(Number.isNaN(bands[0]?.values[2]));
  const more = [...(bands.at(-1)?.values ?? [])];
  assert.equal(more[1], 3);
  assert.ok(Number.isNaN(more[2]), "no term was recorded");
  assert.ok(Number.isNaN(more[3]), "one term is not finite");
});

test("a sum with a part that is not finite is not known, whichever comes first", () => {
  const parts = chooseBands(
    curves([
      series(penalty("a"), [1, Number.NaN, 1, undefined]),
      series(penalty("b"), [2, 2, Number.NaN, 2]),
    ]),
  );
  for (const bands of [parts, parts.toReversed()]) {
    assert.deepEqual([...sumOf(bands)], [3, Number.NaN, Number.NaN, 2]);
  }
});

test("where a term is in half of a bucket's rows, it weighs half in the stack", () => {
  const whole = { ...series(data, [4]), rows: Uint32Array.of(10) };
  const half = { ...series(penalty("new"), [2]), rows: Uint32Array.of(5) };
  const bands = chooseBands(curves([whole, half]));
  assert.deepEqual(
    bands.map((band) => band.values[0]),
    [1, 4],
  );
});

test("the terms of an opened group lie where their sum would, and count as one", () => {
  const parts = [5, 3, 3, 2, 1, 0.5].map((value, i) =>
    series(column(["large", "a/x", "a/y", "b", "c", "d"][i] ?? "", "penalty"), [value]),
  );
  const members = new Set(["penalty:a/x", "penalty:a/y"]);
  const groupsOf = (key: string) => (members.has(key) ? ["a"] : []);
  const bands = chooseBands(curves(parts), { top: 3, keep: members, groupsOf });
  assert.deepEqual(
    bands.map(({ label }) => label),
    ["a/x", "a/y", "large", "b", "2 more terms"],
  );
});

test("groups within a group lie side by side in it, the largest first", () => {
  const values = { "a/0/x": 1, "b/x": 20, "a/1/x": 7, "a/0/y": 8, "a/1": 3, "a/2/y": 4 };
  const parts = Object.entries(values).map(([name, value]) => series(penalty(name), [value]));
  // "a", "a/0" and "a/1" are open: the sums of the latter two are 9 and 7.
  const groupsOf = (key: string) => {
    const [, block] = /^penalty:(a\/[01])\/./.exec(key) ?? [];
    return key.startsWith("penalty:a/") ? ["a", ...(block === undefined ? [] : [block])] : [];
  };
  const labels = (order: TermOrder) =>
    chooseBands(curves(parts), { order, groupsOf }).map(({ label }) => label);
  assert.deepEqual(labels("share"), ["a/0/y", "a/0/x", "a/1/x", "a/2/y", "a/1", "b/x"]);
  assert.deepEqual(labels("name"), ["a/0/x", "a/0/y", "a/1", "a/1/x", "a/2/y", "b/x"]);
});
