/** How uPlot draws the frame of a chart: axes, scales, the total's line and the cursor. */

import type uPlot from "uplot";
import { formatTicks } from "../model/format.ts";
import type { Range } from "../model/picture.ts";
import { CHART_FONT, type Look } from "./look.ts";

/** What a chart asks back for while it draws; read anew each time. */
export interface ChartSource {
  look(): Look;
  stepRange(): Range;
  valueRange(): Range;
  paintAreas(chart: uPlot): void;
  paintMarks(chart: uPlot): void;
  onCursor(chart: uPlot): void;
  onDrag(range: Range): void;
  onReset(): void;
}

/** A shorter drag is a click with an unsteady hand. */
const SHORTEST_DRAG = 4;

/** There is nothing between two steps. */
const STEP_INCREMENTS = Array.from({ length: 16 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

export function chartOptions(width: number, height: number, source: ChartSource): uPlot.Options {
  return {
    width,
    height,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: () => ends(source.stepRange()) },
      y: { range: () => ends(source.valueRange()) },
    },
    series: [{}, { stroke: () => source.look().total, width: 1, points: { show: isSparse } }],
    axes: [
      {
        ...axis("step", source),
        space: 64,
        size: 26,
        labelSize: 18,
        incrs: STEP_INCREMENTS,
        values: labels,
      },
      { ...axis("loss", source), space: 36, size: axisWidth, labelSize: 18, values: labels },
    ],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: SHORTEST_DRAG },
      bind: {
        dblclick: () => () => {
          source.onReset();
          return null;
        },
      },
    },
    hooks: {
      drawAxes: [(chart) => source.paintAreas(chart)],
      draw: [(chart) => source.paintMarks(chart)],
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

function axis(label: string, source: ChartSource): uPlot.Axis {
  return {
    label,
    labelFont: CHART_FONT,
    font: CHART_FONT,
    stroke: () => source.look().text,
    grid: { stroke: () => source.look().grid, width: 1 },
    ticks: { stroke: () => source.look().grid, width: 1, size: 4 },
    gap: 4,
  };
}

function labels(
  _chart: uPlot,
  splits: number[],
  _axis: number,
  _space: number,
  increment: number,
): string[] {
  return formatTicks(splits, increment);
}

/** As wide as the longest label. */
function axisWidth(_chart: uPlot, values: string[] | null): number {
  const longest = (values ?? []).reduce((most, text) => Math.max(most, text.length), 2);
  return Math.ceil(longest * 6.8) + 12;
}

/** A line of few points is easier to see with them. */
function isSparse(chart: uPlot): boolean {
  return chart.data[0].length < 3;
}
