import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Range } from "../data/axis.ts";
import { Plot } from "../drawing/plot.ts";
import { cutOff, describeCut } from "../model/cut.ts";
import { isWhole } from "../model/navigation.ts";
import type { Picture } from "../model/picture.ts";
import { describeReading, read } from "../model/reading.ts";
import { describeSelection, stepsBetween, wholeSteps } from "../model/selection.ts";
import { formatX, X_LABELS } from "../model/ticks.ts";
import { type InputTarget, listenToInput, pressKey } from "./chartInput.ts";
import type { ChartProps } from "./chartProps.ts";
import { leadCursors, linkCursor } from "./cursorLink.ts";
import { followHighlight, highlighted, highlightNow } from "./highlight.ts";
import { keepPlace, type Pointer, pointerOf, putCursor } from "./pointer.ts";
import { Tooltip } from "./Tooltip.tsx";

const KEYS =
  "Arrow keys pan, plus and minus zoom, 0 shows all, period and comma read values; while reading, s starts and ends a selection, Escape stops.";

/** A picture in a frame of axes, with a tooltip at the pointer. */
export function Chart(props: ChartProps) {
  const { picture, range, selected, theme, width, height, isSmall, label, colourOf, marks } = props;
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<Plot | undefined>(undefined);
  const [pointer, setPointer] = useState<Pointer>();
  const [isMoved, setMoved] = useState(false);
  /** What was selected by the last key or drag, in words. */
  const [told, setTold] = useState<string>();
  // Where on the x axis keys have put the cursor.
  const place = useRef<number | undefined>(undefined);
  // Where a selection by keys began.
  const begun = useRef<number | undefined>(undefined);
  // What listens to the mouse is made once: what it finds here is always of the last rendering.
  const latest = useRef(props);
  latest.current = props;
  const frame = useRef(0);

  const readNow = (plot: Plot) => {
    const { picture, range } = latest.current;
    if (place.current !== undefined) {
      place.current = keepPlace(place.current, range);
      putCursor(plot, place.current);
      leadCursors(plot);
    }
    if (begun.current !== undefined) {
      // It ends where the chart is read, and is given up with the reading.
      begun.current = place.current === undefined ? undefined : begun.current;
      const { x } = plot.projection;
      plot.select(
        begun.current === undefined ? undefined : [x(begun.current), x(place.current ?? 0)],
      );
    }
    const next = pointerOf(plot, picture, place.current);
    highlightNow(next?.band?.key);
    setPointer(next);
  };
  /** At most one tooltip a frame, however often the mouse reports. */
  const readSoon = (plot: Plot) => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => readNow(plot));
  };
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
        readNow(plot);
      }
    },
    point: (position) => {
      const plot = chart.current;
      // The mouse takes the cursor from the keys; where it only leaves, they keep theirs.
      if (plot !== undefined && (position !== undefined || place.current === undefined)) {
        place.current = undefined;
        plot.moveCursor(position);
        leadCursors(plot);
        readSoon(plot);
      }
    },
    select: (range) => {
      const axis = latest.current.picture.curves.xAxis;
      const selected = range && wholeSteps(range, axis);
      latest.current.onSelect(selected);
      setTold(selected ? `${describeSelection(selected, axis)} selected` : "Nothing selected");
    },
    isSelected: () => latest.current.selected !== undefined,
    putEnd: () => {
      const [begin, end] = [begun.current, place.current];
      if (end === undefined) {
        return false;
      }
      if (begin === undefined) {
        begun.current = end;
        setTold("Selection starts here: go to its end and press s");
      } else {
        begun.current = undefined;
        chart.current?.select(undefined);
        target.select(stepsBetween(latest.current.picture, begin, end));
      }
      return true;
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
    if (element.current === null) {
      return;
    }
    const plot = new Plot(element.current, latest.current);
    chart.current = plot;
    plot.highlight(highlighted());
    listenToInput(plot, target);
    const unlink = linkCursor(plot);
    const unfollow = followHighlight((key) => plot.highlight(key));
    return () => {
      cancelAnimationFrame(frame.current);
      unlink();
      unfollow();
      plot.destroy();
    };
  }, []);

  useLayoutEffect(() => {
    chart.current?.canvas.setAttribute("aria-label", label);
  }, [label]);
  useLayoutEffect(() => {
    const plot = chart.current;
    plot?.draw(latest.current);
    // Where the chart is read, something else may lie there now: no frame tells of what was.
    if (plot?.cursor?.top !== undefined) {
      readNow(plot);
    }
  }, [picture, range.min, range.max, selected, theme, width, height, isSmall, colourOf, marks]);

  const shown = describeRange(picture, range);
  const cut = cutOff(picture, range);
  const notInView = cut && describeCut(cut, picture);
  const isRead = pointer !== undefined && picture.x.length > 0;
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: no element is a chart */}
      <div
        class="chart"
        ref={element}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys move along the x axis
        tabIndex={0}
        aria-label={`${label}. ${shown}. ${KEYS}`}
        onKeyDown={(event) => {
          setTold(undefined);
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
          {told ??
            (isRead && pointer.isOfKeys
              ? describeReading(read(picture, pointer, props.reading))
              : isMoved && shown)}
        </span>
        {isRead && (
          <Tooltip
            picture={picture}
            pointer={pointer}
            colourOf={colourOf}
            options={props.reading}
          />
        )}
      </div>
      {notInView !== undefined && <p class="subtitle">{notInView}</p>}
    </>
  );
}

function describeRange({ curves }: Picture, { min, max }: Range): string {
  const axis = curves.xAxis;
  return `${X_LABELS[axis]} ${formatX(axis, min)} to ${formatX(axis, max)}`;
}
