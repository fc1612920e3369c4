import { useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Range } from "../data/axis.ts";
import { chartOptions } from "../drawing/options.ts";
import { isWhole } from "../model/navigation.ts";
import type { Picture } from "../model/picture.ts";
import { describeReading, read } from "../model/reading.ts";
import { formatX, X_LABELS } from "../model/ticks.ts";
import { type InputTarget, listenToInput, pressKey } from "./chartInput.ts";
import type { ChartProps } from "./chartProps.ts";
import { chartSource } from "./chartSource.ts";
import { leadCursors, linkCursor } from "./cursorLink.ts";
import { followHighlight, highlightNow } from "./highlight.ts";
import { makeOverlay } from "./overlay.ts";
import { keepCursor, type Pointer, pointerOf, putCursor } from "./pointer.ts";
import { Tooltip } from "./Tooltip.tsx";

const KEYS =
  "Arrow keys pan, plus and minus zoom, 0 shows all, period and comma read values, Escape ends.";

/** A picture in a frame of axes, with a tooltip at the pointer. */
export function Chart(props: ChartProps) {
  const { picture, range, theme, width, height, isSmall = false, label, colourOf, marks } = props;
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const overlay = useRef<() => void>(() => {});
  const [pointer, setPointer] = useState<Pointer>();
  const [isMoved, setMoved] = useState(false);
  // Where on the x axis keys have put the cursor.
  const place = useRef<number | undefined>(undefined);
  // uPlot is made once and asks for what it draws: what it gets is always of the last rendering.
  const latest = useRef(props);
  latest.current = props;
  const target: InputTarget = {
    range: () => latest.current.range,
    whole: () => latest.current.whole,
    show: (next) => {
      const { whole, onZoom } = latest.current;
      onZoom(next && isWhole(next, whole) ? undefined : next);
    },
    buckets: () => latest.current.picture.x,
    reading: () => place.current,
    read: (next) => {
      const plot = chart.current;
      if (plot !== undefined) {
        place.current = next;
        putCursor(plot, next);
        leadCursors(plot);
      }
    },
    onPick: () => {
      const { picture, onPick } = latest.current;
      const band = chart.current && pointerOf(chart.current, picture, undefined)?.band;
      if (band !== undefined) {
        onPick(band);
      }
    },
  };

  useLayoutEffect(() => {
    let frame = 0;
    const onCursor = (plot: uPlot) => {
      // At most one tooltip a frame, however often the mouse reports.
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        const { picture, range } = latest.current;
        place.current = keepCursor(plot, place.current, range);
        const next = pointerOf(plot, picture, place.current);
        highlightNow(next?.band?.key);
        setPointer(next);
      });
    };
    const source = chartSource(() => latest.current, target, onCursor);
    const options = chartOptions(width, height, isSmall, source);
    const plot = new uPlot(options, columns(picture), element.current ?? undefined);
    plot.ctx.canvas.setAttribute("role", "img");
    chart.current = plot;
    overlay.current = makeOverlay(plot, () => latest.current);
    const unlink = linkCursor(plot);
    const unfollow = followHighlight(overlay.current);
    listenToInput(plot, target);
    plot.over.addEventListener("mousemove", () => {
      place.current = undefined;
    });
    return () => {
      cancelAnimationFrame(frame);
      unlink();
      unfollow();
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
  useLayoutEffect(() => chart.current?.redraw(false), [theme, colourOf, marks]);
  useLayoutEffect(() => overlay.current(), [picture, range.min, range.max, theme, width, height]);

  const shown = describeRange(picture, range);
  const isRead = pointer !== undefined && pointer.bucket < picture.x.length;
  return (
    // biome-ignore lint/a11y/useSemanticElements: no element is a chart
    <div
      class="chart"
      ref={element}
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys move along the x axis
      tabIndex={0}
      aria-label={`${label}. ${shown}. ${KEYS}`}
      onKeyDown={(event) => {
        if (pressKey(target, event)) {
          setMoved(true);
        }
      }}
      onBlur={() => {
        if (place.current !== undefined) {
          target.read(undefined);
        }
      }}
    >
      <span class="unseen" role="status">
        {isRead && pointer.isOfKeys
          ? describeReading(read(picture, pointer, props.reading))
          : isMoved && shown}
      </span>
      {isRead && (
        <Tooltip picture={picture} pointer={pointer} colourOf={colourOf} options={props.reading} />
      )}
    </div>
  );
}

function describeRange({ curves }: Picture, { min, max }: Range): string {
  const axis = curves.xAxis;
  return `${X_LABELS[axis]} ${formatX(axis, min)} to ${formatX(axis, max)}`;
}

/** uPlot's data: where the buckets are. It draws nothing by itself. */
function columns({ x }: Picture): uPlot.AlignedData {
  return [x, x];
}
