import assert from "node:assert/strict";
import { test } from "node:test";
import { sweepSvg, targetAt } from "../drawing/sweepDrawing.ts";
import { inkOn } from "../drawing/sweepGrid.ts";
import { sweepView, viewsOf } from "../drawing/sweepViews.ts";
import { entry, point, sweep } from "../testing/sweeps.ts";
import { numbersCsv } from "./numbers.ts";
import { gridPicture } from "./sweepGrid.ts";
import { normMeasures, pathNote } from "./sweepPath.ts";
import { sweepPicture } from "./sweepPicture.ts";
import { planePicture } from "./sweepPlane.ts";

const NORMS = {
  terms: [
    { name: "a/kernel", kind: "l2" },
    { name: "a/bias", kind: "l2" },
    { name: "b/kernel", kind: "l1" },
  ],
  runs: { none: [null, null, null], one: [3, 4, 5], two: [6, 8, 7], half: [1, null, 9] },
  left_out: 0,
};

const three = (values: Record<string, unknown>) =>
  sweep(
    [
      entry(0, [point("none")]),
      entry(0.1, [point("one"), point("two")]),
      entry(1, [point("half")]),
    ],
    values,
  );

const pairs = () =>
  sweep([
    entry({ l1: 0, l2: 0 }, [point("a", { data_loss: 1 })]),
    entry({ l1: 0, l2: 1 }, [point("b", { data_loss: 3 })]),
    entry({ l1: 0.1, l2: 0 }, [point("c", { data_loss: 2 }), point("d", { data_loss: 2 })]),
  ]);

test("the norm of a group is that of its terms together, and not known without one of them", () => {
  const all = three({ norms: NORMS });
  const [a, b] = normMeasures(all.norms ?? assert.fail(), "layer:1");
  const [none, pair, half] = all.entries;
  assert.deepEqual([a?.label, b?.label], ["‖w‖₂ a", "‖w‖₁ b"]);
  const spreads = [none, pair, half].map((each) => each && a?.spread(each));
  assert.deepEqual(spreads, [null, { mean: 7.5, min: 5, max: 10, standardError: null }, null]);
  assert.equal(half && b?.spread(half)?.mean, 9);
});

test("each kind of norm has a plot, from nothing on, that says where nothing is recorded", () => {
  const all = three({ norms: NORMS });
  const measures = normMeasures(all.norms ?? assert.fail(), "term");
  const [l2, l1] = sweepPicture(all, measures).panels;
  assert.deepEqual([l1?.name, l2?.name], ["‖w‖₁", "‖w‖₂"]);
  assert.deepEqual([l1?.range.min, l2?.range.min], [0, 0]);
  assert.deepEqual([l1?.gaps.length, l2?.gaps.length], [1, 1]);
  const said = "Norms are not recorded at strength 0: only L1 and L2 penalties tell them.";
  assert.equal(pathNote(all, measures), said);
});

test("until norms have come, the losses stay", () => {
  const { table } = sweepView("path", three({}), "auto", new Map());
  assert.ok(table.headings.includes("Data loss, training"));
});

test("seeds go one way each, and what has none is named", () => {
  const trajectories = {
    one: [
      [100, 2],
      [1, 0.5],
    ],
    two: [[10, 1]],
    none: [],
    half: [],
  };
  const all = three({ trajectories });
  const { ways, without, range } = planePicture(all);
  assert.deepEqual(
    ways.map(({ point, number }) => [point.run, number]),
    [
      ["one", 1],
      ["two", 1],
    ],
  );
  assert.deepEqual(without, ["none", "half"]);
  assert.ok(range.min < 0 && range.max > 2 && range.max < 2.2);
  const { numbers, note } = sweepView("plane", all, "auto", new Map());
  assert.equal(numbersCsv(numbers()).split("\r\n")[2], "one,0.1,1,1,0.5");
  assert.match(note, /none and half\.$/);
});

test("a pair of strengths is a cell, the largest on top, and one that nobody ran is there", () => {
  const { cells, across, up, ends } = gridPicture(pairs());
  assert.deepEqual(
    [across, up, ends],
    [
      [0, 0.1],
      [1, 0],
      [1, 3],
    ],
  );
  assert.deepEqual(
    cells.map(({ strengths, mean, shade }) => [...strengths, mean, shade]),
    [
      [0, 1, 3, 1],
      [0.1, 1, undefined, undefined],
      [0, 0, 1, 0],
      [0.1, 0, 2, 0.5],
    ],
  );
});

test("a grid is pointed at from corner to corner of its cells", () => {
  const { draw = assert.fail() } = sweepView("grid", pairs(), "auto", new Map());
  const drawing = draw({ theme: "light", width: 500, top: 0 });
  const [[x = 0, y = 0] = []] = drawing.targets[3]?.places ?? [];
  assert.equal(targetAt(drawing, x - 100, y - 27), 3);
  assert.equal(targetAt(drawing, x, y - 29), 1);
  const svg = sweepSvg(draw, 500, "Sweep");
  for (const text of ["no run", "1 run", "2 runs", "mean of data loss, training", "l1", "l2"]) {
    assert.ok(svg.includes(`>${text}<`), text);
  }
  assert.ok(!/NaN|Infinity|undefined/.test(svg));
});

test("a sweep has the views that its strengths have a place in", () => {
  assert.deepEqual(viewsOf(three({})), ["losses", "path", "plane"]);
  assert.deepEqual(viewsOf(pairs()), ["grid"]);
  const many = sweep([entry({ l1: 0, l2: 0, activity: 1 }, [point("a")])]);
  assert.deepEqual(viewsOf(many), []);
  assert.match(sweepView(undefined, many, "auto", new Map()).note, /More than two/);
});

test("what is written on a colour can be read on it", () => {
  for (let grey = 0; grey < 256; grey++) {
    const light =
      grey / 255 <= 0.04045 ? grey / 255 / 12.92 : ((grey / 255 + 0.055) / 1.055) ** 2.4;
    const colour = `#${grey.toString(16).padStart(2, "0").repeat(3)}`;
    const isBlack = inkOn(colour) === "#000000";
    assert.ok((isBlack ? (light + 0.05) / 0.05 : 1.05 / (light + 0.05)) >= 4.5, colour);
  }
});
