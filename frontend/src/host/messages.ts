/** The messages that TensorBoard and a plugin's frame exchange: JSON texts over a message port. */

export interface Message {
  readonly type: string;
  readonly id: number;
  readonly payload: unknown;
  readonly error: unknown;
  readonly isReply: boolean;
}

export const BOOTSTRAP = "experimental.bootstrap";
export const GET_RUNS = "experimental.GetRuns";
export const RUNS_CHANGED = "experimental.RunsChanged";
export const DATA_RELOADED = "experimental.DataReloaded";

/** Undefined for anything that is not such a message. */
export function decodeMessage(data: unknown): Message | undefined {
  if (typeof data !== "string") {
    return undefined;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) {
    return undefined;
  }
  const { type, id, payload, error, isReply } = parsed as Partial<Record<keyof Message, unknown>>;
  if (typeof type !== "string" || typeof id !== "number") {
    return undefined;
  }
  return { type, id, payload, error, isReply: isReply === true };
}

export function encodeRequest(type: string, id: number): string {
  return JSON.stringify({ type, id, payload: null, error: null, isReply: false });
}

/** TensorBoard waits for an answer to everything that it sends. */
export function encodeReply({ type, id }: Message): string {
  return JSON.stringify({ type, id, payload: null, error: null, isReply: true });
}

/** The runs of an answer to GetRuns or of RunsChanged; undefined where it holds none. */
export function decodeRuns(payload: unknown): readonly string[] | undefined {
  return Array.isArray(payload) ? payload.filter((run) => typeof run === "string") : undefined;
}
