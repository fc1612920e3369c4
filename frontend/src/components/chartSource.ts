/** What uPlot asks of a chart, answered from the chart's latest properties. */

import type uPlot from "uplot";
import { CHART_FONT, LOOKS } from "../drawing/look.ts";
import { paintFindings } from "../drawing/marks.ts";
import type { ChartSource } from "../drawing/options.ts";
import { paintPicture } from "../drawing/paint.ts";
import { canvasSurface } from "../drawing/surface.ts";
import { pictureTicks, yLabel } from "../model/labels.ts";
import { valueRange } from "../model/ranges.ts";
import { project } from "../model/scales.ts";
import { X_LABELS, xTicks } from "../model/ticks.ts";
import { type InputTarget, startPan } from "./chartInput.ts";
import type { ChartProps } from "./chartProps.ts";

export function chartSource(
  latest: () => ChartProps,
  target: InputTarget,
  onCursor: (plot: uPlot) => void,
): ChartSource {
  const look = () => LOOKS[latest().theme];
  const yRange = () => valueRange(latest().picture, latest().range);
  return {
    look,
    scale: () => latest().picture.scale,
    xRange: () => latest().range,
    yRange,
    xLabel: () => X_LABELS[latest().picture.curves.xAxis],
    yLabel: () => yLabel(latest().picture),
    xTicks: (range, most) => xTicks(latest().picture.curves.xAxis, range, most),
    yTicks: (range, most) => pictureTicks(latest().picture, range, most),
    paint: (plot) => paint(plot, latest()),
    onCursor,
    onDrag: (dragged) => target.show(dragged),
    onPress: (plot, event) => startPan(plot, target, event),
    onReset: () => target.show(undefined),
  };
}

function paint({ ctx, bbox }: uPlot, props: ChartProps): void {
  const { picture, range, theme, colourOf, marks = [] } = props;
  const projection = project(bbox, range, valueRange(picture, range), picture.scale);
  const surface = canvasSurface(ctx, devicePixelRatio, scaledFont());
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paintPicture(surface, projection, picture, LOOKS[theme], colourOf);
  paintFindings(surface, projection, marks, LOOKS[theme]);
  ctx.restore();
}

function scaledFont(): string {
  return CHART_FONT.replace(/\d+/, (size) => String(Number(size) * devicePixelRatio));
}
