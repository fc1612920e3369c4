/** What components share: where they are on the screen, and the curves they show. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { fetchCurves, Unreachable } from "../data/api.ts";
import type { Curves } from "../data/curves.ts";
import type { Recording } from "../data/recording.ts";
import type { Range } from "../model/picture.ts";

/** How far outside of the scrolled area something counts as near. */
const MARGIN = "400px 0px";

/** Whether an element is on the screen, or would be after a little scrolling. */
export function useNear(element: RefObject<Element | null>): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (target === null) {
      return;
    }
    const observer = new IntersectionObserver(
      (entries) => setNear(entries[entries.length - 1]?.isIntersecting ?? false),
      { root: target.closest("main"), rootMargin: MARGIN },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return isNear;
}

/** An element's width in whole pixels; 0 until it is known. */
export function useWidth(element: RefObject<Element | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const target = element.current;
    if (target === null) {
      return;
    }
    const observer = new ResizeObserver((entries) => {
      const measured = Math.floor(entries[entries.length - 1]?.contentRect.width ?? 0);
      if (measured > 0) {
        setWidth(measured);
      }
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

export interface Loaded {
  /** The last curves that came, until others do. */
  readonly curves?: Curves;
  /** Why there are no newer ones. */
  readonly failure?: string;
}

/** The curves of a recording, asked for anew whenever what is wanted changes. */
export function useCurves(
  dashboard: Dashboard,
  recording: Recording,
  range: Range | undefined,
  buckets: number,
  isWanted: boolean,
): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({});
  const answered = useRef("");
  const { reloads } = dashboard.state;
  // Stands for all that the request depends on.
  const question = JSON.stringify([recording.key, range ?? null, buckets, reloads]);

  useEffect(() => {
    if (!isWanted || buckets === 0 || question === answered.current) {
      return;
    }
    const abort = new AbortController();
    fetchCurves(recording, range, buckets, abort.signal)
      .then((curves) => {
        if (abort.signal.aborted) {
          return;
        }
        answered.current = question;
        setLoaded({ curves });
        dashboard.setUnreachable(false);
      })
      .catch((error: unknown) => {
        if (abort.signal.aborted) {
          return;
        }
        if (error instanceof Unreachable) {
          dashboard.setUnreachable(true);
          return;
        }
        const failure = error instanceof Error ? error.message : String(error);
        setLoaded((previous) => ({ ...previous, failure }));
      });
    return () => abort.abort();
  }, [question, isWanted]);

  return loaded;
}
