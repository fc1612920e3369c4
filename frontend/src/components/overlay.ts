/** Brings one band of a chart to the fore, without drawing the others again. */

import type uPlot from "uplot";
import { CHART_FONT, LOOKS } from "../drawing/look.ts";
import { paintLayer, paintLine } from "../drawing/paint.ts";
import { canvasSurface } from "../drawing/surface.ts";
import { valueRange } from "../model/ranges.ts";
import { project } from "../model/scales.ts";
import type { ChartProps } from "./chartProps.ts";
import { highlighted } from "./highlight.ts";

/** How much of the others is covered. */
const COVER = 0.75;

export function makeOverlay(plot: uPlot, latest: () => ChartProps): () => void {
  const canvas = document.createElement("canvas");
  canvas.className = "overlay";
  plot.over.append(canvas);
  return () => {
    const { width, height } = plot.bbox;
    const ctx = canvas.getContext("2d");
    if (canvas.width === width && canvas.height === height) {
      ctx?.clearRect(0, 0, width, height);
    } else {
      canvas.width = width;
      canvas.height = height;
    }
    const { picture, range, theme, colourOf } = latest();
    const key = highlighted();
    const layer = picture.layers.find(({ band }) => band.key === key);
    const lines = picture.lines.filter(({ band }) => band.key === key);
    const isAlone = picture.layers.length + picture.lines.length < 2;
    // A heat strip's rows have names beside them.
    if (ctx === null || isAlone || picture.view === "strip" || (!layer && lines.length === 0)) {
      return;
    }
    const box = { left: 0, top: 0, width, height };
    const projection = project(box, range, valueRange(picture, range), picture.scale);
    const surface = canvasSurface(ctx, devicePixelRatio, CHART_FONT);
    surface.rectangle(0, 0, width, height, { colour: LOOKS[theme].page, alpha: COVER });
    if (layer !== undefined) {
      paintLayer(surface, projection, picture.x, layer, colourOf);
    }
    for (const line of lines) {
      paintLine(surface, projection, line, colourOf);
    }
  };
}
