import { useCallback } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import type { Range } from "../data/axis.ts";
import type { Recording } from "../data/recording.ts";
import { bandColour, runColour } from "../drawing/colours.ts";
import type { Theme } from "../drawing/look.ts";
import type { Band } from "../model/bands.ts";
import { COMPARE_KEY, quantityName } from "../model/compare.ts";
import { DIFFERENCE } from "../model/difference.ts";
import { enumerate } from "../model/format.ts";
import { leftOut } from "../model/rules.ts";
import { recordingLabel } from "../model/runs.ts";
import { isolate } from "../model/view.ts";
import { CardMenu } from "./CardMenu.tsx";
import { Chart } from "./Chart.tsx";
import { chartHeight } from "./chartHeight.ts";
import { DifferencePair } from "./DifferencePair.tsx";
import { useCardSize } from "./hooks.ts";
import { Legend } from "./Legend.tsx";
import { PatternField } from "./PatternField.tsx";
import { ResetZoom } from "./ResetZoom.tsx";
import { numberOf, useComparison } from "./useComparison.ts";

interface Props {
  dashboard: Dashboard;
  state: DashboardState;
  recordings: readonly Recording[];
}

/** The chosen runs in one chart. */
export function CompareCard({ dashboard, state, recordings }: Props) {
  const { settings, theme, runNumbers, termNumbers } = state;
  const { element, plot, width, isFull, isNear } = useCardSize();
  const height = chartHeight(width, isFull);
  const comparison = useComparison(dashboard, state, recordings, width, isNear);
  const { view, picture, bands, whole, failure } = comparison;
  const zoomTo = (range: Range | undefined) => dashboard.zoom(COMPARE_KEY, range, whole);
  const colourIn = (theme: Theme, band: Band) =>
    band.role === "run"
      ? runColour(theme, numberOf(runNumbers, band.key))
      : bandColour(theme, band, termNumbers);
  const colourOf = useCallback(
    (band: Band) => colourIn(theme, band),
    [theme, runNumbers, termNumbers],
  );

  const isDifference = settings.compare === DIFFERENCE;
  const [first, second] = comparison.drawn.map(recordingLabel);
  const isAlone = isDifference && second === undefined;
  const title = isDifference
    ? `${first ?? "…"} − ${second ?? "…"}`
    : `${quantityName(settings.compare)} across runs`;
  const note = picture && leftOut(picture.scale, picture.lines);
  return (
    <article class="card is-wide" ref={element} aria-label={title}>
      <header class="card-head">
        <h2>{title}</h2>
        <ResetZoom view={view} onReset={() => zoomTo(undefined)} />
        {isDifference && comparison.asked.length === 2 && (
          <DifferencePair dashboard={dashboard} comparison={comparison} />
        )}
        {!isDifference && (
          <PatternField
            label="Join runs that match"
            placeholder="E.g. (lambda=[^,]+)"
            value={settings.seeds}
            onInput={(seeds) => dashboard.changeSettings({ seeds })}
          />
        )}
        {picture && (
          <CardMenu
            name={title}
            picture={picture}
            range={view.range ?? whole}
            colourOf={(band) => colourIn("light", band)}
            width={width}
            isZoomed={false}
            isFull={isFull}
          />
        )}
        {isDifference && second !== undefined && (
          <p class="subtitle">
            Below zero, {first} is lower; above zero, {second} is.
          </p>
        )}
        {note !== undefined && <p class="subtitle">{note}</p>}
        {failure !== undefined && <p class="warning">{failure}</p>}
      </header>
      {/* As high as the chart that is coming, or as the hint that none is. */}
      <div class="plot" style={isAlone ? {} : { minHeight: `${height}px` }} ref={plot}>
        {isAlone && (
          <p class="hint">Select two runs in the list of runs to see their difference.</p>
        )}
        {isNear && picture && width > 0 && (
          <Chart
            picture={picture}
            range={view.range ?? whole}
            whole={whole}
            theme={theme}
            width={width}
            height={height}
            label={`${title}: ${enumerate(bands.map(({ label }) => label))}`}
            colourOf={colourOf}
            reading={{ order: settings.readingOrder, limit: settings.readingRows }}
            selected={state.selected}
            onSelect={(selected) => dashboard.select(selected)}
            onZoom={zoomTo}
            onPick={({ key }) =>
              dashboard.changeView(COMPARE_KEY, (current) => isolate(current, key))
            }
          />
        )}
      </div>
      {picture && (
        <Legend
          dashboard={dashboard}
          viewKey={COMPARE_KEY}
          name={isDifference ? "Terms" : "Runs"}
          bands={bands}
          total={isDifference ? "total" : undefined}
          colourOf={colourOf}
          picture={picture}
        />
      )}
    </article>
  );
}
