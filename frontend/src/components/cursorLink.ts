/** One cursor for all charts: where the pointer is in one, the others show the same x. */

import type { Plot } from "../drawing/plot.ts";

const plots = new Set<Plot>();

/** Lets a chart follow the others; the function returned takes it out again. */
export function linkCursor(plot: Plot): () => void {
  plots.add(plot);
  return () => plots.delete(plot);
}

/** Puts the others' cursors where a chart's own is, or takes them away. */
export function leadCursors(plot: Plot): void {
  const { cursor } = plot;
  const at = cursor && plot.projection.xAt(cursor.left);
  for (const other of plots) {
    if (other !== plot) {
      follow(other, at);
    }
  }
}

function follow(plot: Plot, at: number | undefined): void {
  const { box, x } = plot.projection;
  const left = at === undefined ? -1 : x(at);
  plot.moveCursor(left >= 0 && left <= box.width ? { left } : undefined);
}
