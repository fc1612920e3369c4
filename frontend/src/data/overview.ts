/** The table of runs, as the server makes it: docs/http_api.md. */

import { list, number, numberOrNull, object, text } from "./json.ts";
import { recordingKey } from "./recording.ts";

/** What one recording of losses comes to. */
export interface RunFigures {
  /** That of the recording. */
  readonly key: string;
  readonly run: string;
  readonly name: string;
  /** One number, or a text where the penalties have several. */
  readonly strength: number | string | null;
  readonly dataFirst: number | null;
  readonly dataLast: number | null;
  readonly validationDataLast: number | null;
  readonly shareLargest: number | null;
  readonly shareLast: number | null;
  readonly steps: number;
  /** How often it went back to an earlier step. */
  readonly restarts: number;
  /** Why not all of it could be read. */
  readonly problem: string | null;
}

export interface OverviewPart {
  readonly rows: readonly RunFigures[];
  /** Where to go on; null at the end. */
  readonly next: number | null;
}

export function parseOverview(answer: unknown): OverviewPart {
  const json = object(answer, "The answer");
  return {
    rows: list(json.rows, "rows").map(parseRow),
    next: numberOrNull(json.next, "next"),
  };
}

function parseRow(value: unknown): RunFigures {
  const json = object(value, "A row");
  const run = text(json.run, "run");
  const name = text(json.name, "name");
  const { strength, problem } = json;
  return {
    key: recordingKey(run, name),
    run,
    name,
    strength: typeof strength === "string" ? strength : numberOrNull(strength, "strength"),
    dataFirst: numberOrNull(json.data_first, "data_first"),
    dataLast: numberOrNull(json.data_last, "data_last"),
    validationDataLast: numberOrNull(json.validation_data_last, "validation_data_last"),
    shareLargest: numberOrNull(json.share_largest, "share_largest"),
    shareLast: numberOrNull(json.share_last, "share_last"),
    steps: number(json.steps, "steps"),
    restarts: number(json.restarts ?? 0, "restarts"),
    problem: typeof problem === "string" ? problem : null,
  };
}
