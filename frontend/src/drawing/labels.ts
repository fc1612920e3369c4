/** How much room the labels of axes take. */

import type { Range } from "../data/axis.ts";
import type { Ticks } from "../model/ticks.ts";

/** About how wide a letter of FONT_SIZE is, in pixels. */
const LETTER = 6.6;

export function labelWidth(text: string): number {
  return text.length * LETTER;
}

/** The widest of them; no less than two letters. */
export function widest(labels: readonly string[]): number {
  return labels.reduce((most, label) => Math.max(most, labelWidth(label)), 2 * LETTER);
}

/** Without the labels that would be cut off at the end of an x axis; `room` is beyond it. */
export function withinEnd(ticks: Ticks, range: Range, width: number, room: number): Ticks {
  const { min, max } = range;
  const end = (value: number, label: string) =>
    ((value - min) / (max - min)) * width + labelWidth(label) / 2;
  const labels = ticks.labels.map((label, i) =>
    end(ticks.values[i] ?? min, label) <= width + room ? label : "",
  );
  return { ...ticks, labels };
}
