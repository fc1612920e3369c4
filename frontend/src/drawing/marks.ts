/** Marks at a chart's edges: where findings begin, where a recording was taken up again, and what is not in view. */

import type { Curves } from "../data/curves.ts";
import type { Severity } from "../data/findings.ts";
import type { Beyond, Cut } from "../model/cut.ts";
import { type Mark, xOfStep } from "../model/findings.ts";
import type { Projection } from "../model/scales.ts";
import type { Look } from "./look.ts";
import type { Surface } from "./surface.ts";

const SIZE = 6;
/** Of a restart's mark. */
const HEIGHT = 10;
const WIDTH = 2;

/** A triangle on the axis; and a line up to the top, but for what only explains. */
export function paintFindings(
  surface: Surface,
  { box, x }: Projection,
  marks: readonly Mark[],
  look: Look,
): void {
  const colours: Record<Severity, string> = {
    error: look.warning,
    warning: look.caution,
    info: look.text,
  };
  const size = SIZE * surface.ratio;
  const bottom = box.top + box.height;
  for (const { x: at, severity } of marks) {
    // In the middle of a pixel, or the line would be two faint ones.
    const centre = Math.floor(x(at)) + 0.5;
    const colour = colours[severity];
    if (severity !== "info") {
      const stroke = { colour, alpha: 1, width: 1, dash: [4, 4] };
      surface.polyline([centre, box.top, centre, bottom], stroke);
    }
    const corners = [centre - size, bottom, centre, bottom - 1.5 * size, centre + size, bottom];
    surface.polygon(corners, { colour, alpha: 1 });
  }
}

const CUT_SIZE = 4;

/** Triangles that point to what lies above or below the axis; of those that would touch, one. */
export function paintCut(
  surface: Surface,
  { box, x }: Projection,
  { above, below }: Cut,
  look: Look,
): void {
  const size = CUT_SIZE * surface.ratio;
  const paint = ({ places }: Beyond, edge: number, base: number) => {
    let last = Number.NEGATIVE_INFINITY;
    for (const place of [...places].sort((left, right) => left - right)) {
      const centre = x(place);
      if (centre - last >= 2 * size) {
        last = centre;
        const corners = [centre - size, base, centre, edge, centre + size, base];
        surface.polygon(corners, { colour: look.total, alpha: 1 });
        surface.polyline([...corners, ...corners.slice(0, 2)], {
          colour: look.page,
          alpha: 1,
          width: 1,
        });
      }
    }
  };
  const bottom = box.top + box.height;
  paint(above, box.top, box.top + 1.5 * size);
  paint(below, bottom, bottom - 1.5 * size);
}

/** A short line on the axis for each: fifty of them hide nothing. */
export function paintRestarts(
  surface: Surface,
  { box, x }: Projection,
  curves: Curves,
  look: Look,
): void {
  for (const { step } of curves.restarts) {
    const at = xOfStep(curves, step);
    if (at !== undefined) {
      paintRestart(surface, Math.round(x(at)), box.top + box.height, look);
    }
  }
}

/** The mark itself, that stands on a line: also in a figure's legend. */
export function paintRestart(surface: Surface, centre: number, bottom: number, look: Look): void {
  const [width, height] = [WIDTH * surface.ratio, HEIGHT * surface.ratio];
  surface.rectangle(centre - width / 2, bottom - height, width, height, {
    colour: look.text,
    alpha: 1,
  });
}
