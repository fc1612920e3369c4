/** The one term that the pointer is at, shown in all charts, legends and tables. */

type Listener = (key: string | undefined) => void;

const listeners = new Set<Listener>();
let current: string | undefined;
let frame = 0;

/** Not a part of the page's state: that would render the page at each move of the mouse. */
export function highlight(key: string | undefined): void {
  if (key === current) {
    return;
  }
  current = key;
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(tell);
}

/** As `highlight`, for those who are called once a frame: another one would be a frame late. */
export function highlightNow(key: string | undefined): void {
  if (key !== current) {
    current = key;
    cancelAnimationFrame(frame);
    tell();
  }
}

function tell(): void {
  for (const entry of document.querySelectorAll(".is-highlighted")) {
    entry.classList.remove("is-highlighted");
  }
  if (current !== undefined) {
    for (const entry of document.querySelectorAll(`[data-term="${CSS.escape(current)}"]`)) {
      entry.classList.add("is-highlighted");
    }
  }
  for (const listener of listeners) {
    listener(current);
  }
}

export function highlighted(): string | undefined {
  return current;
}

export function followHighlight(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
