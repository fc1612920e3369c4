import assert from "node:assert/strict";
import { test } from "node:test";
import { type Band, chooseBands } from "../model/bands.ts";
import type { Limits } from "../model/limits.ts";
import { makePicture } from "../model/picture.ts";
import type { ViewName } from "../model/settings.ts";
import type { Layer } from "../model/stack.ts";
import { column, curves, series } from "../testing/curves.ts";
import { makeFrame } from "./frame.ts";
import { figureSvg } from "./svg.ts";

const all = curves([
  series(column("total", "total"), [4, 8, Number.NaN]),
  series(column("data", "data"), [2, 4, 4]),
  series(column('<k> & "b"\n\u0001', "penalty"), [2, 4, undefined]),
  series(column("residual", "unexplained"), [1, 1, 1]),
]);

const FIGURE = {
  width: 640,
  height: 360,
  title: "run",
  theme: "light",
  colourOf: ({ role }: Band) => (role === "data" ? "#112233" : "#445566"),
} as const;

function draw(view: ViewName, title = "run") {
  const picture = makePicture(all, chooseBands(all), () => true, view);
  return figureSvg({ ...FIGURE, picture, range: { min: 0, max: 2 }, title });
}

type Point = readonly [x: number, y: number];

/** The corners of the first shape of a colour. */
function pathOf(colour: string, svg: string): Point[] {
  const [, d = ""] = new RegExp(`<path d="M([^"]*)Z" fill="${colour}"`).exec(svg) ?? [];
  return pointsOf(d);
}

