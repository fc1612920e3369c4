/** Everything that a chart draws of one recording, computed from its curves and what is chosen. */

import type { Curves, Series } from "../data/curves.ts";
import { type Band, isSummand, totalBand } from "./bands.ts";
import { NO_GRADIENTS } from "./gradients.ts";
import type { Limits } from "./limits.ts";
import { type Line, makeLines, makeRatio, REFERENCES } from "./lines.ts";
import { QUANTITY_OF, refuseRatio, refuseShare } from "./rules.ts";
import { LINEAR, type Scale, type ScaleKind, scaleFor } from "./scales.ts";
import type { ViewName } from "./settings.ts";
import { type Layer, shares, stack } from "./stack.ts";
import type { Quantity } from "./ticks.ts";

export const TOTAL_KEY = "total";

/** From this smoothing on, nothing is drawn of what lies between minimum and maximum. */
const SMOOTH = 0.9;

export interface Picture {
  readonly view: ViewName;
  readonly quantity: Quantity;
  readonly scale: Scale;
  /** Where each bucket lies on the x axis: in the middle of its rows. */
  readonly x: Float64Array;
  readonly curves: Curves;
  /** Stacked areas or rows of a heat strip, from bottom to top, without the hidden ones. */
  readonly layers: readonly Layer[];
  /** The later ones lie on top. */
  readonly lines: readonly Line[];
  /** Values with a line across. */
  readonly references: readonly number[];
  /** How strongly what lies between minimum and maximum is drawn, from 0 to 1. */
  readonly spread: number;
  /** Of the recording, where it is shown. */
  readonly total: Series | undefined;
  /** 1 where a shown series holds NaN or an infinity. */
  readonly nonFinite: Uint8Array;
  /** What was chosen of the y axis. */
  readonly limits?: Limits;
  /** Why nothing is drawn. */
  readonly refusal?: string;
}

export function makePicture(
  curves: Curves,
  bands: readonly Band[],
  isShown: (key: string) => boolean,
  view: ViewName = "stack",
  scale: ScaleKind = "linear",
  smoothing = 0,
): Picture {
  const shown = bands.filter((band) => isShown(band.key));
  const total = isShown(TOTAL_KEY) ? totalBand(curves) : undefined;
  const [totalSeries] = total?.members ?? [];
  const summands = shown.filter(isSummand);
  const beside = shown.filter((band) => !isSummand(band));
  const series = [...(total?.members ?? []), ...shown.flatMap((band) => band.members)];
  const base: Picture = {
    view,
    quantity: QUANTITY_OF[view],
    scale: LINEAR,
    x: centres(curves),
    curves,
    layers: [],
    lines: [],
    references: [],
    spread: Math.max(0, 1 - smoothing / SMOOTH),
    total: totalSeries,
    nonFinite: nonFiniteBuckets(series, curves.buckets),
  };
  switch (view) {
    case "stack": {
      const lines = makeLines(base.x, [...beside, ...(total ? [total] : [])]);
      return { ...base, layers: stack(summands), lines };
    }
    case "share":
    case "strip":
      return shareOrRefuse(base, summands);
    case "lines":
    case "multiples": {
      // Of lines that meet, that of a penalty is seen.
      const isData = ({ role }: Band) => Number(role === "data");
      const behind = shown.toSorted((left, right) => isData(right) - isData(left));
      const lines = makeLines(base.x, [...behind, ...(total ? [total] : [])]);
      return { ...base, lines, scale: scaleFor(scale, largestOf(lines)) };
    }
    case "ratio":
      return ratioOrRefuse(base, bands, isShown, scale);
    case "pull":
    case "cosine":
      return gradientsOrRefuse(base, bands, shown, scale);
  }
}

/** Whether something is drawn of what lies between minimum and maximum. */
export function hasSpread({ spread, lines }: Picture): boolean {
  return spread > 0 && lines.some(({ envelope }) => envelope !== undefined);
}

function shareOrRefuse(base: Picture, shown: readonly Band[]): Picture {
  const refusal = refuseShare(base.view, shown);
  if (refusal !== undefined) {
    return { ...base, refusal };
  }
  const parts = shares(shown);
  return { ...base, layers: stack(parts, shown) };
}

function ratioOrRefuse(
  base: Picture,
  bands: readonly Band[],
  isShown: (key: string) => boolean,
  scale: ScaleKind,
): Picture {
  const data = bands.filter(({ role }) => role === "data");
  const penalties = bands.filter(({ role }) => role === "penalty");
  const refusal = refuseRatio(data, penalties);
  if (refusal !== undefined) {
    return { ...base, refusal };
  }
  const shown = penalties.filter(({ key }) => isShown(key));
  const lines = makeRatio(base.x, data, penalties, shown, isShown(TOTAL_KEY));
  return {
    ...base,
    lines,
    references: REFERENCES,
    scale: scaleFor(scale, largestOf(lines)),
  };
}

function gradientsOrRefuse(
  base: Picture,
  bands: readonly Band[],
  shown: readonly Band[],
  scale: ScaleKind,
): Picture {
  if (bands.length === 0) {
    return { ...base, refusal: NO_GRADIENTS };
  }
  const lines = shown.map((band) => ({
    band,
    x: base.x,
    values: band.values,
    ...(band.raw === undefined ? {} : { raw: band.raw }),
  }));
  return {
    ...base,
    lines,
    references: base.quantity === "cosine" ? [] : REFERENCES,
    scale: scaleFor(scale, largestOf(lines)),
  };
}

export function centres({ firstXs, lastXs }: Curves): Float64Array {
  return firstXs.map((first, i) => (first + (lastXs[i] ?? first)) / 2);
}

/** The largest magnitude that is finite. */
export function largestOf(lines: readonly Line[]): number {
  let largest = 0;
  for (const { values } of lines) {
    for (const value of values) {
      largest = Number.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
    }
  }
  return largest;
}

function nonFiniteBuckets(series: readonly Series[], buckets: number): Uint8Array {
  const marks = new Uint8Array(buckets);
  for (const { nonFinite } of series) {
    for (const counts of nonFinite ? Object.values(nonFinite) : []) {
      for (let i = 0; i < buckets; i++) {
        marks[i] ||= counts[i] ? 1 : 0;
      }
    }
  }
  return marks;
}
