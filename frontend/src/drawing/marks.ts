/** Marks on the x axis: where findings begin, and where a recording was taken up again. */

import type { Curves } from "../data/curves.ts";
import type { Severity } from "../data/findings.ts";
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

/** A short line on the axis for each: fifty of them hide nothing. */
export function paintRestarts(
  surface: Surface,
  { box, x }: Projection,
  curves: Curves,
  look: Look,
): void {
  const [width, height] = [WIDTH * surface.ratio, HEIGHT * surface.ratio];
  const top = box.top + box.height - height;
  for (const { step } of curves.restarts) {
    const at = xOfStep(curves, step);
    if (at !== undefined) {
      surface.rectangle(Math.round(x(at)) - width / 2, top, width, height, {
        colour: look.text,
        alpha: 1,
      });
    }
  }
}
