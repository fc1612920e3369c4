/** How uPlot draws the frame of a chart: axes, scales and the cursor. */

import type uPlot from "uplot";
import type { Range } from "../data/axis.ts";
import { backward, forward, type Scale } from "../model/scales.ts";
import type { Ticks } from "../model/ticks.ts";
import { widest, withinEnd } from "./labels.ts";
import { CHART_FONT, type Look } from "./look.ts";

/** What a chart asks back for while it draws; read anew each time. */
export interface ChartSource {
  look(): Look;
  scale(): Scale;
  xRange(): Range;
  yRange(): Range;
  xLabel(): string;
  yLabel(): string;
  /** At most about so many. */
  xTicks(range: Range, most: number): Ticks;
  yTicks(range: Range, most: number): Ticks;
  paint(chart: uPlot): void;
  onCursor(chart: uPlot): void;
  onDrag(range: Range): void;
  /** True where the press was taken for something else than a drag. */
  onPress(chart: uPlot, event: MouseEvent): boolean;
  onReset(): void;
}

/** A shorter drag is a click with an unsteady hand. */
export const SHORTEST_DRAG = 4;

/** Beside the plot's right end: half of a label. */
const END_ROOM = 12;
const X_SPACE = 72;
const Y_SPACE = 36;

export function chartOptions(
  width: number,
  height: number,
  isSmall: boolean,
  source: ChartSource,
): uPlot.Options {
  const ySpace = isSmall ? Y_SPACE / 2 : Y_SPACE;
  const labelled = isSmall ? {} : { labelSize: 18, labelFont: CHART_FONT };
  return {
    width,
    height,
    padding: [8, END_ROOM, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: () => ends(source.xRange()) },
      y: {
        distr: 100,
        fwd: (value) => forward(source.scale(), value),
        bwd: (place) => backward(source.scale(), place),
        range: () => ends(source.yRange()),
      },
    },
    // The lines are ours: uPlot knows where the points are, for the cursor.
    series: [{}, { paths: () => null, points: { show: false } }],
    axes: [
      {
        ...axis(source),
        ...labelled,
        ...(isSmall ? {} : { label: () => source.xLabel() }),
        size: 26,
        ...ticks(X_SPACE, (chart, range) => {
          const wide = chart.bbox.width / devicePixelRatio;
          const made = source.xTicks(range, wide / X_SPACE);
          return withinEnd(made, range, wide, END_ROOM);
        }),
      },
      {
        ...axis(source),
        ...labelled,
        ...(isSmall ? {} : { label: () => source.yLabel() }),
        size: axisWidth,
        ...ticks(ySpace, (chart, range) =>
          source.yTicks(range, Math.max(2, chart.bbox.height / devicePixelRatio / ySpace)),
        ),
      },
    ],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: SHORTEST_DRAG },
      bind: {
        mousedown: (chart, _target, handler) => (event) =>
          source.onPress(chart, event) ? null : handler(event),
        dblclick: () => () => {
          source.onReset();
          return null;
        },
      },
    },
    hooks: {
      drawAxes: [(chart) => source.paint(chart)],
      setCursor: [(chart) => source.onCursor(chart)],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (width < SHORTEST_DRAG) {
            return;
          }
          const range = { min: chart.posToVal(left, "x"), max: chart.posToVal(left + width, "x") };
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          source.onDrag(range);
        },
      ],
    },
  };
}

function ends({ min, max }: Range): uPlot.Range.MinMax {
  return [min, max];
}

function axis(source: ChartSource): uPlot.Axis {
  return {
    font: CHART_FONT,
    stroke: () => source.look().text,
    grid: { stroke: () => source.look().grid, width: 1 },
    ticks: { stroke: () => source.look().grid, width: 1, size: 4 },
    gap: 4,
  };
}

/** Where uPlot puts labels and what they say: our own, so that a file has the same. */
function ticks(
  space: number,
  make: (chart: uPlot, range: Range) => Ticks,
): Pick<uPlot.Axis, "space" | "splits" | "values" | "filter"> {
  let made: Ticks = { values: [], labels: [] };
  return {
    space,
    splits: (chart, _axis, min, max) => {
      made = make(chart, { min, max });
      return [...made.values];
    },
    filter: (_chart, splits) => splits,
    values: () => [...made.labels],
  };
}

/** As wide as the longest label. */
function axisWidth(_chart: uPlot, values: string[] | null): number {
  return Math.ceil(widest(values ?? [])) + 14;
}
