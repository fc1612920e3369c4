/** A picture as a figure for a paper: SVG with axes, their labels and a legend. Pure. */

import { isSummand } from "../model/bands.ts";
import type { Box } from "../model/scales.ts";
import { makeFrame } from "./frame.ts";
import { labelWidth } from "./labels.ts";
import { FONT_SIZE, LOOKS } from "./look.ts";
import { paintScene, type Scene } from "./paint.ts";
import type { Fill, Points, Surface } from "./surface.ts";

export interface Figure extends Scene {
  readonly title: string;
}

const LINE = 18;
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
  const end = legend(figure, frame.box, height + LINE, surface);
  const size = `width="${width}" height="${end}" viewBox="0 0 ${width} ${end}"`;
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
    const needs = 24 + labelWidth(band.label);
    if (left > box.left && left + needs > box.left + box.width) {
      left = box.left;
      line += LINE;
    }
    const fill = { colour: colourOf(band), alpha: 1, hatched: band.role === "unexplained" };
    const isLine = band.role === "total" || !isSummand(band);
    surface.rectangle(left, line - (isLine ? 5 : 10), 12, isLine ? 2 : 12, fill);
    surface.text(left + 16, line, band.label, { colour: LOOKS[theme].total, align: "left" });
    left += needs + 12;
  }
  return line + LINE;
}

const ANCHORS = { left: "start", center: "middle", right: "end" } as const;

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
  return Array.from(points, round).join(" ");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  // What XML has no place for is left out.
  return text.replace(/[<>&"]|\p{Cc}/gu, (c) => (c < " " ? " " : `&#${c.charCodeAt(0)};`));
}
