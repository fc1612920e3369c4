/** The path: what weights come to under each strength, as norms that penalties tell. */

import { columnKey } from "../data/recording.ts";
import type { Norms, Spread, Sweep } from "../data/sweep.ts";
import { formatStep, formatValue } from "./format.ts";
import { groupNamer } from "./grouping.ts";
import { MOST_TERMS } from "./places.ts";
import { type Measure, placedEntries } from "./sweep.ts";

/** The norm of a term, or of terms that are one group in all charts. */
export interface NormMeasure extends Measure {
  /** Of its colour. */
  readonly key: string;
}

/** Those that have a colour each, the largest first; those of L1 apart from those of L2. */
export function normMeasures(norms: Norms, group: string): readonly NormMeasure[] {
  const nameOf = groupNamer(group, norms.terms);
  const groups = new Map<string, { column: Norms["terms"][number]; members: number[] }>();
  norms.terms.forEach((term, i) => {
    const column = { ...term, name: nameOf(term) };
    const known = groups.get(`${term.kind} ${column.name}`) ?? { column, members: [] };
    known.members.push(i);
    groups.set(`${term.kind} ${column.name}`, known);
  });
  const measures = [...groups.values()].map(({ column, members }) => {
    const isL1 = column.kind === "l1";
    const panel = isL1 ? "‖w‖₁" : "‖w‖₂";
    const label = `${panel} ${column.name}`;
    const of = ({ run }: { run: string }) => {
      const known = members.flatMap((i) => norms.runs.get(run)?.[i] ?? []);
      const sum = isL1 ? known.reduce((sum, norm) => sum + norm, 0) : Math.hypot(...known);
      return known.length < members.length ? null : sum;
    };
    return {
      ...{ kind: "norm" as const, name: column.name, label, column: label, panel, of },
      key: columnKey(column),
      spread: ({ points }: Parameters<Measure["spread"]>[0]) =>
        spreadOf(points.flatMap((point) => of(point) ?? [])),
      size: Math.max(...[...norms.runs.keys()].map((run) => of({ run }) ?? 0)),
    };
  });
  return measures.toSorted((left, right) => right.size - left.size).slice(0, MOST_TERMS);
}

function spreadOf(values: readonly number[]): Spread | null {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return values.length > 0 ? { mean, min, max, standardError: null } : null;
}

/** What the path does not show, and why. */
export function pathNote(sweep: Sweep, measures: readonly Measure[]): string {
  const without = placedEntries(sweep).filter((entry) =>
    measures.every(({ spread }) => spread(entry) === null),
  );
  const strengths = without.map(({ strength }) => formatValue(strength)).join(", ");
  const left = sweep.norms?.leftOut ?? 0;
  return [
    ...(without.length > 0
      ? [`Norms are not recorded at strength ${strengths}: only L1 and L2 penalties tell them.`]
      : []),
    ...(measures.length === MOST_TERMS ? [`The largest ${MOST_TERMS} are drawn.`] : []),
    ...(left > 0 ? [`${formatStep(left)} more terms are not counted.`] : []),
  ].join(" ");
}