/** Of a path whose points after the first are given by their distance from the one before. */
function pointsOf(d: string): Point[] {
  const numbers = (d.match(/-?(\d+\.?\d*|\.\d+)/g) ?? []).map(Number);
  let [x, y] = [0, 0];
  return numbers.flatMap((across, i) => {
    if (i % 2 === 1) {
      return [];
    }
    [x, y] = [x + across, y + (numbers[i + 1] ?? 0)];
    return [[x, y] as const];
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
  // Three points along the top, and three back a pixel under the edge of the penalty, which covers
  // it; at the last step, where there is no penalty, along zero.
  const edges = pathOf("#112233", draw("stack")).map(([, y]) => y);
  assert.equal(edges.length, 6);
  const heights = [1, 1, 0].map((under, i) => (edges[5 - i] ?? 0) - under - (edges[i] ?? 0));
  assert.ok(Math.abs((heights[1] ?? 0) / (heights[0] ?? 1) - 2) < 0.01);
  // As a file has them: the differences of its numbers have digits of their own.
  assert.equal(heights[1]?.toFixed(6), heights[2]?.toFixed(6));
});

test("a band that others cover reaches to zero: each edge is written once", () => {
  const whole = curves([
    series(column("data", "data"), [2, 4, 4]),
    series(column("kernel", "penalty"), [2, 4, 1]),
  ]);
  const picture = makePicture(whole, chooseBands(whole), () => true);
  const svg = figureSvg({ ...FIGURE, picture, range: { min: 0, max: 2 } });
  const data = pathOf("#112233", svg);
  const penalty = pathOf("#445566", svg);
  const zero = penalty[3]?.[1];
  assert.deepEqual([data.length, penalty.length], [5, 5]);
  assert.deepEqual([data[3]?.[1], data[4]?.[1], penalty[4]?.[1]], [zero, zero, zero]);
});

test("stripes are laid over a shape that is written once", () => {
  const bands = chooseBands(all).map((band) => ({ ...band, variant: 1 }));
  const picture = makePicture(all, bands, () => true);
  const svg = figureSvg({ ...FIGURE, picture, range: { min: 0, max: 2 } });
  assert.match(
    svg,
    /<g fill="#112233"><path id="(p\d+)" d="M[^"]*Z"\/><\/g><use xlink:href="#\1" fill="url\(#h0ffffff\)"/,
  );
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

test("a figure says where the run was restarted", () => {
  const picture = makePicture(all, chooseBands(all), () => true);
  const restarted = { ...all, restarts: [{ step: 1, after: 1 }] };
  const figure = { ...FIGURE, range: { min: 0, max: 2 } };
  const said = />went back to step 1 from 1</;
  assert.match(figureSvg({ ...figure, picture: { ...picture, curves: restarted } }), said);
  assert.doesNotMatch(figureSvg({ ...figure, picture }), said);
});

const STEPS = Array.from({ length: 1000 }, (_, i) => i);
const RANGE = { min: 0, max: 999 };

/** A thousand terms and a data loss, as a figure of a size that pages have. */
function drawMany(term: (term: number, step: number) => number, view: ViewName) {
  const terms = STEPS.map((i) =>
    series(
      column(`layer_${i}/kernel`, "penalty"),
      STEPS.map((step) => term(i, step)),
    ),
  );
  const data = STEPS.map((step) => 200 + 200 * noise(step));
  const many = curves([...terms, series(column("data", "data"), data)]);
  const bands = chooseBands(many, { top: 0 });
  const picture = makePicture(many, bands, () => true, view);
  const figure = { ...FIGURE, width: 900, picture, range: RANGE };
  const frame = makeFrame(picture, RANGE, { ...figure, top: 28 });
  return { svg: figureSvg(figure), picture, projection: frame.projectInto(frame.box) };
}

/** The golden ratio's multiples lie between 0 and 1 without an order, and the same every time. */
function noise(i: number): number {
  return (i * 0.618034) % 1;
}

/** A tenth, and half a tenth each way for the digits of the file. */
const NEAR = 0.18;

test("a figure of 1,000 terms below a noisy data loss is no larger than 2 MB, and true", () => {
  const smooth = (term: number, step: number) =>
    (1 + 0.4 * Math.sin(step / 90 + term)) / (1 + (term % 7));
  const { svg, picture, projection } = drawMany(smooth, "stack");
  assert.ok(svg.length < 2e6, `${svg.length} bytes`);
  assert.doesNotMatch(svg, /areas/);
  const points = pathOf("#112233", svg);
  for (const step of STEPS) {
    const sum = picture.layers.reduce((total, { band }) => total + (band.values[step] ?? 0), 0);
    const away = distance([projection.x(step), projection.y(sum)], points);
    assert.ok(away < NEAR, `${away} pixels at step ${step}`);
  }
});

for (const view of ["stack", "share"] as const) {
  test(`a figure of 1,000 noisy terms is no larger than 2 MB, and says what it joined: ${view}`, () => {
    const noisy = (term: number, step: number) => noise(7919 * term + 104_729 * step + term * step);
    const { svg, picture, projection } = drawMany(noisy, view);
    assert.ok(svg.length < 2e6, `${svg.length} bytes`);
    const said = /1,001 terms in (\d+) areas: .* nowhere (\d+) px high/.exec(svg);
    const [count, highest] = [Number(said?.[1]), Number(said?.[2])];
    const shapes = [...svg.matchAll(/<path d="M([^"]*)Z" fill="#/g)].map(([, d = ""]) =>
      pointsOf(d),
    );
    assert.equal(shapes.length, count);
    const steps = [0, 333, 500, 998];
    const sums = new Map(steps.map((step) => [step, sumsAt(step, picture.layers)]));
    // From top to bottom, each is the upper edge of a band, and what lies between is no higher.
    let above = picture.layers.length;
    for (const shape of shapes) {
      const place = (layer: number, step: number) =>
        [projection.x(step), projection.y(sums.get(step)?.[layer] ?? Number.NaN)] as const;
      const isEdge = (layer: number) =>
        steps.every((step) => distance(place(layer, step), shape) < NEAR);
      let layer = above - 1;
      while (layer >= 0 && !isEdge(layer)) {
        layer--;
      }
      assert.ok(layer >= 0, `below layer ${above}`);
      if (above < picture.layers.length - 1) {
        for (const step of steps) {
          const height = place(layer, step)[1] - place(above, step)[1];
          // Either edge may be that of a neighbour as near.
          assert.ok(height < highest + 2 * NEAR, `${height} pixels at step ${step}`);
        }
      }
      above = layer;
    }
  });
}

/** What the layers up to each, itself included, are together. */
function sumsAt(step: number, layers: readonly Layer[]): number[] {
  let sum = 0;
  return layers.map(({ above: { lower, upper } }) => {
    sum += (upper[step] ?? 0) - (lower[step] ?? 0);
    return sum;
  });
}

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
