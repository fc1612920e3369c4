/** How high a chart is, in pixels. */

import type { Picture } from "../model/picture.ts";

const LOWEST = 300;
const HIGHEST = 480;
/** Of a large window: what is wide is no banner there. */
const SHARE_OF_WINDOW = 0.45;
/** Of a chart's width, between the two. */
const SHARE = 0.36;
/** What is above and below a chart that fills the screen. */
const AROUND = 220;

/** Of a heat strip, whose rows have names: what a line of text takes, while that is not too much. */
const ROW = 13;
const HIGHEST_STRIP = 4000;
/** For the x axis. */
const BELOW = 48;

/** As high as its rows need. */
export function stripHeight({ view, layers }: Picture): number {
  return view === "strip" ? Math.min(HIGHEST_STRIP, ROW * layers.length + BELOW) : 0;
}

export function chartHeight(width: number, isFull: boolean): number {
  if (isFull) {
    return Math.max(LOWEST, window.innerHeight - AROUND);
  }
  const highest = Math.max(HIGHEST, SHARE_OF_WINDOW * window.innerHeight);
  return Math.round(Math.min(highest, Math.max(LOWEST, SHARE * width)));
}
