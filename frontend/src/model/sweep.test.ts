import assert from "node:assert/strict";
import { test } from "node:test";
import { sweepSvg } from "../drawing/sweepDrawing.ts";
import { sweepView } from "../drawing/sweepViews.ts";
import { entry, point, sweep } from "../testing/sweeps.ts";
import { numbersCsv } from "./numbers.ts";
import {
  formatSpread,
  formatStrength,
  isSweep,
  measuresOf,
  placedEntries,
  readPoint,
  sweepNumbers,
} from "./sweep.ts";

test("three known strengths are a sweep, and two with several runs each", () => {
  const runs = (...names: string[]) => names.map((name) => point(name));
  const one = entry(1, runs("b"));
  assert.ok(isSweep(sweep([entry(0, runs("a")), one, entry(2, runs("c"))])));
  assert.ok(isSweep(sweep([entry({ l1: 0 }, runs("a", "b")), entry({ l1: 1 }, runs("c", "d"))])));
  assert.ok(!isSweep(sweep([entry(0, runs("a", "c", "d")), one])));
  assert.ok(!isSweep(sweep([entry(1, runs("a", "b", "c"))])));
  assert.ok(!isSweep(sweep([entry(0, runs("a")), one, entry(null, runs("c"))])));
});

test("strengths below zero have no place on a logarithmic axis: they are a table", () => {
  assert.equal(placedEntries(sweep([entry(-1, []), entry(2, [])])).length, 0);
  assert.equal(placedEntries(sweep([entry(0, []), entry(2, []), entry(null, [])])).length, 2);
});

test("a run is read with what one must know of it", () => {
  const lost = point("b", { data_loss: null, diverged: true, unfinished: true, last_step: 1_000 });
  const all = sweep([entry(0.1, [point("a")]), entry(1, [lost], { restarted: ["b"] })]);
  assert.deepEqual(readPoint(measuresOf(all), all.entries[1]?.points[0] ?? assert.fail()), [
    ["data loss, training", "–"],
    ["penalties’ share", "–"],
    ["last step", "1,000"],
    ["note", "ended early, restarted, NaN or infinite"],
  ]);
});

test("means have their error and their range", () => {
  assert.equal(formatSpread(null), "–");
  assert.equal(formatSpread({ mean: 2, min: 2, max: 2, standardError: null }), "2");
  assert.equal(formatSpread({ mean: 2, min: 1, max: 4, standardError: 0.5 }), "2 ± 0.5 (1 – 4)");
  assert.equal(formatStrength({ l1: 0.1, l2: 1 }), "l1 0.1, l2 1");
});

test("a file has a row for each run, exactly, and nothing where there is no value", () => {
  const lost = point('lost, "b"', { data_loss: null, diverged: true });
  const exact = point("a", { data_loss: 0.1234567890123, penalty_share: 0.5 });
  const all = sweep([entry(0, [exact]), entry({ l1: 0.1, l2: 1 }, [lost])]);
  assert.deepEqual(numbersCsv(sweepNumbers(all, measuresOf(all))).split("\r\n"), [
    "strength,run,last_step,data_loss,penalty_share,note",
    "0,a,99,0.1234567890123,0.5,",
    '"l1 0.1, l2 1","lost, ""b""",99,,,NaN or infinite',
    "",
  ]);
});

test("a figure has its title, its axes and what its marks mean", () => {
  const short = point("c", { data_loss: 1.5, last_step: 9, unfinished: true });
  const all = sweep([
    entry(0, [point("a")]),
    entry(0.1, [point("b"), short]),
    entry(1, [point("d")], { chance_level: Math.LN10 }),
  ]);
  const { draw = assert.fail() } = sweepView("losses", all, "auto", new Map());
  const svg = sweepSvg(draw, 640, "Sweep");
  const texts = ["Sweep", "strength", "data loss", "penalties", "training", "smallest to largest"];
  for (const text of [
    ...texts,
    "runs of different lengths",
    "ended early, restarted or diverged",
    "guessing: 2.303",
  ]) {
    assert.ok(svg.includes(`>${text}<`), text);
  }
  assert.ok(!/NaN|Infinity|undefined/.test(svg));
});
