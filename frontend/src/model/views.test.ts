import assert from "node:assert/strict";
import { test } from "node:test";
import type { Curves } from "../data/curves.ts";
import { column, curves, series } from "../testing/curves.ts";
import { chooseBands } from "./bands.ts";
import { bandAt } from "./hit.ts";
import { pictureTicks } from "./labels.ts";
import { makePicture } from "./picture.ts";
import { valueRange } from "./ranges.ts";
import { refuseScale, yScale } from "./rules.ts";
import type { ScaleKind } from "./scales.ts";
import type { ViewName } from "./settings.ts";

const all = curves([
  series(column("total", "total"), [4, 8]),
  series(column("data", "data"), [2, 4]),
  series(column("k", "penalty"), [1.5, 3]),
  series(column("b", "penalty"), [0.5, 1]),
]);

function picture(view: ViewName, of: Curves = all, hidden: string[] = [], scale?: ScaleKind) {
  return makePicture(of, chooseBands(of), (key) => !hidden.includes(key), view, scale);
}

test("shares of what is shown always make 100 %", () => {
  for (const hidden of [[], ["data:data"], ["penalty:k"]]) {
    const { layers } = picture("share", all, hidden);
    assert.deepEqual([...(layers.at(-1)?.above.upper ?? [])], [1, 1]);
  }
  const data = picture("share").layers.at(-1);
  assert.deepEqual([...(data?.above.lower ?? [])], [0.5, 0.5]);
  assert.deepEqual([...(data?.band.values ?? [])], [2, 4], "the layer speaks of the values");
});

test("100 % with a negative part is refused in words, and not once that is hidden", () => {
  const negative = curves([
    series(column("data", "data"), [2, 2]),
    series(column("entropy", "penalty"), [1, -0.5]),
  ]);
  assert.match(picture("share", negative).refusal ?? "", /entropy reaches −0.5/);
  assert.equal(picture("share", negative, ["penalty:entropy"]).refusal, undefined);
});

test("lines are the values, the total last, on top of the others", () => {
  const { lines, layers } = picture("lines");
  assert.equal(layers.length, 0);
  assert.deepEqual(
    lines.map(({ band, values }) => [band.label, ...values]),
    [
      ["data", 2, 4],
      ["k", 1.5, 3],
      ["b", 0.5, 1],
      ["total", 4, 8],
    ],
  );
});

test("buckets of several rows give lines an envelope", () => {
  const [total] = all.series;
  assert.ok(total);
  const wide = { ...all, series: [{ ...total, max: Float32Array.of(9, 9) }] };
  const [line] = picture("lines", wide).lines;
  assert.deepEqual([...(line?.envelope?.upper ?? [])], [9, 9]);
  assert.equal(picture("lines").lines[0]?.envelope, undefined);
});

test("the ratio is each penalty and all of them by the data loss", () => {
  const ratio = picture("ratio", all, ["penalty:b"]);
  assert.deepEqual(
    ratio.lines.map(({ band, values }) => [band.label, ...values]),
    [
      ["k", 0.75, 0.75],
      ["all penalties", 1, 1],
    ],
  );
  assert.deepEqual(ratio.references, [0.01, 0.1, 1]);
});

test("without a data loss there is no ratio, and where it is not above zero neither", () => {
  const none = curves([series(column("k", "penalty"), [1])]);
  assert.match(picture("ratio", none).refusal ?? "", /No data loss/);
  const zero = curves([
    series(column("data", "data"), [0, -1, 1]),
    series(column("k", "penalty"), [1, 1, 1]),
  ]);
  assert.deepEqual([...(picture("ratio", zero).lines[0]?.values ?? [])].map(Number.isNaN), [
    true,
    true,
    false,
  ]);
});

test("penalties of zero are said to be, instead of an empty chart", () => {
  const off = curves([
    series(column("data", "data"), [1, 2]),
    series(column("k", "penalty"), [0, 0]),
  ]);
  assert.equal(picture("ratio", off).refusal, "The penalties are 0 at every step.");
});

test("a reference is named on the axis once, where there is room", () => {
  const ticks = (scale: ScaleKind, low: number, most: number) => {
    const of = curves([
      series(column("data", "data"), [1, 1]),
      series(column("k", "penalty"), [low, 2]),
    ]);
    const drawn = picture("ratio", of, [], scale);
    const { values } = pictureTicks(drawn, valueRange(drawn, { min: 0, max: 1 }), most);
    return drawn.references.map((value) => values.filter((tick) => tick === value).length);
  };
  assert.deepEqual(ticks("log", 0.01, 6), [1, 1, 1]);
  assert.deepEqual(ticks("log", 1e-5, 4), [1, 1, 1]);
  assert.deepEqual(ticks("linear", 0.01, 6), [0, 0, 1]);
});

test("the heat strip is refused by its own name", () => {
  const negative = curves([series(column("entropy", "penalty"), [-0.5])]);
  assert.match(picture("strip", negative).refusal ?? "", /^A heat strip/);
  assert.match(picture("share", negative).refusal ?? "", /^100 %/);
});

test("a log axis spans what is above zero, and the references of a ratio", () => {
  const { min, max } = valueRange(picture("lines", all, [], "log"), { min: 0, max: 1 });
  assert.ok(min < 0.5 && min > 0.3 && max > 8 && max < 12);
  const ratio = valueRange(picture("ratio", all, [], "log"), { min: 0, max: 1 });
  assert.ok(ratio.min < 0.01 && ratio.max > 1);
});

test("lines need no zero, shares always have the whole", () => {
  const far = curves([series(column("total", "total"), [100, 101])]);
  assert.ok(valueRange(picture("lines", far), { min: 0, max: 1 }).min > 99);
  assert.deepEqual(valueRange(picture("share"), { min: 0, max: 1 }), { min: 0, max: 1 });
});

test("smoothed values are drawn with the raw ones behind", () => {
  const smooth = {
    ...all,
    series: all.series.map((s) => ({ ...s, smoothed: Float32Array.of(1, 1) })),
  };
  const total = picture("lines", smooth).lines.at(-1);
  assert.deepEqual([...(total?.values ?? [])], [1, 1]);
  assert.deepEqual([...(total?.raw ?? [])], [4, 8]);
});

test("stacks refuse log axes in words; the others take any", () => {
  for (const view of ["stack", "share"] as const) {
    assert.match(refuseScale(view, "log") ?? "", /linear axis/);
    assert.equal(yScale(view, "log"), "linear");
    assert.equal(refuseScale(view, "linear"), undefined);
  }
  assert.equal(refuseScale("lines", "symlog"), undefined);
  assert.equal(yScale("lines", "symlog"), "symlog");
  assert.equal(yScale("ratio", "auto"), "log");
});

test("the pointer means the band under it, the line near it, the row it is in", () => {
  const away = (at: number) => (value: number) => Math.abs(value - at) * 10;
  assert.equal(bandAt(picture("stack"), 0, 1.4, away(1.4))?.label, "k");
  assert.equal(bandAt(picture("lines"), 0, 2.1, away(2.1))?.label, "data");
  assert.equal(bandAt(picture("lines"), 0, 30, away(30)), undefined);
  assert.equal(bandAt(picture("strip"), 0, 0.5, away(0.5))?.label, "k");
});
