/** Where a recording was taken up again, in words. */

import type { Curves, Restart } from "../data/curves.ts";
import { formatStep } from "./format.ts";

/** Buckets on either side of one that is read: a mark is a few pixels wide. */
const NEAR = 3;

/** "went back to step 1,000 from 1,200" where steps were overwritten, "continued at step 1,201". */
function describeRestart({ step, after }: Restart): string {
  return step <= after
    ? `went back to step ${formatStep(step)} from ${formatStep(after)}`
    : `continued at step ${formatStep(step)}`;
}

/** All of them in a few words, however many there are; undefined where there is none. */
export function describeRestarts(restarts: readonly Restart[]): string | undefined {
  const back = restarts.filter(({ step, after }) => step <= after);
  const on = restarts.length - back.length;
  const [first] = restarts;
  if (first === undefined || restarts.length === 1) {
    return first && describeRestart(first);
  }
  const counted = [
    ...(back.length > 0 ? [`went back ${times(back.length)}`] : []),
    ...(on > 0 ? [`continued ${times(on)}`] : []),
  ];
  return `${counted.join(", ")}, first at step ${formatStep(first.step)}`;
}

export function times(count: number): string {
  return count === 1 ? "once" : `${formatStep(count)} times`;
}

/** What is said where a bucket is read. */
export function describeNear(curves: Curves, bucket: number): string | undefined {
  const { restarts, firstSteps, lastSteps } = curves;
  const from = firstSteps[Math.max(0, bucket - NEAR)] ?? Number.POSITIVE_INFINITY;
  const to = lastSteps[Math.min(curves.buckets - 1, bucket + NEAR)] ?? Number.NEGATIVE_INFINITY;
  return describeRestarts(restarts.filter(({ step }) => step >= from && step <= to));
}
