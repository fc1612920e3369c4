/** The elements of a chart: what is drawn, and over it a highlight, a cursor and a selection. */

import type { Range } from "../data/axis.ts";
import type { Box, Projection } from "../model/scales.ts";
import { describeSelection } from "../model/selection.ts";
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

interface PlotScene extends Scene {
  /** A part of the x axis whose figures are shown elsewhere. */
  readonly selected?: Range | undefined;
}

/** Narrower ones would not be seen. */
const NARROWEST_BAND = 3;

export class Plot {
  readonly canvas = document.createElement("canvas");
  /** Between the axes: what the mouse is listened to on. */
  readonly area = makeElement("chart-area");
  /** Below it, over the x axis: a drag along it selects. */
  readonly strip = makeElement("chart-strip");
  cursor: Position | undefined;
  readonly #overlay = document.createElement("canvas");
  readonly #line = makeElement("chart-cursor");
  readonly #selection = makeElement("chart-selection");
  readonly #band = makeElement("chart-band");
  readonly #bandText = makeElement("chart-band-text");
  readonly #bandEnds = [makeElement("chart-band-end"), makeElement("chart-band-end")] as const;
  readonly #unfollow = followPixelRatio(() => this.draw(this.#scene));
  #scene: PlotScene;
  #frame: Frame;
  #highlighted: string | undefined;

  /** Shows nothing before it is drawn. */
  constructor(parent: Element, scene: PlotScene) {
    this.#scene = scene;
    this.#frame = makeFrame(scene.picture, scene.range, scene);
    this.canvas.setAttribute("role", "img");
    this.#overlay.className = "chart-overlay";
    this.strip.title = "Drag to select steps; their figures appear below";
    this.#band.append(this.#bandText, ...this.#bandEnds);
    this.area.append(this.#overlay, this.#selection, this.#band, this.#line);
    parent.append(this.canvas, this.area, this.strip);
    this.moveCursor(undefined);
    this.select(undefined);
  }

  /** Where values lie within the area. */
  get projection(): Projection {
    return this.#frame.projectInto(this.#ownBox());
  }

  draw(scene: PlotScene): void {
    const { width, height } = scene;
    this.#scene = scene;
    this.#frame = makeFrame(scene.picture, scene.range, scene);
    place(this.canvas, { left: 0, top: 0, width, height });
    const { box } = this.#frame;
    const bottom = box.top + box.height;
    place(this.area, box);
    place(this.strip, { ...box, top: bottom, height: height - bottom });
    this.#showSelected(scene);
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

  /** The value at the other end of what is selected, where an element is one of its ends. */
  oppositeEnd(element: EventTarget | null): number | undefined {
    const { selected } = this.#scene;
    const [first, last] = this.#bandEnds;
    return element === first ? selected?.max : element === last ? selected?.min : undefined;
  }

  #showSelected({ selected, picture, range }: PlotScene): void {
    this.#band.hidden = !selected || selected.max < range.min || selected.min > range.max;
    if (selected === undefined) {
      return;
    }
    const { x, box } = this.projection;
    const begin = within(x(selected.min), box.width);
    const width = Math.max(NARROWEST_BAND, within(x(selected.max), box.width) - begin);
    this.#band.style.left = `${begin}px`;
    this.#band.style.width = `${width}px`;
    // Its text is longer than a narrow band, and stays within the plot.
    this.#band.classList.toggle("is-late", begin > box.width / 2);
    this.#bandText.textContent = describeSelection(selected, picture.curves.xAxis);
  }

  destroy(): void {
    this.#unfollow();
    this.canvas.remove();
    this.area.remove();
    this.strip.remove();
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
