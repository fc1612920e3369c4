/** Findings on a chart: where they are on the x axis, and what they are about. */

import type { Range } from "../data/axis.ts";
import type { Curves } from "../data/curves.ts";
import type { Finding, Severity } from "../data/findings.ts";
import { type Column, columnKey } from "../data/recording.ts";
import { formatStepRange } from "./format.ts";
import { TOTAL_KEY } from "./picture.ts";
import { sameKeys, trainingKeys } from "./runs.ts";
import { isolateAll, type View } from "./view.ts";

/** Where a finding begins. */
export interface Mark {
  readonly x: number;
  readonly severity: Severity;
}

/** What is seen before and after the steps of a finding, as a part of all steps. */
const CONTEXT = 0.05;
const LEAST_CONTEXT = 10;

type Found = ReadonlyMap<string, readonly Finding[]>;

/** Says once, of the training, what a training and its validation both have. */
export function foldValidations(found: Found): Found {
  const folded = new Map(found);
  for (const [key, findings] of found) {
    const [run, name] = JSON.parse(key);
    const training = trainingKeys({ run, name }).find((candidate) => folded.has(candidate));
    const known = training === undefined ? [] : (folded.get(training) ?? []);
    const isSaid = (finding: Finding) => known.some((other) => isSame(other, finding));
    if (training !== undefined) {
      folded.set(
        key,
        findings.filter((finding) => !isSaid(finding)),
      );
      folded.set(
        training,
        known.map((other) =>
          findings.some((finding) => isSame(other, finding))
            ? { ...other, isOfValidation: true }
            : other,
        ),
      );
    }
  }
  return folded;
}

/** A spike is of one batch: those of a training and of its validation are two. */
function isSame(left: Finding, right: Finding): boolean {
  return (
    left.code === right.code && left.code !== "spike" && String(left.terms) === String(right.terms)
  );
}

/** Marks of the findings that begin within the curves; what is so from the start needs none. */
export function findingMarks(findings: readonly Finding[], curves: Curves): readonly Mark[] {
  return findings.flatMap(({ steps, severity }) => {
    const [first] = steps ?? [];
    if (first === undefined || first === curves.firstStep) {
      return [];
    }
    const x = xOfStep(curves, first);
    return x === undefined ? [] : [{ x, severity }];
  });
}

/** Where a step is on the x axis; undefined outside of the curves. */
export function xOfStep(curves: Curves, step: number): number | undefined {
  const { firstSteps, lastSteps, firstXs, lastXs } = curves;
  const i = lastSteps.findIndex((last) => last >= step);
  const [first = 0, last = 0] = [firstSteps[i], lastSteps[i]];
  if (i < 0 || step < first) {
    return undefined;
  }
  const [from = 0, to = 0] = [firstXs[i], lastXs[i]];
  return last > first ? from + ((to - from) * (step - first)) / (last - first) : from;
}

/** The steps of a finding with some around them; undefined where these are all steps. */
export function rangeAround({ steps }: Finding, whole: Range): Range | undefined {
  if (steps === undefined) {
    return undefined;
  }
  const context = Math.max(LEAST_CONTEXT, Math.round(CONTEXT * (whole.max - whole.min)));
  const min = Math.max(whole.min, steps[0] - context);
  const max = Math.min(whole.max, steps[1] + context);
  const isAll = min === whole.min && max === whole.max;
  return isAll || min >= max ? undefined : { min, max };
}

/** What the link to a finding's steps says: "step 40", "steps 40–99". */
export function describeSteps([first, last]: readonly [number, number]): string {
  return `step${first === last ? "" : "s"} ${formatStepRange(first, last)}`;
}

/** The keys of a finding's terms among the columns; none where it is about the total alone. */
export function termKeys({ terms }: Finding, columns: readonly Column[]): readonly string[] {
  const named = new Set(terms);
  const concerned = columns.filter(({ name }) => named.has(name));
  return concerned.every(({ role }) => role === "total")
    ? []
    : concerned.map((column) => (column.role === "total" ? TOTAL_KEY : columnKey(column)));
}

/** Whether just these are shown. */
export function showsOnly(view: View, keys: readonly string[]): boolean {
  return sameKeys(view.isolated, new Set(keys));
}

/** Shows these alone; again, and all are shown. */
export function showOnly(view: View, keys: readonly string[]): View {
  return isolateAll(view, showsOnly(view, keys) ? [] : keys);
}
