/** What the chart across runs shows. */

import { useLayoutEffect, useMemo } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import { fetchAll } from "../data/api.ts";
import type { Range } from "../data/axis.ts";
import type { Recording } from "../data/recording.ts";
import { runVariant, termVariant, withVariants } from "../drawing/colours.ts";
import { type Band, chooseBands } from "../model/bands.ts";
import {
  COMPARE_KEY,
  commonRange,
  comparisonPicture,
  groupFor,
  joinSeeds,
  type RunCurves,
  runLines,
} from "../model/compare.ts";
import { DIFFERENCE, differenceOf, differencePair } from "../model/difference.ts";
import { makeGrouping, renameSeries } from "../model/grouping.ts";
import { makePicture, type Picture } from "../model/picture.ts";
import { yScale } from "../model/rules.ts";
import type { Settings } from "../model/settings.ts";
import { termPattern } from "../model/terms.ts";
import { isShown, type View } from "../model/view.ts";
import { useAnswer } from "./hooks.ts";
import { bucketsFor } from "./useCard.ts";

export interface Comparison {
  /** The recordings that have curves. */
  readonly readable: readonly Recording[];
  /** Those of them that are compared, and those that the picture is of until an answer comes. */
  readonly asked: readonly Recording[];
  readonly drawn: readonly Recording[];
  readonly view: View;
  readonly picture: Picture | undefined;
  /** Runs, or the terms of a difference, hidden ones included. */
  readonly bands: readonly Band[];
  readonly whole: Range;
  readonly failure: string | undefined;
}

export function useComparison(
  dashboard: Dashboard,
  state: DashboardState,
  recordings: readonly Recording[],
  width: number,
  isNear: boolean,
): Comparison {
  const { settings } = state;
  const { compare, smoothing, x } = settings;
  const view = dashboard.viewOf(COMPARE_KEY);
  const isDifference = compare === DIFFERENCE;
  const readable = recordings.filter(({ columns }) => columns.length > 0);
  const asked = isDifference ? differencePair(readable, settings) : readable;
  const group = isDifference ? settings.group : groupFor(compare);
  const query = { range: view.range, buckets: bucketsFor(width), top: 0, x, smoothing };
  const question = JSON.stringify([asked.map(({ key }) => key), group, query]);
  const isWanted = isNear && state.isVisible && width > 0;
  const { value, failure } = useAnswer(dashboard, question, isWanted, async (signal) => {
    const groupings = new Map(
      asked.map(({ key, columns }) => [key, makeGrouping(group, columns)] as const),
    );
    const parameterOf = ({ key }: Recording) => groupings.get(key)?.parameter ?? "term";
    const answers = await fetchAll(
      asked,
      (recording) => ({ ...query, group: parameterOf(recording) }),
      signal,
    );
    const runs = answers.map(({ recording, curves }) => {
      const grouping = groupings.get(recording.key);
      return { recording, curves: grouping ? renameSeries(curves, grouping) : curves };
    });
    return { runs, group, isDifference };
  });
  // Until the next answer comes the last one is shown, unless it is of something else.
  const isFitting = value?.group === group && value.isDifference === isDifference;
  const runs = isFitting ? value.runs : undefined;
  const { runNumbers, termNumbers } = state;
  const shown = useMemo(() => {
    const variantOf = (key: string) =>
      isDifference ? termVariant(key, termNumbers) : runVariant(numberOf(runNumbers, key));
    return runs && show(runs, settings, view, variantOf);
  }, [runs, settings, view, runNumbers, termNumbers]);
  useLayoutEffect(() => {
    if (shown && isDifference) {
      dashboard.showTerms(
        COMPARE_KEY,
        shown.bands.map(({ key }) => key),
      );
    }
  }, [shown]);
  return {
    readable,
    asked,
    drawn: runs?.map(({ recording }) => recording) ?? asked,
    view,
    picture: shown?.picture,
    bands: shown?.bands ?? [],
    whole: commonRange((runs ?? []).map(({ curves }) => curves)),
    failure,
  };
}

/** The number of the run that a recording's key names. */
export function numberOf(runNumbers: ReadonlyMap<string, number>, key: string): number {
  return runNumbers.get(JSON.parse(key)[0]) ?? 0;
}

function show(
  runs: readonly RunCurves[],
  settings: Settings,
  view: View,
  variantOf: (key: string) => number,
) {
  const { compare, seeds, top, order, stackOrder, terms, smoothing } = settings;
  // Its quantity is another than that of the cards: so are the ends of its y range.
  const limits = { ignoresOutliers: settings.ignoreOutliers };
  const [first, second] = runs;
  if (first === undefined) {
    return undefined;
  }
  const shows = (key: string) => isShown(view, key);
  if (compare !== DIFFERENCE) {
    const joined = joinSeeds(runLines(runs, compare), termPattern(seeds).pattern);
    const lines = joined.map((line) => {
      const [band = line.band] = withVariants([line.band], variantOf);
      return { ...line, band };
    });
    const scale = yScale(compare === "ratio" ? "ratio" : "lines", settings.scale);
    const picture = comparisonPicture(lines, shows, compare, scale, first.curves);
    return { picture: { ...picture, limits }, bands: lines.map(({ band }) => band) };
  }
  if (second === undefined) {
    return undefined;
  }
  const curves = differenceOf(first.curves, second.curves);
  const pattern = termPattern(terms).pattern;
  const chosen = chooseBands(curves, { keep: view.isolated, top, order, stackOrder, pattern });
  const bands = withVariants(chosen, variantOf);
  const picture = {
    ...makePicture(curves, bands, shows, "stack", "linear", smoothing),
    quantity: "difference" as const,
    limits,
  };
  return { picture, bands };
}
