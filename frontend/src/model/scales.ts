/** How values lie along an axis: straight, by decades, or by decades on both sides of zero. */

export type ScaleKind = "linear" | "log" | "symlog";

export interface Scale {
  readonly kind: ScaleKind;
  /** Of symlog: about where it turns from straight to decades. */
  readonly threshold: number;
}

export const LINEAR: Scale = { kind: "linear", threshold: 1 };

/** What a logarithm makes of zero and less: far below every chart. */
const BELOW_ALL = -330;

/** From a value to a number that is proportional to the place on the axis. */
export function forward({ kind, threshold }: Scale, value: number): number {
  switch (kind) {
    case "linear":
      return value;
    case "log":
      return value > 0 ? Math.log10(value) : BELOW_ALL;
    case "symlog":
      return Math.asinh(value / threshold);
  }
}

export function backward({ kind, threshold }: Scale, place: number): number {
  switch (kind) {
    case "linear":
      return place;
    case "log":
      return 10 ** place;
    case "symlog":
      return Math.sinh(place) * threshold;
  }
}

/** A symlog scale for values up to a magnitude: three decades, then straight through zero. */
export function scaleFor(kind: ScaleKind, largest: number): Scale {
  const decade = largest > 0 && Number.isFinite(largest) ? Math.floor(Math.log10(largest)) : 0;
  return { kind, threshold: 10 ** (decade - 3) };
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where values lie in a box of pixels, and which values lie at a pixel. */
export interface Projection {
  readonly box: Box;
  x(value: number): number;
  y(value: number): number;
  xAt(pixel: number): number;
  yAt(pixel: number): number;
}

interface Ends {
  readonly min: number;
  readonly max: number;
}

/** Points far outside are kept within what any canvas and any viewer of SVG can handle. */
const FAR = 1e5;

export function project(box: Box, xRange: Ends, yRange: Ends, scale: Scale): Projection {
  const perX = box.width / (xRange.max - xRange.min);
  const bottom = forward(scale, yRange.min);
  const perY = box.height / (forward(scale, yRange.max) - bottom);
  const base = box.top + box.height;
  const isLinear = scale.kind === "linear";
  return {
    box,
    x: (value) => within(box.left + (value - xRange.min) * perX),
    y: (value) => within(base - ((isLinear ? value : forward(scale, value)) - bottom) * perY),
    xAt: (pixel) => xRange.min + (pixel - box.left) / perX,
    yAt: (pixel) => backward(scale, bottom + (base - pixel) / perY),
  };
}

function within(pixel: number): number {
  return pixel > FAR ? FAR : pixel < -FAR ? -FAR : pixel;
}
