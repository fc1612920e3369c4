/** Requests to the plugin's routes. Addresses are relative: TensorBoard may live under any path. */

import type { Range } from "../model/picture.ts";
import { type Curves, decodeCurves } from "./curves.ts";
import { parseRecordings, type Recording } from "./recording.ts";

/** TensorBoard did not answer at all. */
export class Unreachable extends Error {}

/** The server answered that it cannot give what was asked for. */
export class Refused extends Error {}

export async function fetchRecordings(): Promise<readonly Recording[]> {
  const response = await request("recordings");
  return parseRecordings(await response.json());
}

export async function fetchCurves(
  recording: Recording,
  range: Range | undefined,
  buckets: number,
  signal: AbortSignal,
): Promise<Curves> {
  const parameters = new URLSearchParams({
    run: recording.run,
    name: recording.name,
    buckets: String(buckets),
    ...(range ? { start: String(range.min), end: String(range.max) } : {}),
  });
  const response = await request(`curves?${parameters}`, signal);
  return decodeCurves(await response.arrayBuffer());
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
