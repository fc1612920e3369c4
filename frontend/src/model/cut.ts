/** What a chosen y range leaves out of a chart. */

import type { Range } from "../data/axis.ts";
import { formatValue } from "./format.ts";
import { isLimited } from "./limits.ts";
import type { Picture } from "./picture.ts";
import { drawnEdges, fixedRange, remember, valueRange } from "./ranges.ts";

/** What lies beyond one end of the axis. */
export interface Beyond {
  /** Where on the x axis. */
  readonly places: ReadonlySet<number>;
  readonly farthest: number;
}

/** What is drawn and not in view. */
export interface Cut {
  readonly values: Range;
  readonly above: Beyond;
  readonly below: Beyond;
}

/** What is drawn and not in view, where a person chose a y range; undefined where nobody did. */
export const cutOff = remember((picture, range): Cut | undefined => {
  if (fixedRange(picture) !== undefined || !isLimited(picture.limits)) {
    return undefined;
  }
  const values = valueRange(picture, range);
  const drawn = drawnEdges(picture, range);
  const beyond = (excess: (value: number) => number): Beyond => {
    const places = new Set<number>();
    let [farthest, most] = [Number.NaN, 0];
    for (const { x, edges, spikes } of drawn) {
      for (const edge of [...edges, ...spikes]) {
        edge.forEach((value, i) => {
          // NaN compares as false; what a log axis has no place for is told of elsewhere.
          const by = picture.scale.kind === "log" && value <= 0 ? 0 : excess(value);
          if (by > 0) {
            places.add(x[i] ?? 0);
            [farthest, most] = by > most ? [value, by] : [farthest, most];
          }
        });
      }
    }
    return { places, farthest };
  };
  return {
    values,
    above: beyond((value) => value - values.max),
    below: beyond((value) => values.min - value),
  };
});

/** What is not in view, in words; undefined where all is. */
export function describeCut(
  { values, above, below }: Cut,
  { layers, curves }: Picture,
): string | undefined {
  // Of a place that holds several steps, nobody knows how many of them are beyond.
  const what = curves.rows === curves.buckets ? "step" : "place";
  const isZeroSeen = values.min <= 0 && values.max >= 0;
  const beyond = ({ places, farthest }: Beyond, where: string, end: number, to: string) =>
    places.size === 0
      ? []
      : `${places.size} ${what}${places.size > 1 ? "s" : ""} ${where} ${formatValue(end)}, ${to} ${formatValue(farthest)}`;
  const parts = [
    layers.length > 0 && !isZeroSeen ? "zero, where the bands begin" : [],
    beyond(above, "above", values.max, "up to"),
    beyond(below, "below", values.min, "down to"),
  ].flat();
  return parts.length === 0 ? undefined : `Not in view: ${parts.join("; ")}.`;
}
