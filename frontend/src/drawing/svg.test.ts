import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseBands } from "../model/bands.ts";
import type { Limits } from "../model/limits.ts";
import { makePicture } from "../model/picture.ts";
import type { ViewName } from "../model/settings.ts";
import { column, curves, series } from "../testing/curves.ts";
import { figureSvg } from "./svg.ts";

const all = curves([
  series(column("total", "total"), [4, 8, Number.NaN]),
  series(column("data", "data"), [2, 4, 4]),
  series(column('<k> & "b"\n\u0001', "penalty"), [2, 4, undefined]),
  series(column("residual", "unexplained"), [1, 1, 1]),
]);

function draw(view: ViewName, title = "run") {
  return figureSvg({
    picture: makePicture(all, chooseBands(all), () => true, view),
    range: { min: 0, max: 2 },
    width: 640,
    height: 360,
    title,
    theme: "light",
    colourOf: (band) => (band.role === "data" ? "#112233" : "#445566"),
  });
}

test("a figure has its title, its axes' labels and every band's name", () => {
  const svg = draw("stack", "my run");
  for (const text of ["my run", ">step<", ">loss<", ">data<", ">total<", ">residual<"]) {
    assert.ok(svg.includes(text), text);
  }
  assert.match(svg, /<pattern id="h90445566"/);
});

test("names are escaped: the file is well-formed whatever they are", () => {
  const svg = draw("lines", "<script>");
  assert.ok(svg.includes("&#60;k&#62; &#38; &#34;b&#34;"));
  assert.ok(!svg.includes("<script>"));
  assert.ok(!svg.includes("\u0001"));
});

test("the edges of a band are where its values are", () => {
  const svg = draw("stack");
  const [, d = ""] = /<path d="M([^"]*)Z" fill="#112233"/.exec(svg) ?? [];
  const numbers = d.split(" ").map(Number);
  // Three points along the top, three back a pixel under the edge of the penalty, which covers it.
  const edges = numbers.filter((_, i) => i % 2 === 1);
  const heights = edges.slice(0, 3).map((top, i) => (edges[5 - i] ?? 0) - 1 - top);
  assert.equal(heights.length, 3);
  assert.ok(Math.abs((heights[1] ?? 0) / (heights[0] ?? 1) - 2) < 0.01);
  // As a file has them: the differences of its numbers have digits of their own.
  assert.equal(heights[1]?.toFixed(6), heights[2]?.toFixed(6));
});

test("every view becomes a figure without a number that is none", () => {
  for (const view of ["stack", "share", "lines", "ratio", "strip"] as const) {
    const svg = draw(view);
    assert.ok(!/NaN|Infinity|undefined/.test(svg.replace(/>[^<]*</g, "><")), view);
  }
});

test("what a chosen y range leaves out is marked and said in the figure", () => {
  const drawn = makePicture(all, chooseBands(all), () => true);
  const size = { width: 400, height: 200, title: "run", theme: "light" } as const;
  const figure = { range: { min: 0, max: 2 }, ...size, colourOf: () => "#445566" };
  const mark = /<path d="M[^"]*Z" fill="#202124"/g;
  const count = (limits: Limits) => {
    const svg = figureSvg({ ...figure, picture: { ...drawn, limits } });
    return [svg.match(mark)?.length ?? 0, /Not in view: [^<]*/.exec(svg)?.[0]];
  };
  assert.deepEqual(count({}), [0, undefined]);
  const [marks, said] = count({ max: 0.01 });
  assert.equal(marks, 3);
  assert.match(String(said), /^Not in view: 3 steps above 0.01, up to /);
});

test("a figure of 1,000 terms is no larger than 2 MB", () => {
  const steps = Array.from({ length: 900 }, (_, i) => i);
  const terms = Array.from({ length: 1000 }, (_, term) =>
    series(
      column(`layer_${term}/kernel`, "penalty"),
      steps.map((step) => (1 + 0.4 * Math.sin(step / 90 + term)) / (1 + (term % 7))),
    ),
  );
  const many = curves(terms);
  const picture = makePicture(many, chooseBands(many, { top: 0 }), () => true);
  const range = { min: 0, max: 899 };
  const size = { width: 900, height: 360, title: "run", theme: "light" } as const;
  const svg = figureSvg({ picture, range, ...size, colourOf: () => "#445566" });
  assert.ok(svg.length < 2e6, `${svg.length} bytes`);
});
