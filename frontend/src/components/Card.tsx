import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import type { Curves } from "../data/curves.ts";
import type { Recording } from "../data/recording.ts";
import { bandColour } from "../drawing/colours.ts";
import { type Band, chooseBands } from "../model/bands.ts";
import { shortenMiddle } from "../model/format.ts";
import { fullRange, makePicture, type Range, TOTAL_KEY, zoomRange } from "../model/picture.ts";
import { recordingLabel } from "../model/runs.ts";
import { describeChart, describeNonFinite, subtitle } from "../model/summary.ts";
import { isolate, isShown, toggle, zoom } from "../model/view.ts";
import { useCurves, useNear, useWidth } from "./hooks.ts";
import { Legend } from "./Legend.tsx";
import { ProblemText } from "./Problems.tsx";
import { RunDot } from "./RunRow.tsx";
import { StackChart } from "./StackChart.tsx";

interface Props {
  dashboard: Dashboard;
  state: DashboardState;
  recording: Recording;
}

/** One recording: its title, its chart and its legend. */
export function Card({ dashboard, state, recording }: Props) {
  const { theme, termNumbers } = state;
  const element = useRef<HTMLElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const isNear = useNear(element);
  const width = useWidth(plot);
  const view = dashboard.viewOf(recording.key);
  // Without a column there are no curves to ask for; the problems above the cards say why.
  const isReadable = recording.columns.length > 0;
  const isWanted = isNear && state.isVisible && isReadable;
  const { curves, failure } = useCurves(
    dashboard,
    recording,
    view.range,
    bucketsFor(width),
    isWanted,
  );
  const [highlighted, setHighlighted] = useState<string>();

  const bands = useMemo(
    () => curves && chooseBands(curves, view.isolated),
    [curves, view.isolated],
  );
  const picture = useMemo(
    () => curves && bands && makePicture(curves, bands, (key) => isShown(view, key)),
    [curves, bands, view.hidden, view.isolated],
  );
  const colourOf = useCallback(
    (band: Band) => bandColour(theme, band, termNumbers),
    [theme, termNumbers],
  );
  const whole = curves && fullRange(curves);
  const zoomTo = (dragged: Range | undefined) => {
    const range = dragged && whole && zoomRange(dragged, whole);
    if (range !== undefined || dragged === undefined) {
      dashboard.changeView(recording.key, (current) => zoom(current, range));
    }
  };

  const label = recordingLabel(recording);
  const nonFinite = curves && describeNonFinite(curves.series.map(({ column }) => column));
  const listed = new Set(recording.problems.map(({ tag }) => tag));
  // Those of the list are shown above all cards.
  const problems = (curves?.problems ?? []).filter(({ tag }) => !listed.has(tag));
  const isEmpty = !isReadable || curves?.rows === 0;
  return (
    <article class="card" ref={element} aria-label={label}>
      <header class="card-head">
        <h2 title={label}>
          <RunDot state={state} run={recording.run} />
          <span>{shortenMiddle(label, 80)}</span>
        </h2>
        {view.range !== undefined && (
          <button type="button" class="text-button" onClick={() => zoomTo(undefined)}>
            Reset zoom
          </button>
        )}
        <p class="subtitle">{headline(curves, isReadable && failure === undefined)}</p>
        {nonFinite !== undefined && <p class="warning">{nonFinite}</p>}
        {failure !== undefined && <p class="warning">{failure}</p>}
        {problems.map((problem) => (
          <p class="warning" key={problem.tag}>
            <ProblemText problem={problem} />
          </p>
        ))}
      </header>
      <div class={isEmpty ? "plot is-empty" : "plot"} ref={plot}>
        {isNear && picture && whole && !isEmpty && width > 0 && (
          <StackChart
            picture={picture}
            range={view.range ?? whole}
            theme={theme}
            width={width}
            label={describeChart(label, picture.curves)}
            colourOf={colourOf}
            highlighted={isShown(view, highlighted ?? "") ? highlighted : undefined}
            onZoom={zoomTo}
            onReset={() => zoomTo(undefined)}
          />
        )}
        {isEmpty && (
          <p class="hint">
            {isReadable ? "No steps recorded yet." : "Nothing of this recording could be read."}
          </p>
        )}
      </div>
      {bands && !isEmpty && (
        <Legend
          bands={bands}
          hasTotal={curves?.series.some(({ column }) => column.role === TOTAL_KEY) ?? false}
          view={view}
          colourOf={colourOf}
          onToggle={(key) => dashboard.changeView(recording.key, (current) => toggle(current, key))}
          onIsolate={(key, before) =>
            dashboard.changeView(recording.key, (current) => isolate(before ?? current, key))
          }
          onHighlight={setHighlighted}
        />
      )}
    </article>
  );
}

function headline(curves: Curves | undefined, isLoading: boolean): string {
  if (curves !== undefined) {
    return subtitle(curves);
  }
  return isLoading ? "Loading…" : "\u00a0";
}

/** One bucket a pixel, in steps that spare a request for each pixel of a window being resized. */
function bucketsFor(width: number): number {
  return width === 0 ? 0 : Math.min(2000, Math.max(200, Math.ceil(width / 100) * 100));
}
