/** One cursor for all charts: where the pointer is in one, the others show the same x. */

import type uPlot from "uplot";

const charts = new Set<uPlot>();

/** Puts the others' cursors where a chart's own is. */
export function leadCursors(chart: uPlot): void {
  const { left } = chart.cursor;
  const at = left === undefined || left < 0 ? undefined : chart.posToVal(left, "x");
  for (const other of charts) {
    if (other !== chart) {
      follow(other, at);
    }
  }
}

/** Lets a chart lead and follow; the function returned takes it out again. */
export function linkCursor(chart: uPlot): () => void {
  const lead = () => leadCursors(chart);
  const leave = () => {
    for (const other of charts) {
      follow(other, undefined);
    }
  };
  charts.add(chart);
  chart.over.addEventListener("mousemove", lead);
  chart.over.addEventListener("mouseleave", leave);
  return () => {
    charts.delete(chart);
  };
}

function follow(chart: uPlot, at: number | undefined): void {
  const left = at === undefined ? -10 : chart.valToPos(at, "x");
  const isInside = left >= 0 && left <= chart.over.clientWidth;
  // Below zero at the top: the tooltip stays with the chart under the pointer.
  chart.setCursor({ left: isInside ? left : -10, top: -10 }, false);
}
