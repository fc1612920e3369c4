/** What the axes of a picture say. */

import type { Range } from "../data/axis.ts";
import { formatShareTick } from "./format.ts";
import { shortNames } from "./names.ts";
import type { Picture } from "./picture.ts";
import { forward } from "./scales.ts";
import { type Quantity, type Ticks, yTicks } from "./ticks.ts";

const QUANTITIES: Record<Quantity, string> = {
  loss: "loss",
  share: "share of the loss",
  ratio: "penalty ÷ data loss",
  difference: "difference of losses",
  pull: "‖∇ penalty‖ ÷ ‖∇ data loss‖",
  cosine: "cosine of the two gradients",
};

export function yLabel({ view, quantity, lines, scale }: Picture): string {
  if (view === "strip") {
    return `${QUANTITIES[quantity]} (logarithmic)`;
  }
  const isSmoothed = lines.some(({ raw }) => raw !== undefined);
  const notes = [
    ...(scale.kind === "linear" ? [] : [scale.kind]),
    ...(isSmoothed ? ["smoothed"] : []),
  ];
  return notes.length === 0
    ? QUANTITIES[quantity]
    : `${QUANTITIES[quantity]} (${notes.join(", ")})`;
}

/** Names of rows may stand closer than numbers of an axis. */
const ROWS_A_TICK = 2.5;

/** The labels of the y axis; a heat strip's rows have names instead of numbers. */
export function pictureTicks(picture: Picture, range: Range, most: number): Ticks {
  const { view, layers, scale, quantity } = picture;
  if (view !== "strip") {
    return withReferences(yTicks(scale, range, most, quantity), picture, range, most);
  }
  // Where rows are thin, every second or third has its name; the tooltip has all.
  const stride = Math.max(1, Math.ceil(layers.length / (ROWS_A_TICK * most)));
  const named = layers
    .map(({ band }, row) => ({ band, row }))
    .filter((_, row) => row % stride === 0);
  const names = shortNames(
    layers.map(({ band }) => band.label),
    18,
  );
  return {
    values: named.map(({ row }) => row + 0.5),
    labels: named.map(({ band }) => names.get(band.label) ?? ""),
  };
}

/** Lines across have their names on the axis, too, unless one is there or close by. */
function withReferences(ticks: Ticks, picture: Picture, { min, max }: Range, most: number): Ticks {
  const { scale, references } = picture;
  const place = (value: number) => forward(scale, value);
  const room = (place(max) - place(min)) / (2 * most);
  const isFree = (value: number) =>
    ticks.values.every((tick) => Math.abs(place(tick) - place(value)) >= room);
  const added = references.filter((value) => value >= min && value <= max && isFree(value));
  return {
    values: [...ticks.values, ...added],
    labels: [...ticks.labels, ...added.map(formatShareTick)],
  };
}
