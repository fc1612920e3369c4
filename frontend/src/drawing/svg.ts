/** A picture as a figure for a paper: SVG with axes, their labels and a legend. Pure. */

import { type Band, isSummand } from "../model/bands.ts";
import { cutOff, describeCut } from "../model/cut.ts";
import { formatOrigin } from "../model/format.ts";
import type { Box } from "../model/scales.ts";
import { makeFrame } from "./frame.ts";
import { labelWidth } from "./labels.ts";
import { FONT_SIZE, LOOKS } from "./look.ts";
import { fillsOf, paintScene, type Scene } from "./paint.ts";
import {
  type Fill,
  HATCH_PERIOD,
  HATCH_WIDTH,
  HATCHES,
  type Points,
  type Surface,
} from "./surface.ts";
import { dashOf } from "./variants.ts";

export interface Figure extends Scene {
  readonly title: string;
}

const LINE = 18;
/** Between a name and what made it. */
const GAP = 4;
/** Above the plot, for the title. */
const TOP = LINE + 10;

export function figureSvg(figure: Figure): string {
  const { picture, range, width, height, title, theme } = figure;
  const frame = makeFrame(picture, range, { width, height, top: TOP });
  const parts: string[] = [];
  const surface = svgSurface(parts);
  const { total } = LOOKS[theme];
  parts.push(`<g font-weight="bold">`);
  surface.text(frame.box.left, LINE, title, { colour: total, align: "left" });
  parts.push("</g>");
  paintScene(surface, frame, figure);
  let end = legend(figure, frame.box, height + LINE, surface);
  const cut = cutOff(picture, range);
  const notInView = cut && describeCut(cut, picture);
  if (notInView !== undefined) {
    surface.text(frame.box.left, end, notInView, { colour: LOOKS[theme].text, align: "left" });
    end += LINE;
  }
  return svgFile(parts, width, end);
}

/** What was painted, as a file of a size. */
export function svgFile(parts: readonly string[], width: number, height: number): string {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const font = `font-family="Roboto, Helvetica, Arial, sans-serif" font-size="${FONT_SIZE}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font}><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>`;
}

/** Names what is drawn, in as many lines as it takes; returns where it ends. */
function legend(
  { picture, theme, colourOf }: Figure,
  box: Box,
  top: number,
  surface: Surface,
): number {
  if (picture.view === "strip") {
    // Rows have names beside them, and no colours of their own.
    return top;
  }
  const bands = [...picture.layers, ...picture.lines].map(({ band }) => band);
  let left = box.left;
  let line = top;
  for (const band of bands) {
    const origin = originOf(band);
    const named = labelWidth(band.label) + (origin === "" ? 0 : GAP);
    const needs = 24 + named + labelWidth(origin);
    if (left > box.left && left + needs > box.left + box.width) {
      left = box.left;
      line += LINE;
    }
    const isLine = band.role === "total" || band.role === "run" || !isSummand(band);
    if (isLine) {
      const stroke = { colour: colourOf(band), alpha: 1, width: 2, dash: dashOf(band) };
      surface.polyline([left, line - 4, left + 12, line - 4], stroke);
    } else {
      for (const fill of fillsOf(band, colourOf)) {
        surface.rectangle(left, line - 10, 12, 12, fill);
      }
    }
    surface.text(left + 16, line, band.label, { colour: LOOKS[theme].total, align: "left" });
    if (origin !== "") {
      surface.text(left + 16 + named, line, origin, { colour: LOOKS[theme].text, align: "left" });
    }
    left += needs + 12;
  }
  return line + LINE;
}

/** The kind and the strength of what is one term. */
function originOf({ role, members: [only, ...others] }: Band): string {
  return role === "run" || only === undefined || others.length > 0 ? "" : formatOrigin(only.column);
}

const ANCHORS = { left: "start", center: "middle", right: "end" } as const;

/** Adds what is painted to the parts of a file. */
export function svgSurface(parts: string[]): Surface {
  const hatches = new Set<string>();
  const fillOf = ({ colour, alpha, hatch }: Fill) => {
    const opacity = alpha < 1 ? ` fill-opacity="${round(alpha)}"` : "";
    if (!hatch) {
      return `fill="${colour}"${opacity}`;
    }
    const id = `h${HATCHES[hatch] + 45}${colour.slice(1)}`;
    if (!hatches.has(id)) {
      hatches.add(id);
      const [size, width] = [HATCH_PERIOD, HATCH_WIDTH];
      parts.push(
        `<pattern id="${id}" width="${size}" height="${size}" patternUnits="userSpaceOnUse" patternTransform="rotate(${HATCHES[hatch]})"><path d="M${width / 2} 0V${size}" stroke="${colour}" stroke-width="${width}"/></pattern>`,
      );
    }
    return `fill="url(#${id})"${opacity}`;
  };
  return {
    ratio: 1,
    polygon: (points, fill) => parts.push(`<path d="M${path(points)}Z" ${fillOf(fill)}/>`),
    polyline: (points, { colour, alpha, width, dash = [] }) =>
      parts.push(
        `<path d="M${path(points)}" fill="none" stroke="${colour}" stroke-width="${width}"${alpha < 1 ? ` stroke-opacity="${alpha}"` : ""}${dash.length > 0 ? ` stroke-dasharray="${dash.join(" ")}"` : ""}/>`,
      ),
    rectangle: (left, top, width, height, fill) =>
      parts.push(rectangle({ left, top, width, height }, fillOf(fill))),
    text: (x, y, text, { colour, align, isTurned }) => {
      const place = isTurned
        ? `transform="translate(${round(x)} ${round(y)}) rotate(-90)"`
        : `x="${round(x)}" y="${round(y)}"`;
      parts.push(
        `<text ${place} text-anchor="${ANCHORS[align]}" fill="${colour}">${escaped(text)}</text>`,
      );
    },
    clip: (box, paint) => {
      parts.push(`<clipPath id="c">${rectangle(box, "")}</clipPath><g clip-path="url(#c)">`);
      paint();
      parts.push("</g>");
    },
  };
}

function rectangle({ left, top, width, height }: Box, fill: string): string {
  return `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" ${fill}/>`;
}

function path(points: Points): string {
  const parts: string[] = [];
  for (const i of kept(points)) {
    parts.push(`${tenth(points[2 * i] ?? 0)} ${tenth(points[2 * i + 1] ?? 0)}`);
  }
  return parts.join(" ");
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

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  // What XML has no place for is left out.
  return text.replace(/[<>&"]|\p{Cc}/gu, (c) => (c < " " ? " " : `&#${c.charCodeAt(0)};`));
}
