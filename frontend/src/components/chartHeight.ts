/** How high a chart is, in pixels. */

const LOWEST = 300;
const HIGHEST = 480;
/** Of a chart's width, between the two. */
const SHARE = 0.36;
/** What is above and below a chart that fills the screen. */
const AROUND = 220;

export function chartHeight(width: number, isFull: boolean): number {
  return isFull
    ? Math.max(LOWEST, window.innerHeight - AROUND)
    : Math.round(Math.min(HIGHEST, Math.max(LOWEST, SHARE * width)));
}
