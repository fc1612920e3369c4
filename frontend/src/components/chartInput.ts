/** What a hand does to a chart beside what uPlot knows: wheel, pan, click, keys. */

import type uPlot from "uplot";
import type { Range } from "../data/axis.ts";
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
  onPick(): void;
}

/** A notch of a wheel is about 100. */
const PER_PIXEL = 0.002;

export function listenToInput(plot: uPlot, target: InputTarget): void {
  const { over } = plot;
  over.addEventListener("click", (event) => {
    if (!event.shiftKey) {
      target.onPick();
    }
  });
  over.addEventListener(
    "wheel",
    (event) => {
      // As in TensorBoard: without a key, the wheel scrolls the page.
      if (event.ctrlKey || event.altKey) {
        event.preventDefault();
        const at = event.offsetX / over.clientWidth;
        const factor = Math.exp(event.deltaY * PER_PIXEL);
        target.show(scaleRange(target.range(), target.whole(), factor, at));
      }
    },
    { passive: false },
  );
}

/** Begins to pan where shift is held; true where it did. */
export function startPan(plot: uPlot, target: InputTarget, press: MouseEvent): boolean {
  if (!press.shiftKey) {
    return false;
  }
  const start = target.range();
  const perPixel = (start.max - start.min) / plot.over.clientWidth;
  const move = (event: MouseEvent) =>
    target.show(pan(start, target.whole(), (press.clientX - event.clientX) * perPixel));
  const end = () => {
    document.removeEventListener("mousemove", move);
    document.removeEventListener("mouseup", end);
  };
  document.addEventListener("mousemove", move);
  document.addEventListener("mouseup", end);
  return true;
}

/** True where the key changed what is shown. */
export function pressKey(target: InputTarget, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey) {
    return false;
  }
  const { key } = event;
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
