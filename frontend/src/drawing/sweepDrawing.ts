/** What each view of a sweep is to a canvas, to the pointer and to keys. Pure. */

import { NAME_ROOM } from "./frame.ts";
import { LOOKS, type Theme } from "./look.ts";
import type { Surface } from "./surface.ts";
import { svgFile, svgSurface } from "./svg.ts";
import { LINE } from "./sweepMarks.ts";

export interface DrawingSize {
  readonly theme: Theme;
  readonly width: number;
  /** Room above all, for a title. */
  readonly top: number;
}

export interface SweepDrawing {
  readonly width: number;
  readonly height: number;
  /** In the order in which keys go from one to the next. */
  readonly targets: readonly SweepTarget[];
  /** How near to a place of one it is pointed at, across and down. */
  readonly reach: readonly [across: number, down: number];
  /** How many are in a row of them, where there are rows. */
  readonly inRow?: number;
  readonly paint: (surface: Surface) => void;
  /** Brings one to the fore, over what was painted. */
  readonly mark: (surface: Surface, target: SweepTarget) => void;
}

/** What can be read: one run, or several. */
export interface SweepTarget {
  readonly title: string;
  readonly values: readonly (readonly [name: string, value: string])[];
  /** Of the runs' recordings. */
  readonly keys: readonly string[];
  readonly places: readonly (readonly [left: number, top: number])[];
}

/** What is nearest to a place, as its number among all; undefined where nothing is near. */
export function targetAt(
  { targets, reach: [across, down] }: SweepDrawing,
  left: number,
  top: number,
): number | undefined {
  let found: number | undefined;
  let least = 1;
  targets.forEach(({ places }, i) => {
    for (const [x, y] of places) {
      const away = Math.hypot((x - left) / across, (y - top) / down);
      if (away < least) {
        [found, least] = [i, away];
      }
    }
  });
  return found;
}

/** A figure for a paper. */
export function sweepSvg(
  draw: (size: DrawingSize) => SweepDrawing,
  width: number,
  title: string,
): string {
  const drawing = draw({ theme: "light", width, top: LINE });
  const parts: string[] = [];
  const surface = svgSurface(parts);
  parts.push(`<g font-weight="bold">`);
  surface.text(NAME_ROOM / 2, LINE, title, { colour: LOOKS.light.total, align: "left" });
  parts.push("</g>");
  drawing.paint(surface);
  return svgFile(parts, drawing.width, drawing.height);
}
