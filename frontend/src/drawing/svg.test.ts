import assert from "node:assert/strict";
import { test } from "node:test";
import { type Band, chooseBands } from "../model/bands.ts";
import type { Limits } from "../model/limits.ts";
import { makePicture } from "../model/picture.ts";
import type { ViewName } from "../model/settings.ts";
import { column, curves, series } from "../testing/curves.ts";
import { makeFrame } from "./frame.ts";
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

test("a figure of 1,000 terms below a noisy data loss is no larger than 2 MB, and true", () => {
  const steps = Array.from({ length: 1000 }, (_, i) => i);
  const values = (term: number) =>
    steps.map((step) => (1 + 0.4 * Math.sin(step / 90 + term)) / (1 + (term % 7)));
  const terms = steps.map((term) =>
    series(column(`layer_${term}/kernel`, "penalty"), values(term)),
  );
  // The golden ratio's multiples lie between 0 and 1 without an order, and the same every time.
  const noise = steps.map((step) => 200 + 200 * ((step * 0.618034) % 1));
  const many = curves([...terms, series(column("data", "data"), noise)]);
  const bands = chooseBands(many, { top: 0 });
  const picture = makePicture(many, bands, () => true);
  const colourOf = ({ role }: Band) => (role === "data" ? "#112233" : "#445566");
  const size = { width: 900, height: 360, title: "run", theme: "light" } as const;
  const svg = figureSvg({ picture, range: { min: 0, max: 999 }, ...size, colourOf });
  assert.ok(svg.length < 2e6, `${svg.length} bytes`);
  const [, d = ""] = /<path d="M([^"]*)Z" fill="#112233"/.exec(svg) ?? [];
  const numbers = d.split(" ").map(Number);
  const points = numbers.flatMap((x, i) =>
    i % 2 === 0 ? [[x, numbers[i + 1] ?? 0] as const] : [],
  );
  const frame = makeFrame(picture, { min: 0, max: 999 }, { ...size, top: 28 });
  const projection = frame.projectInto(frame.box);
  for (const step of steps) {
    const sum = bands.reduce((total, { values }) => total + (values[step] ?? 0), 0);
    const away = distance([projection.x(step), projection.y(sum)], points);
    // A tenth, and half a tenth each way for the digits of the file.
    assert.ok(away < 0.18, `${away} pixels at step ${step}`);
  }
});

type Point = readonly [x: number, y: number];

/** From a point to the nearest one of a line. */
function distance([x, y]: Point, line: readonly Point[]): number {
  const each = line.slice(1).map(([right, bottom], i) => {
    const [left, top] = line[i] ?? [right, bottom];
    const [across, down] = [right - left, bottom - top];
    const along = ((x - left) * across + (y - top) * down) / (across ** 2 + down ** 2 || 1);
    const share = Math.min(1, Math.max(0, along));
    return Math.hypot(left + share * across - x, top + share * down - y);
  });
  return Math.min(...each);
}
