/** Requests to the plugin's routes. Addresses are relative: TensorBoard may live under any path. */

import type { Range, XAxis } from "./axis.ts";
import { type Curves, decodeCurves } from "./curves.ts";
import { type Finding, parseFindings } from "./findings.ts";
import { list, object, text } from "./json.ts";
import { parseOverview, type RunFigures } from "./overview.ts";
import { parseRecording, parseRecordings, type Recording } from "./recording.ts";
import { parseStatistics, type Statistics } from "./statistics.ts";
import { parseSweep, type Sweep } from "./sweep.ts";

/** TensorBoard did not answer at all. */
export class Unreachable extends Error {}

/** The server answered that it cannot give what was asked for. */
export class Refused extends Error {}

export interface Listed {
  readonly recordings: readonly Recording[];
  /** How many runs' scalars the server is still to look at. */
  readonly waiting: number;
}

export async function fetchRecordings(): Promise<Listed> {
  const response = await request("recordings");
  const answer = await response.json();
  return { recordings: parseRecordings(answer), waiting: Number(answer.waiting ?? 0) };
}

export interface ComposedAnswer {
  /** Absent where no composition was named. */
  readonly recording?: Recording;
  /** All scalars of the run. */
  readonly tags: readonly string[];
}

export async function fetchComposition(
  { run, name }: Recording,
  composition: string | undefined,
  signal: AbortSignal,
): Promise<ComposedAnswer> {
  const asked = composition === undefined ? {} : { composition };
  const response = await request(
    `composition?${new URLSearchParams({ run, name, ...asked })}`,
    signal,
  );
  const answer = object(await response.json(), "The answer");
  const tags = list(answer.tags, "tags").map((tag) => text(tag, "A tag"));
  if (composition === undefined) {
    return { tags };
  }
  const recording = parseRecording(answer.recording);
  return { recording: { ...recording, composition, findings: parseFindings(answer) }, tags };
}

/** The table of runs, a part at a time: `onPart` is told all rows that have come. */
export async function fetchOverview(
  signal: AbortSignal,
  onPart: (rows: readonly RunFigures[]) => void,
): Promise<readonly RunFigures[]> {
  let rows: readonly RunFigures[] = [];
  let start: number | null = 0;
  while (start !== null) {
    const response: Response = await request(`overview?start=${start}`, signal);
    const part = parseOverview(await response.json());
    rows = [...rows, ...part.rows];
    onPart(rows);
    start = part.next;
  }
  return rows;
}

export interface SweepQuery {
  readonly metric: string;
  readonly window: number;
  readonly source: string;
  /** What to tell of each run besides: docs/http_api.md. */
  readonly include: string;
}

/** What each strength led to: `onPart` is told what is known until all runs are read. */
export async function fetchSweep(
  { metric, window, source, include }: SweepQuery,
  signal: AbortSignal,
  onPart: (sweep: Sweep) => void,
): Promise<Sweep> {
  const parameters = new URLSearchParams({
    window: String(window),
    strength_from: source,
    include,
    ...(metric === "" ? {} : { metric }),
  });
  for (;;) {
    const response = await request(`sweep?${parameters}`, signal);
    const sweep = parseSweep(await response.json());
    if (sweep.unread === 0) {
      return sweep;
    }
    onPart(sweep);
  }
}

export interface CurvesQuery {
  readonly range: Range | undefined;
  readonly buckets: number;
  readonly group: string;
  readonly top: number;
  readonly x: XAxis;
  readonly smoothing: number;
}

export async function fetchCurves(
  recording: Recording,
  query: CurvesQuery,
  signal: AbortSignal,
): Promise<Curves> {
  const parameters = new URLSearchParams({
    ...whatOf(recording, query),
    buckets: String(query.buckets),
    ...(query.top > 0 ? { top: String(query.top) } : {}),
    ...(query.smoothing > 0 ? { smoothing: String(query.smoothing) } : {}),
  });
  const response = await request(`curves?${parameters}`, signal);
  return decodeCurves(await response.arrayBuffer());
}

export type RowsQuery = Pick<CurvesQuery, "range" | "x" | "group">;

/** Requests that are under way at once: a browser allows six to a host. */
const AT_ONCE = 4;

/** The curves of several recordings, in their order. */
export async function fetchAll(
  recordings: readonly Recording[],
  queryFor: (recording: Recording) => CurvesQuery,
  signal: AbortSignal,
): Promise<readonly { recording: Recording; curves: Curves }[]> {
  const answers: { recording: Recording; curves: Curves }[] = [];
  const waiting = recordings.entries();
  const work = async () => {
    for (const [place, recording] of waiting) {
      answers[place] = {
        recording,
        curves: await fetchCurves(recording, queryFor(recording), signal),
      };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answers;
}

/** The parameters that all routes of one recording share; what is usual is left out. */
function whatOf(recording: Recording, { range, x, group }: RowsQuery): Record<string, string> {
  return {
    run: recording.run,
    name: recording.name,
    ...(recording.composition === undefined ? {} : { composition: recording.composition }),
    ...(range ? { start: String(range.min), end: String(range.max) } : {}),
    ...(x === "step" ? {} : { x }),
    ...(group === "term" ? {} : { group }),
  };
}

async function request(address: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new Unreachable();
  }
  if (!response.ok) {
    throw new Refused(await reason(response));
  }
  return response;
}

/** Where the exact rows are to be had as a file. */
export function exportAddress(
  recording: Recording,
  query: Pick<CurvesQuery, "range" | "x">,
  format: "csv" | "json",
): string {
  return `export?${new URLSearchParams({ ...whatOf(recording, { ...query, group: "term" }), format })}`;
}

export async function fetchStatistics(
  recording: Recording,
  query: RowsQuery,
  signal: AbortSignal,
): Promise<Statistics> {
  const parameters = new URLSearchParams(whatOf(recording, query));
  const response = await request(`statistics?${parameters}`, signal);
  return parseStatistics(await response.json());
}

export async function fetchFindings({ run, name }: Recording): Promise<readonly Finding[]> {
  const response = await request(`findings?${new URLSearchParams({ run, name })}`);
  return parseFindings(await response.json());
}

async function reason(response: Response): Promise<string> {
  try {
    const answer: unknown = await response.json();
    if (typeof answer === "object" && answer !== null && "error" in answer) {
      return String(answer.error);
    }
  } catch {
    // Not the JSON of docs/http_api.md: the status has to do.
  }
  return `TensorBoard answered with status ${response.status}.`;
}
