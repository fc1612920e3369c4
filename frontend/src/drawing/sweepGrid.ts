/** Draws the grid: a cell for each pair of strengths, the stronger its colour the larger its mean. */

import { formatValue, shortenMiddle } from "../model/format.ts";
import { LINEAR, project } from "../model/scales.ts";
import { flagsOf, formatSpread } from "../model/sweep.ts";
import type { GridCell, GridPicture } from "../model/sweepGrid.ts";
import { formatOptional } from "../model/table.ts";
import { mix } from "./colours.ts";
import { boxOn, END_ROOM, type Frame, NAME_ROOM, paintFrame, X_ROOM, Y_ROOM } from "./frame.ts";
import { labelWidth, widest } from "./labels.ts";
import { LOOKS, type Look } from "./look.ts";
import type { Surface } from "./surface.ts";
import type { DrawingSize, SweepDrawing, SweepTarget } from "./sweepDrawing.ts";
import { LINE } from "./sweepMarks.ts";

/** Of a cell, in which two lines have room. */
const CELL = 56;
const GAP = 4;
/** The scale of colours, in parts of one colour each. */
const PARTS = 24;
const PART = 5;
const FLAG = " ◆";

export function gridDrawing(
  picture: GridPicture,
  { theme, width: wished, top }: DrawingSize,
): SweepDrawing {
  const look = LOOKS[theme];
  const { cells, across, up, measure } = picture;
  const left = Math.ceil(widest(up.map(formatValue))) + Y_ROOM + NAME_ROOM;
  const least = widest(cells.flatMap(linesOf)) + GAP;
  const width = Math.max(wished, left + across.length * least + END_ROOM);
  const above = top + 3.5 * LINE;
  const wide = width - left - END_ROOM;
  const frame: Frame = {
    box: { left, top: above, width: wide, height: up.length * CELL },
    x: { ticks: ticksOf(across), name: picture.names[0] },
    y: { ticks: ticksOf(up), name: shortenMiddle(picture.names[1], 9 * up.length) },
    projectInto: (box) =>
      // From top to bottom.
      project(box, around(across), { min: up.length - 0.5, max: -0.5 }, LINEAR),
  };
  const [cellWidth, half] = [wide / across.length, 0.5];
  const boxOf = (surface: Pick<Surface, "ratio">, { column, row }: GridCell) => {
    const { x, y } = frame.projectInto(boxOn(surface, frame.box));
    const [begin, end] = [x(column - half), x(column + half)].map(Math.round) as [number, number];
    const [high, low] = [y(row - half), y(row + half)].map(Math.round) as [number, number];
    return [begin, high, end - begin, low - high] as const;
  };
  const targets = cells.map((cell): SweepTarget => {
    const { strengths, entry } = cell;
    const [x, y, w, h] = boxOf({ ratio: 1 }, cell);
    const named = picture.names.map((name, i) => `${name} ${formatValue(strengths[i] ?? 0)}`);
    return {
      title: named.join(", "),
      values: [
        [measure?.label ?? "", formatSpread((entry && measure?.spread(entry)) ?? null)],
        ...(entry?.points ?? []).map((point) => {
          const own = formatOptional(measure?.of(point) ?? null, formatValue);
          return [point.run, [own, ...flagsOf(point)].join(", ")] as const;
        }),
      ],
      keys: entry?.points.map(({ key }) => key) ?? [],
      places: [[x + w / 2, y + h / 2]],
    };
  });
  return {
    width,
    height: above + up.length * CELL + X_ROOM + NAME_ROOM,
    // So that its corners are in it, too.
    reach: [cellWidth * Math.SQRT1_2, CELL * Math.SQRT1_2],
    inRow: across.length,
    targets,
    paint: (surface) => {
      paintScale(surface, picture, left, top, look);
      paintFrame(surface, frame, look);
      for (const cell of cells) {
        paintCell(surface, cell, boxOf(surface, cell), look);
      }
    },
    mark: (surface, target) => {
      const cell = cells[targets.indexOf(target)];
      if (cell !== undefined) {
        const [x, y, w, h] = boxOf(surface, cell);
        const corners = [x, y, x + w, y, x + w, y + h, x, y + h, x, y];
        surface.polyline(corners, { colour: look.total, alpha: 1, width: 3 });
      }
    },
  };
}

function around(values: readonly number[]) {
  return { min: -0.5, max: values.length - 0.5 };
}

function ticksOf(values: readonly number[]) {
  return { values: values.map((_, i) => i), labels: values.map(formatValue) };
}

/** From the page's colour on: the least mean is nearly the page. */
function shadeColour(shade: number, { page, heat }: Look): string {
  return mix(heat, page, 0.08 + 0.92 * shade);
}

function paintCell(
  surface: Surface,
  cell: GridCell,
  [x, y, width, height]: readonly [number, number, number, number],
  look: Look,
): void {
  const { ratio } = surface;
  const { shade } = cell;
  const colour = shade === undefined ? look.page : shadeColour(shade, look);
  surface.rectangle(x, y, width - 1, height - 1, { colour, alpha: 1 });
  if (shade === undefined) {
    surface.rectangle(x, y, width - 1, height - 1, { colour: look.grid, alpha: 1, hatch: "/" });
  }
  const ink = shade === undefined ? look.text : inkOn(colour);
  const lines = linesOf(cell);
  const middle = y + height / 2 + (5 - (LINE / 2) * (lines.length - 1)) * ratio;
  lines.forEach((line, i) => {
    const style = { colour: ink, align: "center" } as const;
    surface.text(x + width / 2, middle + i * LINE * ratio, line, style);
  });
}

/** What is written in a cell. */
function linesOf({ entry, mean }: GridCell): readonly string[] {
  if (entry === undefined) {
    return ["no run"];
  }
  const { points } = entry;
  const flag = points.some((point) => flagsOf(point).length > 0) ? FLAG : "";
  const count = `${points.length} run${points.length > 1 ? "s" : ""}${flag}`;
  return [mean === undefined ? "no value" : formatValue(mean), count];
}

/** Black or white: one of them has a contrast of 4.5 on any colour. */
export function inkOn(colour: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

/** What the colours mean, and the marks beside numbers of runs. */
function paintScale(
  surface: Surface,
  { value, ends, cells }: GridPicture,
  left: number,
  top: number,
  look: Look,
): void {
  const { ratio } = surface;
  const write = (x: number, text: string, line: number) =>
    surface.text(x * ratio, (top + line * LINE) * ratio, text, {
      colour: look.text,
      align: "left",
    });
  const [low, high] = ends.map(formatValue) as [string, string];
  const bar = left + labelWidth(low) + GAP;
  write(left, `mean of ${value.name}`, 1);
  write(left, low, 2);
  write(bar + PARTS * PART + GAP, high, 2);
  for (let i = 0; i < PARTS; i++) {
    const fill = { colour: shadeColour(i / (PARTS - 1), look), alpha: 1 };
    const at = Math.round((bar + i * PART) * ratio);
    surface.rectangle(at, (top + 2 * LINE - 10) * ratio, PART * ratio, 12 * ratio, fill);
  }
  if (cells.some((cell) => linesOf(cell).some((line) => line.endsWith(FLAG)))) {
    write(left, `${FLAG.trim()} ended early, restarted or diverged`, 3);
  }
}
