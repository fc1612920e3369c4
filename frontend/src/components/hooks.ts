/** What components share: where they are on the screen, and what the server answers. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { type CurvesQuery, fetchCurves, Unreachable } from "../data/api.ts";
import type { Curves } from "../data/curves.ts";
import type { Recording } from "../data/recording.ts";
import { type Grouping, renameSeries } from "../model/grouping.ts";

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

/** As in styles/narrow.css. */
const NARROW = window.matchMedia("(max-width: 700px)");

/** Whether the window is a phone's. */
export function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const follow = () => setNarrow(NARROW.matches);
    follow();
    NARROW.addEventListener("change", follow);
    return () => NARROW.removeEventListener("change", follow);
  }, []);
  return isNarrow;
}

/** Whether an element fills the screen. */
export function useFullScreen(element: RefObject<Element | null>): boolean {
  const [isFull, setFull] = useState(false);
  useEffect(() => {
    const follow = () => setFull(document.fullscreenElement === element.current);
    document.addEventListener("fullscreenchange", follow);
    return () => document.removeEventListener("fullscreenchange", follow);
  }, [element]);
  return isFull;
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

/** Where a card is on the screen, and how much room it has for what it draws. */
export function useCardSize() {
  const element = useRef<HTMLElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const isFull = useFullScreen(element);
  // What fills the screen is outside of the area that scrolls.
  const isNear = useNear(element) || isFull;
  return { element, plot, width, isFull, isNear };
}

/** Rows drawn ahead above and below those in sight. */
const AHEAD = 12;

/** Which rows of a table are in sight of the box that it scrolls in, or nearly. */
export function useRowsInView(
  box: RefObject<HTMLElement | null>,
  rowHeight: number,
  count: number,
): { first: number; stop: number } {
  // In steps, which spare most of the rendering.
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(0);
  useEffect(() => {
    const target = box.current;
    if (target === null) {
      return;
    }
    const step = (AHEAD / 2) * rowHeight;
    const follow = () => {
      setTop(Math.floor(target.scrollTop / step) * step);
      setHeight(target.clientHeight);
    };
    follow();
    const observer = new ResizeObserver(follow);
    observer.observe(target);
    target.addEventListener("scroll", follow, { passive: true });
    return () => {
      observer.disconnect();
      target.removeEventListener("scroll", follow);
    };
  }, [box, rowHeight]);
  const first = Math.max(0, Math.min(count, top / rowHeight) - AHEAD);
  return { first, stop: Math.min(count, Math.ceil((top + height) / rowHeight) + 1.5 * AHEAD) };
}

/** Milliseconds without a change before a changed question is asked. */
const REST = 60;

export interface Loaded<Value> {
  /** The last answer that came, until another does. */
  readonly value?: Value;
  /** Why there is no newer one. */
  readonly failure?: string;
}

/** What the server answers to a question, asked anew whenever the question or the logs change. */
export function useAnswer<Value>(
  dashboard: Dashboard,
  question: string,
  isWanted: boolean,
  ask: (signal: AbortSignal) => Promise<Value>,
): Loaded<Value> {
  const [loaded, setLoaded] = useState<Loaded<Value>>({});
  const answered = useRef("");
  const dated = `${dashboard.state.reloads} ${question}`;

  useEffect(() => {
    if (!isWanted || dated === answered.current) {
      return;
    }
    const abort = new AbortController();
    const begin = () =>
      ask(abort.signal)
        .then((value) => {
          if (!abort.signal.aborted) {
            answered.current = dated;
            setLoaded({ value });
            dashboard.setUnreachable(false);
          }
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
    // While something moves, what was there before will do.
    const timer = setTimeout(begin, loaded.value === undefined ? 0 : REST);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [dated, isWanted]);

  return loaded;
}

/** The curves of a recording. */
export function useCurves(
  dashboard: Dashboard,
  recording: Recording,
  query: CurvesQuery,
  isWanted: boolean,
  grouping: Grouping,
): Loaded<Curves> {
  const question = JSON.stringify([recording.key, recording.composition, query, grouping.group]);
  return useAnswer(dashboard, question, isWanted && query.buckets > 0, async (signal) =>
    renameSeries(await fetchCurves(recording, query, signal), grouping),
  );
}
