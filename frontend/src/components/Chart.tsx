import { useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Theme } from "../drawing/colours.ts";
import { chartOptions } from "../drawing/options.ts";
import type { ColourOf } from "../drawing/paint.ts";
import type { Band } from "../model/bands.ts";
import { bandAt } from "../model/hit.ts";
import type { Picture, Range } from "../model/picture.ts";
import { nearest } from "../model/ranges.ts";
import type { ReadingOptions } from "../model/reading.ts";
import { chartSource } from "./chartSource.ts";
import { linkCursor } from "./cursorLink.ts";
import { type Pointer, Tooltip } from "./Tooltip.tsx";

export interface ChartProps {
  picture: Picture;
  /** The part of the x axis shown. */
  range: Range;
  theme: Theme;
  width: number;
  height: number;
  /** Without the names of the axes. */
  isSmall?: boolean;
  /** The chart in one sentence, for those who cannot see it. */
  label: string;
  colourOf: ColourOf;
  highlighted: string | undefined;
  reading: ReadingOptions;
  onZoom: (range: Range) => void;
  onReset: () => void;
  onPick: (band: Band) => void;
}

/** A picture in a frame of axes, with a tooltip at the pointer. */
export function Chart(props: ChartProps) {
  const { picture, range, theme, width, height, isSmall, label, colourOf, highlighted } = props;
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const [pointer, setPointer] = useState<Pointer>();
  // uPlot is made once and asks for what it draws: what it gets is always of the last rendering.
  const latest = useRef(props);
  latest.current = props;

  useLayoutEffect(() => {
    let frame = 0;
    const source = chartSource(
      () => latest.current,
      (plot) => {
        // At most one tooltip a frame, however often the mouse reports.
        cancelAnimationFrame(frame);
        frame = requestAnimationFrame(() => setPointer(pointerOf(plot, latest.current.picture)));
      },
    );
    const options = chartOptions(width, height, isSmall ?? false, source);
    const plot = new uPlot(options, columns(picture), element.current ?? undefined);
    plot.ctx.canvas.setAttribute("role", "img");
    chart.current = plot;
    const unlink = linkCursor(plot);
    const pick = (event: MouseEvent) => {
      const { picture, onPick } = latest.current;
      const band = event.shiftKey ? undefined : pointerOf(plot, picture)?.band;
      if (band !== undefined && plot.select.width === 0) {
        onPick(band);
      }
    };
    plot.over.addEventListener("click", pick);
    return () => {
      cancelAnimationFrame(frame);
      unlink();
      plot.destroy();
    };
  }, [isSmall]);

  useLayoutEffect(() => chart.current?.setSize({ width, height }), [width, height]);
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
      {pointer && pointer.bucket < picture.x.length && (
        <Tooltip picture={picture} pointer={pointer} colourOf={colourOf} options={props.reading} />
      )}
    </div>
  );
}

/** uPlot's data: where the buckets are. It draws nothing by itself. */
function columns({ x }: Picture): uPlot.AlignedData {
  return [x, x];
}

function pointerOf(plot: uPlot, picture: Picture): Pointer | undefined {
  const { left, top } = plot.cursor;
  if (left === undefined || top === undefined || left < 0 || top < 0) {
    return undefined;
  }
  const at = plot.posToVal(left, "x");
  const bucket = nearest(picture.x, at);
  if (bucket === undefined) {
    return undefined;
  }
  const box = plot.over.getBoundingClientRect();
  const value = plot.posToVal(top, "y");
  const band = bandAt(picture, at, value, (y) => Math.abs(plot.valToPos(y, "y") - top));
  const place = { bucket, at, value, x: box.left + left, y: box.top + top };
  return { ...place, ...(band ? { band } : {}) };
}
