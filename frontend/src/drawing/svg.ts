/** A picture as a figure for a paper: SVG with axes, their labels and a legend. Pure. */

import { type Band, isSummand } from "../model/bands.ts";
import { cutOff, describeCut } from "../model/cut.ts";
import { formatOrigin, formatStep } from "../model/format.ts";
import { describeRestarts } from "../model/restarts.ts";
import type { Box } from "../model/scales.ts";
import { joinThin, reachingZero } from "./areas.ts";
import { makeFrame } from "./frame.ts";
import { labelWidth } from "./labels.ts";
import { FONT_SIZE, LOOKS } from "./look.ts";
import { paintRestart } from "./marks.ts";
import { fillsOf, paintScene, type Scene } from "./paint.ts";
import { type Fill, HATCH_PERIOD, HATCH_WIDTH, HATCHES, type Surface } from "./surface.ts";
import { svgPath } from "./svgPath.ts";
import { dashOf } from "./variants.ts";

export interface Figure extends Scene {
  readonly title: string;
}

/** In bytes: mail and version control take files of that size, and editors open them at once. */
const MOST = 1.9e6;
/** How high bands are that may be joined, in pixels, until the file is small enough. */
const THINNEST = [0, 0.5, 1, 2, 4];
const LINE = 18;
/** Between a name and what made it. */
const GAP = 4;
/** Above the plot, for the title. */
const TOP = LINE + 10;

/** Whole, unless a stack's bands take more bytes than that: then the thinnest are joined. */
export function figureSvg(figure: Figure): string {
  const { view } = figure.picture;
  const heights = view === "stack" || view === "share" ? THINNEST : [0];
  let svg = "";
  for (const height of heights) {
    svg = figureJoining(figure, height);
    if (svg.length < MOST) {
      break;
    }
  }
  return svg;
}

/** With bands that together are nowhere as high as so many pixels joined. */
function figureJoining(figure: Figure, thinnest: number): string {
  const { picture, range, width, height, title, theme } = figure;
  const frame = makeFrame(picture, range, { width, height, top: TOP });
  const { y } = frame.projectInto(frame.box);
  const areas = joinThin(picture.layers, thinnest / (y(0) - y(1)));
  const parts: string[] = [];
  const surface = svgSurface(parts);
  parts.push(`<g font-weight="bold">`);
  const { left } = frame.box;
  surface.text(left, LINE, title, { colour: LOOKS[theme].total, align: "left" });
  parts.push("</g>");
  paintScene(surface, frame, { ...figure, areas: reachingZero(areas) });
  let end = legend(figure, frame.box, height + LINE, surface);
  const write = (indent: number, text: string | undefined) => {
    if (text !== undefined) {
      surface.text(left + indent, end, text, { colour: LOOKS[theme].text, align: "left" });
      end += LINE;
    }
  };
  const restarts = describeRestarts(picture.curves.restarts);
  if (restarts !== undefined) {
    paintRestart(surface, left + 6, end, LOOKS[theme]);
  }
  write(16, restarts);
  const cut = cutOff(picture, range);
  write(0, cut && describeCut(cut, picture));
  write(0, describeJoined(picture.layers.length, areas.length, thinnest));
  return svgFile(parts, width, end);
}

/** What the picture shows less of than was recorded. */
function describeJoined(bands: number, areas: number, thinnest: number): string | undefined {
  return areas === bands
    ? undefined
    : `${formatStep(bands)} terms in ${formatStep(areas)} areas: neighbours that together are nowhere ${thinnest} px high have the colour of the largest`;
}

/** What was painted, as a file of a size. */
export function svgFile(parts: readonly string[], width: number, height: number): string {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const font = `font-family="Roboto, Helvetica, Arial, sans-serif" font-size="${FONT_SIZE}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size} ${font}><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>`;
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
  let shapes = 0;
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
    polygon: (points, ...fills) => {
      const [fill, ...over] = fills.map(fillOf);
      const path = `d="${svgPath(points)}Z"`;
      if (over.length === 0) {
        parts.push(`<path ${path} ${fill}/>`);
        return;
      }
      // Written once, however often it is filled.
      const id = `p${shapes++}`;
      parts.push(`<g ${fill}><path id="${id}" ${path}/></g>`);
      parts.push(...over.map((each) => `<use xlink:href="#${id}" ${each}/>`));
    },
    polyline: (points, { colour, alpha, width, dash = [] }) =>
      parts.push(
        `<path d="${svgPath(points)}" fill="none" stroke="${colour}" stroke-width="${width}"${alpha < 1 ? ` stroke-opacity="${alpha}"` : ""}${dash.length > 0 ? ` stroke-dasharray="${dash.join(" ")}"` : ""}/>`,
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

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  // What XML has no place for is left out.
  return text.replace(/[<>&"]|\p{Cc}/gu, (c) => (c < " " ? " " : `&#${c.charCodeAt(0)};`));
}
