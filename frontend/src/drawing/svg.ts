/** A picture as a figure for a paper: SVG with axes, their labels and a legend. Pure. */

import type { Range } from "../data/axis.ts";
import { pictureTicks, yLabel } from "../model/labels.ts";
import type { Picture } from "../model/picture.ts";
import { valueRange } from "../model/ranges.ts";
import { type Box, project } from "../model/scales.ts";
import { X_LABELS, xTicks } from "../model/ticks.ts";
import { labelWidth, widest, withinEnd } from "./labels.ts";
import type { Look } from "./look.ts";
import { type ColourOf, paintPicture } from "./paint.ts";
import type { Fill, Points, Surface } from "./surface.ts";

export interface Figure {
  readonly picture: Picture;
  readonly range: Range;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly look: Look;
  readonly colourOf: ColourOf;
}

const FONT = 12;
const LINE = 18;
/** Beside the plot's right end. */
const END_ROOM = 16;

export function figureSvg(figure: Figure): string {
  const { picture, range, width, height, title, look, colourOf } = figure;
  const yRange = valueRange(picture, range);
  const y = pictureTicks(picture, yRange, height / 40);
  const labels = widest(y.labels);
  const box = {
    left: labels + 34,
    top: LINE + 10,
    width: width - labels - 34 - END_ROOM,
    height: height - 78,
  };
  const made = xTicks(picture.curves.xAxis, range, box.width / 80);
  const x = withinEnd(made, range, box.width, END_ROOM);
  const projection = project(box, range, yRange, picture.scale);
  const bottom = box.top + box.height;
  const parts: string[] = [];
  const surface = svgSurface(parts);
  const put = (left: number, top: number, text: string, anchor: string, more = "") =>
    parts.push(
      `<text x="${round(left)}" y="${round(top)}" text-anchor="${anchor}"${more}>${escaped(text)}</text>`,
    );
  const rule = (points: Points) =>
    surface.polyline(points, { colour: look.grid, alpha: 1, width: 1 });

  put(box.left, LINE, title, "start", ' font-weight="bold"');
  x.values.forEach((value, i) => {
    rule([projection.x(value), box.top, projection.x(value), bottom]);
    put(projection.x(value), bottom + LINE, x.labels[i] ?? "", "middle");
  });
  y.values.forEach((value, i) => {
    rule([box.left, projection.y(value), box.left + box.width, projection.y(value)]);
    put(box.left - 6, projection.y(value) + 4, y.labels[i] ?? "", "end");
  });
  put(box.left + box.width / 2, bottom + 2 * LINE, X_LABELS[picture.curves.xAxis], "middle");
  const middle = `${LINE - 4} ${round(box.top + box.height / 2)}`;
  put(0, 0, yLabel(picture), "middle", ` transform="translate(${middle}) rotate(-90)"`);
  parts.push(`<clipPath id="c">${rectangle(box, "")}</clipPath><g clip-path="url(#c)">`);
  paintPicture(surface, projection, picture, look, colourOf);
  parts.push("</g>");
  const end = legend(figure, box, bottom + 3 * LINE, surface, put);
  const size = `width="${width}" height="${end}" viewBox="0 0 ${width} ${end}"`;
  const font = `font-family="Roboto, Helvetica, Arial, sans-serif" font-size="${FONT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font} fill="${look.total}"><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>`;
}

/** Names what is drawn, in as many lines as it takes; returns where it ends. */
function legend(
  { picture, colourOf }: Figure,
  box: Box,
  top: number,
  surface: Surface,
  put: (left: number, top: number, text: string, anchor: string) => void,
): number {
  const bands = [...picture.layers, ...picture.lines].map(({ band }) => band);
  let left = box.left;
  let line = top;
  for (const band of bands) {
    const needs = 24 + labelWidth(band.label);
    if (left > box.left && left + needs > box.left + box.width) {
      left = box.left;
      line += LINE;
    }
    const fill = { colour: colourOf(band), alpha: 1, hatched: band.role === "unexplained" };
    const isLine = band.role === "total";
    surface.rectangle(left, line - (isLine ? 5 : 10), 12, isLine ? 2 : 12, fill);
    put(left + 16, line, band.label, "start");
    left += needs + 12;
  }
  return line + LINE;
}

function svgSurface(parts: string[]): Surface {
  const fillOf = ({ colour, alpha, hatched }: Fill) => {
    if (!hatched) {
      return `fill="${colour}"${alpha < 1 ? ` fill-opacity="${round(alpha)}"` : ""}`;
    }
    const id = `h${colour.slice(1)}`;
    parts.push(
      `<pattern id="${id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M1 0V6" stroke="${colour}" stroke-width="2"/></pattern>`,
    );
    return `fill="url(#${id})"`;
  };
  return {
    ratio: 1,
    polygon: (points, fill) => parts.push(`<path d="M${path(points)}Z" ${fillOf(fill)}/>`),
    polyline: (points, { colour, alpha, width, dashed }) =>
      parts.push(
        `<path d="M${path(points)}" fill="none" stroke="${colour}" stroke-width="${width}"${alpha < 1 ? ` stroke-opacity="${alpha}"` : ""}${dashed ? ' stroke-dasharray="4"' : ""}/>`,
      ),
    rectangle: (left, top, width, height, fill) =>
      parts.push(rectangle({ left, top, width, height }, fillOf(fill))),
    text: (x, y, text, _colour, align) =>
      parts.push(
        `<text x="${round(x)}" y="${round(y)}" text-anchor="${align === "right" ? "end" : "start"}">${escaped(text)}</text>`,
      ),
  };
}

function rectangle({ left, top, width, height }: Box, fill: string): string {
  return `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" ${fill}/>`;
}

function path(points: Points): string {
  return Array.from(points, round).join(" ");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  // What XML has no place for is left out.
  return text.replace(/[<>&"]|\p{Cc}/gu, (c) => (c < " " ? " " : `&#${c.charCodeAt(0)};`));
}
