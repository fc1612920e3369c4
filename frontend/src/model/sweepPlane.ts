/** The plane: data loss against penalty ÷ strength, on the way from the first to the last step. */

import type { Range } from "../data/axis.ts";
import type { Strength, Sweep, SweepPoint, Trajectory } from "../data/sweep.ts";
import { enumerate, formatValue } from "./format.ts";
import type { NumberTable } from "./numbers.ts";
import { logRange } from "./ranges.ts";
import { formatStrength, type TextTable } from "./sweep.ts";
import { type SweepPanel, valueAxis } from "./sweepPicture.ts";

export interface Way {
  readonly point: SweepPoint;
  readonly strength: Strength;
  /** That of its strength: seeds are alike. */
  readonly number: number;
  readonly places: Trajectory;
}

export interface PlanePicture {
  readonly ways: readonly Way[];
  /** The runs that have none. */
  readonly without: readonly string[];
  /** Of penalty ÷ strength, in decades. */
  readonly range: Range;
  readonly y: Pick<SweepPanel, "name" | "scale" | "range">;
}

export function planePicture({ entries, trajectories }: Sweep): PlanePicture {
  const all = entries.flatMap(({ strength, points }, number) =>
    points.map((point) => {
      return { point, strength, number, places: trajectories?.get(point.run) ?? [] };
    }),
  );
  const ways = all.filter(({ places }) => places.length > 0);
  const places = ways.flatMap((way) => way.places);
  const losses = places.map(([, loss]) => loss);
  // No more numbers than a call may have arguments: only the ends count.
  const penalties = places.map(([penalty]) => penalty).sort((left, right) => left - right);
  const { min, max } = logRange(penalties[0] ?? 1, penalties[penalties.length - 1] ?? 1);
  return {
    ways,
    without: all.filter(({ places }) => places.length === 0).map(({ point }) => point.run),
    range: { min: Math.log10(min), max: Math.log10(max) },
    y: valueAxis("data loss", losses, true),
  };
}

/** A row for each point, for other programs. */
export function planeNumbers({ ways }: PlanePicture): NumberTable {
  return {
    columns: ["run", "strength", "part", "penalty_over_strength", "data_loss"],
    rows: ways.flatMap(({ point, strength, places }) =>
      places.map((place, part) => [point.run, formatStrength(strength), part, ...place]),
    ),
  };
}

/** Where runs begin and end. */
export function planeTable({ ways }: PlanePicture): TextTable {
  return {
    name: "Trajectories",
    headings: ["Run", "Strength", "Penalty ÷ λ", "Data loss"],
    rows: ways.map((way) => [
      way.point.run,
      formatStrength(way.strength),
      ...[0, 1].map((axis) => fromTo(way, axis)),
    ]),
  };
}

/** Of penalty ÷ strength, or of the data loss. */
export function fromTo({ places }: Way, axis: number): string {
  const ends = [places[0], places[places.length - 1]];
  return ends.map((place) => formatValue(place?.[axis] ?? Number.NaN)).join(" → ");
}

/** What the plane does not show, and why. */
export function planeNote({ without }: PlanePicture): string {
  return without.length === 0
    ? ""
    : `Not drawn, as their penalties have no single strength above 0: ${enumerate(without)}.`;
}
