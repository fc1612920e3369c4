/** What a hand does to a chart: point, select, pan, click, turn the wheel, press keys. */

import type { Range } from "../data/axis.ts";
import type { Plot, Position } from "../drawing/plot.ts";
import { pan, placeAfterKey, rangeAfterKey, scaleRange } from "../model/navigation.ts";

export interface InputTarget {
  /** What is shown, and all there is. */
  range(): Range;
  whole(): Range;
  /** Undefined for the whole. */
  show(range: Range | undefined): void;
  /** Where the buckets are. */
  buckets(): Float64Array;
  /** Where the keys' cursor is on the x axis, if anywhere. */
  reading(): number | undefined;
  read(place: number | undefined): void;
  /** The mouse is there, or has left. */
  point(position: Position | undefined): void;
  onPick(): void;
  /** Undefined for none. */
  select(range: Range | undefined): void;
  isSelected(): boolean;
  /** Where the keys' cursor is, a selection begins or ends; false where there is no cursor. */
  putEnd(): boolean;
}

/** A notch of a wheel is about 100. */
const PER_PIXEL = 0.002;

/** A shorter drag is a click with an unsteady hand. */
const SHORTEST_DRAG = 4;

export function listenToInput(plot: Plot, target: InputTarget): void {
  const { area } = plot;
  // The end of a drag is no click.
  let isDragged = false;
  area.addEventListener("mousemove", (event) => target.point(plot.positionOf(event)));
  area.addEventListener("mouseleave", () => target.point(undefined));
  area.addEventListener("mousedown", (press) => {
    isDragged = false;
    if (press.button !== 0) {
      return;
    }
    const opposite = plot.oppositeEnd(press.target);
    if (opposite !== undefined) {
      isDragged = true;
      startSelection(plot, plot.projection.x(opposite), (range) => target.select(range));
    } else if (press.shiftKey) {
      startPan(plot, target, press);
    } else {
      startSelection(plot, plot.positionOf(press).left, (range) => {
        isDragged = true;
        target.show(range);
      });
    }
  });
  plot.strip.addEventListener("mousedown", (press) => {
    if (press.button === 0) {
      startSelection(plot, plot.positionOf(press).left, (range) => target.select(range));
    }
  });
  area.addEventListener("click", (event) => {
    if (!event.shiftKey && !isDragged) {
      target.onPick();
    }
  });
  area.addEventListener("dblclick", () => target.show(undefined));
  area.addEventListener(
    "wheel",
    (event) => {
      // As in TensorBoard: without a key, the wheel scrolls the page.
      if (event.ctrlKey || event.altKey) {
        event.preventDefault();
        const at = plot.positionOf(event).left / plot.projection.box.width;
        const factor = Math.exp(event.deltaY * PER_PIXEL);
        target.show(scaleRange(target.range(), target.whole(), factor, at));
      }
    },
    { passive: false },
  );
}

function startPan(plot: Plot, target: InputTarget, press: MouseEvent): void {
  const start = target.range();
  const perPixel = (start.max - start.min) / plot.projection.box.width;
  followDrag((event) =>
    target.show(pan(start, target.whole(), (press.clientX - event.clientX) * perPixel)),
  );
}

/** From a place in pixels to wherever the mouse is let go. */
function startSelection(plot: Plot, begin: number, choose: (range: Range) => void): void {
  let end = begin;
  const isLong = () => Math.abs(end - begin) >= SHORTEST_DRAG;
  followDrag(
    (event) => {
      end = plot.positionOf(event).left;
      plot.select(isLong() ? [begin, end] : undefined);
    },
    () => {
      plot.select(undefined);
      if (isLong()) {
        const { xAt } = plot.projection;
        choose({ min: xAt(Math.min(begin, end)), max: xAt(Math.max(begin, end)) });
      }
    },
  );
}

/** Follows the mouse until its button is let go, wherever that is. */
function followDrag(move: (event: MouseEvent) => void, end = () => {}): void {
  const abort = new AbortController();
  const { signal } = abort;
  document.addEventListener("mousemove", move, { signal });
  document.addEventListener(
    "mouseup",
    () => {
      abort.abort();
      end();
    },
    { signal },
  );
}

/** True where the key changed what is shown. */
export function pressKey(target: InputTarget, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey) {
    return false;
  }
  const { key } = event;
  if (key === "s" && target.putEnd()) {
    return false;
  }
  if (key === "Escape" && target.reading() === undefined && target.isSelected()) {
    target.select(undefined);
    return false;
  }
  const place = placeAfterKey(key, target.buckets(), target.range(), target.reading());
  const range = rangeAfterKey(key, target.range(), target.whole(), target.reading());
  if (place !== undefined) {
    target.read(place ?? undefined);
  } else if (range !== undefined) {
    target.show(range ?? undefined);
  } else {
    return false;
  }
  event.preventDefault();
  return range !== undefined;
}
