import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseBands } from "../model/bands.ts";
import { makePicture } from "../model/picture.ts";
import { column, curves, series } from "../testing/curves.ts";
import { type Frame, makeFrame, paintFrame } from "./frame.ts";
import { LOOKS } from "./look.ts";
import type { Surface } from "./surface.ts";

const all = curves([
  series(column("total", "total"), [4, 8, 6]),
  series(column("data", "data"), [2, 4, 4]),
]);
const picture = makePicture(all, chooseBands(all), () => true);
const RANGE = { min: 0, max: 2 };
const SIZE = { width: 600, height: 300 };

/** What a frame paints: lines as their ends, and texts with where they are. */
function painted(frame: Frame, ratio = 1) {
  const lines: number[][] = [];
  const texts: [text: string, x: number, y: number][] = [];
  const surface: Surface = {
    ratio,
    polyline: (points) => lines.push(Array.from(points)),
    text: (x, y, text) => texts.push([text, x, y]),
    polygon: () => assert.fail("a frame has no areas"),
    rectangle: () => assert.fail("a frame has no areas"),
    clip: () => assert.fail("a frame is not cut off"),
  };
  paintFrame(surface, frame, LOOKS.light);
  return { lines, texts };
}

test("each tick has its line and its label, where its value is", () => {
  const frame = makeFrame(picture, RANGE, SIZE);
  const { box, x, y } = frame;
  const { lines, texts } = painted(frame);
  const { ticks } = y;
  const across = lines.slice(x.ticks.values.length);
  assert.equal(across.length, ticks.values.length);
  ticks.values.forEach((value, i) => {
    const expected = box.top + box.height * (1 - value / 8.4);
    const [begin = 0, left = 0, end = 0, right = 0] = across[i] ?? [];
    assert.ok(Math.abs(left - expected) <= 1 && left === right, String(value));
    assert.deepEqual([begin, end], [box.left - 4, box.left + box.width]);
    const label = texts.find(([text, at]) => text === ticks.labels[i] && at < box.left);
    assert.ok(Math.abs((label?.[2] ?? 0) - expected) <= 5, String(value));
  });
});

test("lines cover whole pixels of the screen", () => {
  const frame = makeFrame(picture, RANGE, SIZE);
  for (const [ratio, fraction] of [
    [1, 0.5],
    [2, 0],
    [3, 0.5],
  ] as const) {
    for (const [left = 0, top = 0, right = 0] of painted(frame, ratio).lines) {
      assert.equal((left === right ? left : top) % 1, fraction);
    }
  }
});

test("a sharper screen gets the same frame", () => {
  const frame = makeFrame(picture, RANGE, SIZE);
  const [once, twice] = [painted(frame, 1), painted(frame, 2)];
  assert.equal(once.lines.length, twice.lines.length);
  once.texts.forEach(([text, x, y], i) => {
    const [same, twiceX = 0, twiceY = 0] = twice.texts[i] ?? [];
    assert.equal(same, text);
    assert.ok(Math.abs(twiceX - 2 * x) <= 2 && Math.abs(twiceY - 2 * y) <= 2, text);
  });
});

test("both axes are named, but in a small chart, which has more room for its plot", () => {
  const [large, small] = [
    makeFrame(picture, RANGE, SIZE),
    makeFrame(picture, RANGE, { ...SIZE, isSmall: true }),
  ];
  const names = (frame: Frame) => painted(frame).texts.map(([text]) => text);
  assert.deepEqual(
    names(large).filter((text) => /[a-z]/.test(text)),
    ["step", "loss"],
  );
  assert.ok(!names(small).some((text) => /[a-z]/.test(text)));
  assert.ok(small.box.width > large.box.width && small.box.height > large.box.height);
});

test("everything is within the chart, however small that is", () => {
  for (const size of [
    SIZE,
    { width: 230, height: 130, isSmall: true },
    { width: 20, height: 20 },
  ]) {
    const { box } = makeFrame(picture, RANGE, size);
    assert.ok(box.width >= 1 && box.height >= 1);
    assert.ok(size.width < 100 || box.left + box.width <= size.width);
    assert.ok(size.height < 100 || box.top + box.height <= size.height);
  }
});
