import { useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Theme } from "../drawing/colours.ts";
import { LOOKS } from "../drawing/look.ts";
import { type ChartSource, chartOptions } from "../drawing/options.ts";
import { paintAreas, paintMarks } from "../drawing/paint.ts";
import type { Band } from "../model/bands.ts";
import { type Picture, type Range, valueRange } from "../model/picture.ts";
import { layerAt } from "../model/stack.ts";
import { type Pointer, Tooltip } from "./Tooltip.tsx";

const HEIGHT = 300;

interface Props {
  picture: Picture;
  /** The steps shown. */
  range: Range;
  theme: Theme;
  width: number;
  /** The chart in one sentence, for those who cannot see it. */
  label: string;
  colourOf: (band: Band) => string;
  highlighted: string | undefined;
  onZoom: (range: Range) => void;
  onReset: () => void;
}

/** Stacked areas with the total as a line over them. */
export function StackChart(props: Props) {
  const { picture, range, theme, width, label, colourOf, highlighted } = props;
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const [pointer, setPointer] = useState<Pointer>();
  // uPlot is made once and asks for what it draws: what it gets is always of the last rendering.
  const latest = useRef(props);
  latest.current = props;

  useLayoutEffect(() => {
    const source: ChartSource = {
      look: () => LOOKS[latest.current.theme],
      stepRange: () => latest.current.range,
      valueRange: () => valueRange(latest.current.picture, latest.current.range),
      paintAreas: (plot) => {
        const { picture, theme, colourOf, highlighted } = latest.current;
        paintAreas(plot, picture, LOOKS[theme], colourOf, highlighted);
      },
      paintMarks: (plot) => paintMarks(plot, latest.current.picture, LOOKS[latest.current.theme]),
      onCursor: (plot) => setPointer(pointerOf(plot, latest.current.picture)),
      onDrag: (dragged) => latest.current.onZoom(dragged),
      onReset: () => latest.current.onReset(),
    };
    const options = chartOptions(latest.current.width, HEIGHT, source);
    const plot = new uPlot(options, columns(latest.current.picture), element.current ?? undefined);
    plot.ctx.canvas.setAttribute("role", "img");
    chart.current = plot;
    return () => plot.destroy();
  }, []);

  useLayoutEffect(() => chart.current?.setSize({ width, height: HEIGHT }), [width]);
  useLayoutEffect(() => {
    chart.current?.ctx.canvas.setAttribute("aria-label", label);
  }, [label]);
  useLayoutEffect(() => {
    chart.current?.setData(columns(picture), false);
    chart.current?.setScale("x", range);
  }, [picture, range.min, range.max]);
  useLayoutEffect(() => chart.current?.redraw(false), [theme, colourOf, highlighted]);

  return (
    <div class="chart" ref={element}>
      {pointer && pointer.bucket < picture.curves.buckets && (
        <Tooltip picture={picture} pointer={pointer} colourOf={colourOf} />
      )}
    </div>
  );
}

/** uPlot's data: the steps and the total, whose gaps are null. */
function columns({ steps, total }: Picture): uPlot.AlignedData {
  const line = Array.from(steps, (_, i) => {
    const mean = total?.mean[i];
    return mean === undefined || Number.isNaN(mean) ? null : mean;
  });
  return [steps, line];
}

function pointerOf(plot: uPlot, picture: Picture): Pointer | undefined {
  const { idx, left, top } = plot.cursor;
  if (typeof idx !== "number" || left === undefined || top === undefined || left < 0) {
    return undefined;
  }
  const box = plot.over.getBoundingClientRect();
  const band = layerAt(picture.layers, idx, plot.posToVal(top, "y"))?.band;
  return { bucket: idx, x: box.left + left, y: box.top + top, ...(band ? { band } : {}) };
}
