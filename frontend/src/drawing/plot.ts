/** The elements of a chart: what is drawn, and over it a highlight, a cursor and a selection. */

import type { Box, Projection } from "../model/scales.ts";
import { boxOn, type Frame, makeFrame } from "./frame.ts";
import { paintHighlight } from "./overlay.ts";
import { paintScene, type Scene } from "./paint.ts";
import { clearCanvas } from "./surface.ts";

/** Within the area between the axes, in pixels. */
export interface Position {
  readonly left: number;
  /** Absent where another chart is read: the line alone follows. */
  readonly top?: number;
}

export class Plot {
  readonly canvas = document.createElement("canvas");
  /** Between the axes: what the mouse is listened to on. */
  readonly area = makeElement("chart-area");
  cursor: Position | undefined;
  readonly #overlay = document.createElement("canvas");
  readonly #line = makeElement("chart-cursor");
  readonly #selection = makeElement("chart-selection");
  readonly #unfollow = followPixelRatio(() => this.draw(this.#scene));
  #scene: Scene;
  #frame: Frame;
  #highlighted: string | undefined;

  /** Shows nothing before it is drawn. */
  constructor(parent: Element, scene: Scene) {
    this.#scene = scene;
    this.#frame = makeFrame(scene.picture, scene.range, scene);
    this.canvas.setAttribute("role", "img");
    this.#overlay.className = "chart-overlay";
    this.area.append(this.#overlay, this.#selection, this.#line);
    parent.append(this.canvas, this.area);
    this.moveCursor(undefined);
    this.select(undefined);
  }

  /** Where values lie within the area. */
  get projection(): Projection {
    return this.#frame.projectInto(this.#ownBox());
  }

  draw(scene: Scene): void {
    const { width, height } = scene;
    this.#scene = scene;
    this.#frame = makeFrame(scene.picture, scene.range, scene);
    place(this.canvas, { left: 0, top: 0, width, height });
    place(this.area, this.#frame.box);
    paintScene(clearCanvas(this.canvas, width, height), this.#frame, scene);
    this.highlight(this.#highlighted);
  }

  /** Pales all bands but one; undefined for none. */
  highlight(key: string | undefined): void {
    this.#highlighted = key;
    const box = this.#ownBox();
    const surface = clearCanvas(this.#overlay, box.width, box.height);
    const projection = this.#frame.projectInto(boxOn(surface, box));
    paintHighlight(surface, projection, this.#scene, key);
  }

  moveCursor(cursor: Position | undefined): void {
    this.cursor = cursor;
    this.#line.hidden = cursor === undefined;
    this.#line.style.transform = `translateX(${Math.round(cursor?.left ?? 0)}px)`;
  }

  /** Where the mouse is, kept within the area. */
  positionOf({ clientX, clientY }: MouseEvent): Required<Position> {
    const { left, top } = this.area.getBoundingClientRect();
    const { width, height } = this.#frame.box;
    return { left: within(clientX - left, width), top: within(clientY - top, height) };
  }

  /** Shows what is selected, from one place to another, in pixels. */
  select(selected: readonly [begin: number, end: number] | undefined): void {
    this.#selection.hidden = selected === undefined;
    const [begin, end] = selected ?? [0, 0];
    this.#selection.style.left = `${Math.min(begin, end)}px`;
    this.#selection.style.width = `${Math.abs(end - begin)}px`;
  }

  destroy(): void {
    this.#unfollow();
    this.canvas.remove();
    this.area.remove();
  }

  #ownBox(): Box {
    return { ...this.#frame.box, left: 0, top: 0 };
  }
}

/** Calls back when the page is zoomed, or moved to a screen with other pixels. */
function followPixelRatio(call: () => void): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  const follow = () => {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    const changed = () => {
      follow();
      call();
    };
    query.addEventListener("change", changed, { once: true, signal });
  };
  follow();
  return () => abort.abort();
}

function makeElement(className: string): HTMLDivElement {
  const element = document.createElement("div");
  element.className = className;
  return element;
}

function place({ style }: HTMLElement, { left, top, width, height }: Box): void {
  style.left = `${left}px`;
  style.top = `${top}px`;
  style.width = `${width}px`;
  style.height = `${height}px`;
}

function within(place: number, length: number): number {
  return Math.min(Math.max(place, 0), length);
}
