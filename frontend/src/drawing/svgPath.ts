/** Lines as SVG writes them, in as few letters as hold them. Pure. */

import type { Points } from "./surface.ts";

/** In tenths of a pixel: the first point, then each by its distance from the one before. */
export function svgPath(points: Points): string {
  const tenths = (i: number) => Math.round((points[i] ?? 0) * 10);
  const parts = ["M"];
  let before = "";
  const write = (distance: number) => {
    const number = decimal(distance);
    // A sign begins a number, and so does its second point.
    const isApart = before === "" || number[0] === "-";
    if (!isApart && !(number[0] === "." && before.includes("."))) {
      parts.push(" ");
    }
    parts.push(number);
    before = number;
  };
  let [left, top] = [0, 0];
  kept(points).forEach((i, place) => {
    const [x, y] = [tenths(2 * i), tenths(2 * i + 1)];
    if (place === 1) {
      parts.push("l");
      before = "";
    }
    write(x - left);
    write(y - top);
    [left, top] = [x, y];
  });
  return parts.join("");
}

/** The same few distances come again and again, and writing a number takes long. */
const known = new Map<number, string>();

function decimal(tenths: number): string {
  const text = known.get(tenths) ?? String(tenths / 10).replace(/^(-?)0\./, "$1.");
  known.set(tenths, text);
  return text;
}

/** What nobody sees in print, in pixels. */
const TOLERANCE = 0.1;

/** The points without which the line would be elsewhere: a thousand smooth bands need few each. */
function kept(points: Points): readonly number[] {
  const count = points.length / 2;
  const keep = [0];
  let from = 0;
  let [steepest, flattest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 1; i < count; i++) {
    // From the last point kept, all that came since lie within the tolerance of one direction.
    const slopes = (at: number) => {
      const across = (points[2 * at] ?? 0) - (points[2 * from] ?? 0);
      const down = (points[2 * at + 1] ?? 0) - (points[2 * from + 1] ?? 0);
      return [across, down] as const;
    };
    let [across, down] = slopes(i);
    const isTurned =
      across === 0 || across > 0 !== (points[2 * i - 2] ?? 0) > (points[2 * from] ?? 0);
    const slope = down / across;
    if (i - 1 > from && (isTurned || slope > steepest || slope < flattest)) {
      keep.push(i - 1);
      from = i - 1;
      [steepest, flattest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      [across, down] = slopes(i);
    }
    if (across === 0) {
      // Straight up or down, as at the end of an area: no other point is in this direction.
      [steepest, flattest] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      continue;
    }
    const slack = TOLERANCE / Math.abs(across);
    steepest = Math.min(steepest, down / across + slack);
    flattest = Math.max(flattest, down / across - slack);
  }
  if (count > 1) {
    keep.push(count - 1);
  }
  return keep;
}
