import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { type Band, chooseBands } from "../bands.ts";
import { bandColour } from "../colours.ts";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import { shortenMiddle } from "../format.ts";
import { fullRange, makePicture, type Range, TOTAL_KEY, zoomRange } from "../picture.ts";
import type { Recording } from "../recording.ts";
import { recordingLabel } from "../runs.ts";
import { describeChart, describeNonFinite, subtitle } from "../summary.ts";
import { isolate, isShown, toggle, zoom } from "../view.ts";
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
  const isWanted = isNear && state.isVisible;
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
  const isEmpty = curves?.rows === 0;
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
        <p class="subtitle">{curves ? subtitle(curves) : "\u00a0"}</p>
        {nonFinite !== undefined && <p class="warning">{nonFinite}</p>}
        {failure !== undefined && <p class="warning">{failure}</p>}
        {problems.map((problem) => (
          <p class="warning" key={problem.tag}>
            <ProblemText problem={problem} />
          </p>
        ))}
      </header>
      <div class="plot" ref={plot}>
        {isNear && picture && whole && !isEmpty && width > 0 && (
          <StackChart
            picture={picture}
            range={view.range ?? whole}
            theme={theme}
            width={width}
            label={describeChart(label, picture.curves)}
            colourOf={colourOf}
            highlighted={highlighted}
            onZoom={zoomTo}
            onReset={() => zoomTo(undefined)}
          />
        )}
        {isEmpty && (
          <p class="hint">
            {recording.columns.length === 0
              ? "Nothing of this recording could be read."
              : "No steps recorded yet."}
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

/** One bucket a pixel, in steps that spare a request for each pixel of a window being resized. */
function bucketsFor(width: number): number {
  return width === 0 ? 0 : Math.min(2000, Math.max(200, Math.ceil(width / 100) * 100));
}
