/** Bands put on top of one another: positive values upwards from zero, negative ones downwards. */

import { type Band, sumOf } from "./bands.ts";

/** The edges of an area per bucket; NaN where the band has no value. */
export interface Area {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

export interface Layer {
  readonly band: Band;
  readonly above: Area;
  /** Below zero; absent where the band is never negative. */
  readonly below?: Area;
  /** From the band's edge to where a single step sticks out of it. */
  readonly spikes?: Area;
}

/** Each band's part of what all make together; NaN where they make nothing. */
export function shares(bands: readonly Band[]): Band[] {
  const whole = sumOf(bands);
  const share = (part: number, all = Number.NaN) => (all > 0 ? part / all : Number.NaN);
  return bands.map(({ spikes, ...band }) => ({
    ...band,
    values: band.values.map((value, i) => share(value, whole[i])),
    ...(spikes === undefined
      ? {}
      : {
          // The other parts are as they are on average there.
          spikes: spikes.map((spike, i) =>
            share(spike, (whole[i] ?? Number.NaN) + spike - (band.values[i] ?? 0)),
          ),
        }),
  }));
}

/**
 * The layers of the bands given, which come from bottom to top. A layer may speak of another band
 * than it draws: of the values behind shares.
 */
export function stack(bands: readonly Band[], named: readonly Band[] = bands): Layer[] {
  const buckets = bands[0]?.values.length ?? 0;
  const top = new Float64Array(buckets);
  const bottom = new Float64Array(buckets);
  return bands.map((band, place) => {
    const above = emptyArea(buckets);
    const below = isNegative(band.values) ? emptyArea(buckets) : undefined;
    const spikes = band.spikes && emptyArea(buckets);
    for (let i = 0; i < buckets; i++) {
      const value = band.values[i] ?? Number.NaN;
      if (Number.isNaN(value)) {
        continue;
      }
      const spike = band.spikes?.[i] ?? Number.NaN;
      if (spikes !== undefined && spike > Math.max(value, 0)) {
        spikes.lower[i] = (top[i] ?? 0) + Math.max(value, 0);
        spikes.upper[i] = (top[i] ?? 0) + spike;
      } else if (spikes !== undefined && spike < Math.min(value, 0)) {
        spikes.upper[i] = (bottom[i] ?? 0) + Math.min(value, 0);
        spikes.lower[i] = (bottom[i] ?? 0) + spike;
      }
      above.lower[i] = top[i] ?? 0;
      above.upper[i] = top[i] = (top[i] ?? 0) + Math.max(value, 0);
      if (below !== undefined) {
        below.upper[i] = bottom[i] ?? 0;
        below.lower[i] = bottom[i] = (bottom[i] ?? 0) + Math.min(value, 0);
      }
    }
    return {
      band: named[place] ?? band,
      above,
      ...(below ? { below } : {}),
      ...(spikes ? { spikes } : {}),
    };
  });
}

/** Anywhere. A loop: callbacks cost more than all else here. */
function isNegative(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) {
    if ((values[i] ?? 0) < 0) {
      return true;
    }
  }
  return false;
}

function emptyArea(buckets: number): Area {
  return {
    lower: new Float64Array(buckets).fill(Number.NaN),
    upper: new Float64Array(buckets).fill(Number.NaN),
  };
}

/** Whether two layers have their gaps at the same buckets. */
export function samePlaces(left: Layer, right: Layer): boolean {
  const [a, b] = [left.above.upper, right.above.upper];
  return a.every((value, i) => Number.isNaN(value) === Number.isNaN(b[i]));
}

/** The layer that covers a value at a bucket; undefined beside the stack. */
export function layerAt(
  layers: readonly Layer[],
  bucket: number,
  value: number,
): Layer | undefined {
  return layers.find(
    ({ above, below }) => covers(above, bucket, value) || covers(below, bucket, value),
  );
}

function covers(area: Area | undefined, bucket: number, value: number): boolean {
  const lower = area?.lower[bucket] ?? Number.NaN;
  const upper = area?.upper[bucket] ?? Number.NaN;
  return lower <= value && value < upper;
}
