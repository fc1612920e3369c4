/** What a card shows, from its recording, its view and the settings of all cards. */

import { useCallback, useLayoutEffect, useMemo } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import type { CurvesQuery } from "../data/api.ts";
import type { Range } from "../data/axis.ts";
import type { Curves } from "../data/curves.ts";
import { type Finding, NO_FINDINGS } from "../data/findings.ts";
import { columnKey, type Recording } from "../data/recording.ts";
import { bandColour, termVariant, withVariants } from "../drawing/colours.ts";
import type { ColourOf } from "../drawing/paint.ts";
import { type Band, type BandOptions, chooseBands, totalOf } from "../model/bands.ts";
import { findingMarks, type Mark } from "../model/findings.ts";
import { GRADIENT_VIEWS, gradientBands } from "../model/gradients.ts";
import { type Grouping, makeGrouping, REST } from "../model/grouping.ts";
import { RATIO_LABEL } from "../model/lines.ts";
import { makePicture, type Picture, TOTAL_KEY } from "../model/picture.ts";
import { fullRange } from "../model/ranges.ts";
import { yScale } from "../model/rules.ts";
import type { Settings } from "../model/settings.ts";
import { termPattern } from "../model/terms.ts";
import { validationOf, withValidation } from "../model/validation.ts";
import { isShown, type View } from "../model/view.ts";
import { useCurves } from "./hooks.ts";
import { useLimits } from "./useLimits.ts";

export interface CardState {
  readonly view: View;
  /** What the curves are of: the recording, or that of its gradients. */
  readonly source: Recording;
  /** There is a column that curves can be asked for. */
  readonly isReadable: boolean;
  /** It is on the screen, or nearly. */
  readonly isWanted: boolean;
  readonly query: CurvesQuery;
  readonly grouping: Grouping;
  /** Only terms that match are shown. */
  readonly pattern: RegExp | undefined;
  readonly curves: Curves | undefined;
  readonly failure: string | undefined;
  /** From bottom to top, hidden ones included. */
  readonly bands: readonly Band[] | undefined;
  readonly picture: Picture | undefined;
  /** The part of the x axis shown. */
  readonly range: Range;
  readonly whole: Range;
  /** What the line over all parts is called, where there is one. */
  readonly totalLabel: string | undefined;
  readonly findings: readonly Finding[];
  /** Where they begin. */
  readonly marks: readonly Mark[];
  readonly colourOf: ColourOf;
  readonly zoomTo: (range: Range | undefined) => void;
}

