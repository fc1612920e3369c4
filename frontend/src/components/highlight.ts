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
  frame = requestAnimationFrame(() => {
    for (const entry of document.querySelectorAll<HTMLElement>("[data-term]")) {
      entry.classList.toggle("is-highlighted", entry.dataset.term === key);
    }
    for (const listener of listeners) {
      listener(key);
    }
  });
}

export function highlighted(): string | undefined {
  return current;
}

export function followHighlight(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
