/** A recording of scalars as somebody composes it on this page. */

import { useLayoutEffect } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { fetchComposition } from "../data/api.ts";
import type { Recording } from "../data/recording.ts";
import { useAnswer } from "./hooks.ts";

export interface Composed {
  /** As it was listed, until the server has answered. */
  readonly recording: Recording;
  /** Why it can't be composed so. */
  readonly failure?: string | undefined;
}

export function useComposition(
  dashboard: Dashboard,
  recording: Recording,
  isWanted: boolean,
): Composed {
  const { composition } = dashboard.viewOf(recording.key);
  const isComposed = composition !== undefined && recording.scalars !== undefined;
  const { value, failure } = useAnswer(
    dashboard,
    `${recording.key} ${composition}`,
    isComposed && isWanted,
    (signal) => fetchComposition(recording, composition, signal),
  );
  useLayoutEffect(() => {
    if (value?.recording) {
      dashboard.setComposed(value.recording);
    }
  }, [value]);
  return isComposed ? { recording: value?.recording ?? recording, failure } : { recording };
}
