/** The page that the dashboard lives in: TensorBoard, and the frame that it gives to the plugin. */

import type { Theme } from "../drawing/look.ts";
import {
  BOOTSTRAP,
  DATA_RELOADED,
  decodeMessage,
  decodeRuns,
  encodeReply,
  encodeRequest,
  GET_RUNS,
  RUNS_CHANGED,
} from "./messages.ts";

export interface HostListener {
  /** TensorBoard has read its logs again. */
  onReload(): void;
  /** All runs, in TensorBoard's order. */
  onRuns(runs: readonly string[]): void;
}

/** Opens the channel to TensorBoard. Outside of TensorBoard nothing ever comes through it. */
export function connect(listener: HostListener): void {
  const { port1: port, port2: theirs } = new MessageChannel();
  let runs = "";
  const announce = (payload: unknown) => {
    const names = decodeRuns(payload);
    const text = JSON.stringify(names);
    // TensorBoard says it again on every navigation, mostly with the runs of before.
    if (names !== undefined && text !== runs) {
      runs = text;
      listener.onRuns(names);
    }
  };
  port.addEventListener("message", (event) => {
    const message = decodeMessage(event.data);
    if (message === undefined) {
      return;
    }
    if (message.type === GET_RUNS || message.type === RUNS_CHANGED) {
      announce(message.payload);
    }
    if (!message.isReply) {
      port.postMessage(encodeReply(message));
      if (message.type === DATA_RELOADED) {
        listener.onReload();
      }
    }
  });
  port.start();
  window.parent.postMessage(BOOTSTRAP, "*", [theirs]);
  port.postMessage(encodeRequest(GET_RUNS, 0));
}

/** Calls back with TensorBoard's theme, now and whenever it changes. */
export function followTheme(onTheme: (theme: Theme) => void): void {
  const body = parentBody();
  if (body !== undefined) {
    const tell = () => onTheme(body.classList.contains("dark-mode") ? "dark" : "light");
    new MutationObserver(tell).observe(body, { attributes: true, attributeFilter: ["class"] });
    tell();
    return;
  }
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  const tell = () => onTheme(query.matches ? "dark" : "light");
  query.addEventListener("change", tell);
  tell();
}

/** The body of TensorBoard's page; undefined where there is none, or one of another origin. */
function parentBody(): HTMLElement | undefined {
  try {
    return window.parent === window ? undefined : window.parent.document.body;
  } catch {
    return undefined;
  }
}

/** Calls back with whether the tab is on screen, now and whenever that changes. */
export function followVisibility(onVisibility: (isVisible: boolean) => void): void {
  // TensorBoard keeps the frame of another tab's plugin alive and squeezes it to no height.
  const tell = () => onVisibility(window.innerHeight > 0 && !document.hidden);
  window.addEventListener("resize", tell);
  document.addEventListener("visibilitychange", tell);
  tell();
}
