/** The grid: where two strengths vary at once, the mean of each pair. */

import type { Sweep, SweepEntry } from "../data/sweep.ts";
import { forward } from "./scales.ts";
import { type Measure, measuresOf } from "./sweep.ts";
import { type SweepPanel, valueAxis } from "./sweepPicture.ts";

/** An entry that has a place in a grid. */
interface PairEntry extends SweepEntry {
  readonly strength: Readonly<Record<string, number>>;
}

export interface GridCell {
  /** From the left, and from the top. */
  readonly column: number;
  readonly row: number;
  readonly strengths: readonly [across: number, up: number];
  /** Undefined where no run has this pair. */
  readonly entry: SweepEntry | undefined;
  readonly mean: number | undefined;
  /** From 0 to 1, of the least to the largest mean; undefined where there is none. */
  readonly shade: number | undefined;
}

export interface GridPicture {
  /** Of what the means are. */
  readonly measure: Measure | undefined;
  readonly value: Pick<SweepPanel, "name" | "scale">;
  /** The least and the largest mean. */
  readonly ends: readonly [number, number];
  /** What varies to the right, and upwards. */
  readonly names: readonly [across: string, up: string];
  readonly across: readonly number[];
  /** The largest is on top. */
  readonly up: readonly number[];
  /** Row by row. */
  readonly cells: readonly GridCell[];
}

/** The entries of two strengths that vary at once; none where it is another number. */
export function pairedEntries({ entries }: Sweep): readonly PairEntry[] {
  return entries.filter((entry): entry is PairEntry => {
    const { strength } = entry;
    return typeof strength === "object" && Object.keys(strength ?? {}).length === 2;
  });
}

export function gridPicture(sweep: Sweep): GridPicture {
  const entries = pairedEntries(sweep);
  // As the sentence has it: what says most comes last.
  const measure = measuresOf(sweep).at(-1);
  const names = Object.keys(entries[0]?.strength ?? {}) as [string, string];
  const [across, up] = names.map((name) =>
    [...new Set(entries.map(({ strength }) => strength[name] ?? 0))].sort((a, b) => a - b),
  ) as [number[], number[]];
  up.reverse();
  const meanOf = (entry: SweepEntry | undefined) => (entry && measure?.spread(entry))?.mean;
  const means = entries.flatMap((entry) => meanOf(entry) ?? []);
  const value = valueAxis(measure?.label ?? "", means, measure?.kind !== "metric");
  const ends = [Math.min(...means), Math.max(...means)] as const;
  const [low, high] = ends.map((end) => forward(value.scale, end)) as [number, number];
  const cells = up.flatMap((second, row) =>
    across.map((first, column): GridCell => {
      const entry = entries.find(
        ({ strength }) => strength[names[0]] === first && strength[names[1]] === second,
      );
      const mean = meanOf(entry);
      const shade =
        mean === undefined ? undefined : (forward(value.scale, mean) - low) / (high - low || 1);
      return { column, row, strengths: [first, second], entry, mean, shade };
    }),
  );
  return { measure, value, ends, names, across, up, cells };
}