export function useCard(
  dashboard: Dashboard,
  state: DashboardState,
  recording: Recording,
  width: number,
  isNear: boolean,
): CardState {
  const { settings, theme, termNumbers } = state;
  const view = dashboard.viewOf(recording.key);
  // Without a column there are no curves to ask for; the problems above the cards say why.
  const isReadable = recording.columns.length > 0;
  const isOfGradients = GRADIENT_VIEWS.has(settings.view);
  const source = (isOfGradients && state.gradients.get(recording.key)) || recording;
  // Who filters asks for terms, not for the groups that they happen to be in.
  const isFiltered = settings.group === "auto" && settings.terms !== "";
  const group = isOfGradients || isFiltered ? "term" : settings.group;
  const { opened, isolated } = view;
  const grouping = useMemo(
    () => makeGrouping(group, source.columns, opened, isolated),
    [group, source.columns, opened, isolated],
  );
  const query = queryFor(settings, view, width, grouping);
  const isWanted = isNear && state.isVisible && isReadable;
  const { value: own, failure } = useCurves(dashboard, source, query, isWanted, grouping);
  const validation = isOfGradients ? undefined : validationOf(recording, state.recordings ?? []);
  const joined = useMemo(() => makeGrouping("all", validation?.columns ?? []), [validation]);
  const { value: beside } = useCurves(
    dashboard,
    validation ?? recording,
    // All of it: the ends of few epochs are within a zoom.
    { ...query, range: undefined, group: joined.parameter, smoothing: 0 },
    isWanted && validation !== undefined,
    joined,
  );
  const curves = useMemo(
    () => (own && beside && validation ? withValidation(own, beside) : own),
    [own, beside, validation],
  );

  const pattern = useMemo(() => termPattern(settings.terms).pattern, [settings.terms]);
  const { order, stackOrder, smoothing } = settings;
  const top = opened.has(REST) ? 0 : settings.top;
  const chosen = useMemo(
    () =>
      curves &&
      (isOfGradients
        ? gradientBands(curves, settings.view).filter(({ label }) => pattern?.test(label) ?? true)
        : groupedBands(curves, grouping, { keep: isolated, top, order, stackOrder, pattern })),
    [curves, grouping, isolated, top, order, stackOrder, pattern, isOfGradients && settings.view],
  );
  useLayoutEffect(() => {
    if (chosen) {
      dashboard.showTerms(
        recording.key,
        chosen.map(({ key }) => key),
      );
    }
  }, [chosen]);
  const bands = useMemo(
    () => chosen && withVariants(chosen, (key) => termVariant(key, termNumbers)),
    [chosen, termNumbers],
  );
  const scale = yScale(settings.view, settings.scale);
  const unlimited = useMemo(() => {
    const showsTotal = pattern === undefined || pattern.test(TOTAL_KEY);
    const shows = (key: string) => isShown(view, key) && (key !== TOTAL_KEY || showsTotal);
    return curves && bands && makePicture(curves, bands, shows, settings.view, scale, smoothing);
  }, [curves, bands, view.hidden, view.isolated, settings.view, scale, smoothing, pattern]);
  const whole = curves ? fullRange(curves) : { min: 0, max: 1 };
  const range = view.range ?? whole;
  const picture = useLimits(dashboard, recording.key, unlimited, range);
  const findings = recording.findings ?? state.findings.get(recording.key) ?? NO_FINDINGS;
  const marks = useMemo(() => (curves ? findingMarks(findings, curves) : []), [findings, curves]);
  const colourOf = useCallback(
    (band: Band) => bandColour(theme, band, termNumbers),
    [theme, termNumbers],
  );

  const zoomTo = (range: Range | undefined) => dashboard.zoom(recording.key, range, whole);
  return {
    view,
    source,
    isReadable,
    isWanted,
    query,
    grouping,
    pattern,
    curves,
    failure,
    bands: settings.view === "ratio" ? bands?.filter(({ role }) => role === "penalty") : bands,
    picture,
    range,
    whole,
    totalLabel: curves && totalLabel(settings, curves),
    findings,
    marks,
    colourOf,
    zoomTo,
  };
}

/** However small the terms of an opened group are, they are shown, side by side. */
function groupedBands(
  curves: Curves,
  { opened, openedAround }: Grouping,
  options: BandOptions & { keep: ReadonlySet<string> },
): readonly Band[] {
  if (opened.size === 0) {
    return chooseBands(curves, options);
  }
  const groups = new Map(
    curves.series.map(({ column }) => [columnKey(column), openedAround(column)] as const),
  );
  const within = [...groups].filter(([, around]) => around.length > 0).map(([key]) => key);
  return chooseBands(curves, {
    ...options,
    keep: new Set([...options.keep, ...within]),
    groupsOf: (key) => groups.get(key) ?? [],
  });
}

function queryFor(settings: Settings, view: View, width: number, grouping: Grouping) {
  const { top, x, smoothing, terms } = settings;
  // What is filtered or isolated may be none of the largest: then all are needed.
  const isOfGradients = GRADIENT_VIEWS.has(settings.view);
  const { parameter: group, opened } = grouping;
  const isSelective = isOfGradients || terms !== "" || view.isolated.size > 0 || opened.size > 0;
  return {
    range: view.range,
    buckets: bucketsFor(width),
    group,
    top: isSelective ? 0 : top,
    x,
    smoothing,
  };
}

/** One bucket a pixel, in steps that spare a request for each pixel of a window being resized. */
export function bucketsFor(width: number): number {
  return width === 0 ? 0 : Math.min(2000, Math.max(200, Math.ceil(width / 100) * 100));
}

/** What the line over all parts is called in a view; undefined where none is drawn. */
function totalLabel({ view }: Settings, curves: Curves): string | undefined {
  switch (view) {
    case "share":
    case "strip":
    case "pull":
    case "cosine":
      return undefined;
    case "ratio":
      return RATIO_LABEL;
    default:
      return totalOf(curves) && "total";
  }
}
