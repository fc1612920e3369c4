/** What the server found wrong with a recording: docs/findings.md says by which rules. */

import { list, number, object, text, texts } from "./json.ts";

/** From bad to worse. */
export const SEVERITIES = ["info", "warning", "error"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly sentence: string;
  /** What to do, or what would decide it. */
  readonly fix: string;
  /** The names of the terms concerned. */
  readonly terms: readonly string[];
  /** The validation of the run has it too. */
  readonly isOfValidation?: boolean;
  /** Where it begins and ends; absent where it has no place in time. */
  readonly steps?: readonly [first: number, last: number];
}

export const NO_FINDINGS: readonly Finding[] = [];

/** Worst first, as they come. */
export function parseFindings(answer: unknown): readonly Finding[] {
  return list(object(answer, "The answer").findings, "findings").map((entry) => {
    const json = object(entry, "A finding");
    const first = json.first_step;
    return {
      code: text(json.code, "code"),
      // A severity of a newer server is told, and alarms nobody.
      severity: SEVERITIES.find((severity) => severity === json.severity) ?? "info",
      sentence: text(json.sentence, "sentence"),
      fix: text(json.fix ?? "", "fix"),
      terms: texts(json.terms ?? [], "terms"),
      ...(first === undefined
        ? {}
        : { steps: [number(first, "first_step"), number(json.last_step ?? first, "last_step")] }),
    };
  });
}
