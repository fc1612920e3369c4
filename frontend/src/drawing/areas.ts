/** A stack's areas as a file has them: short to write, and the same picture. Pure. */

import { type Area, type Layer, samePlaces } from "../model/stack.ts";

/**
 * Areas that reach down to zero under those which cover them: each edge is drawn once, not as the
 * upper one of a band and the lower one of the next. For a painter who draws the outermost first.
 */
export function reachingZero(layers: readonly Layer[]): readonly Layer[] {
  const zeros = new Float64Array(layers[0]?.above.upper.length ?? 0);
  let isCovered = true;
  return layers.map((layer, i) => {
    const under = layers[i - 1];
    // Behind a gap in what lies below, or between the stripes of the residual, it would be seen.
    isCovered &&= !under || (samePlaces(under, layer) && under.band.role !== "unexplained");
    const { above, below } = layer;
    return isCovered
      ? {
          ...layer,
          above: { ...above, lower: zeros },
          ...(below ? { below: { ...below, upper: zeros } } : {}),
        }
      : layer;
  });
}

/** Neighbouring penalties as one layer each, that of the largest, while together they are nowhere higher. */
export function joinThin(layers: readonly Layer[], highest: number): readonly Layer[] {
  const joined: { layer: Layer; size: number }[] = [];
  for (const layer of layers) {
    const size = sizeOf(layer.above);
    const last = joined.at(-1);
    const area = last && { lower: last.layer.above.lower, upper: layer.above.upper };
    if (last && area && canJoin(last.layer, layer) && highestOf(area) < highest) {
      const { band } = size > last.size ? layer : last.layer;
      last.layer = { band, above: area };
      last.size = Math.max(size, last.size);
    } else {
      joined.push({ layer, size });
    }
  }
  return joined.map(({ layer }) => layer);
}

function canJoin(lower: Layer, upper: Layer): boolean {
  const isPenalty = ({ band, below }: Layer) => band.role === "penalty" && below === undefined;
  return isPenalty(lower) && isPenalty(upper) && samePlaces(lower, upper);
}

function highestOf({ lower, upper }: Area): number {
  // NaN, where there is a gap, is higher than nothing.
  return upper.reduce(
    (most, value, i) => (value - (lower[i] ?? 0) > most ? value - (lower[i] ?? 0) : most),
    0,
  );
}

function sizeOf({ lower, upper }: Area): number {
  return upper.reduce((sum, value, i) => sum + (value - (lower[i] ?? 0) || 0), 0);
}
