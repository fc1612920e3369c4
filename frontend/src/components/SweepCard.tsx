import { useMemo, useRef } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import type { Sweep } from "../data/sweep.ts";
import { sweepSvg } from "../drawing/sweepDrawing.ts";
import { sweepView, viewsOf } from "../drawing/sweepViews.ts";
import { formatStep } from "../model/format.ts";
import type { SweepViewName } from "../model/settings.ts";
import { isSweep } from "../model/sweep.ts";
import { Disclosure } from "./Disclosure.tsx";
import { useWidth } from "./hooks.ts";
import { Menu } from "./Menu.tsx";
import { DrawnEntries } from "./SaveEntries.tsx";
import { Segments } from "./Segments.tsx";
import { SweepChart } from "./SweepChart.tsx";
import { SweepOptions } from "./SweepOptions.tsx";
import { SweepTable } from "./SweepTable.tsx";
import { useSweep } from "./useSweep.ts";

const NAME = "Sweep of strengths";
/** What is below keeps its place until a picture is drawn. */
const LEAST_HEIGHT = 340;

interface Props {
  dashboard: Dashboard;
  state: DashboardState;
}

/** What each strength led to, above all runs: there wherever runs differ in strength. */
export function SweepCard({ dashboard, state }: Props) {
  const { value: sweep, failure } = useSweep(dashboard, state);
  const isOpen = state.settings.sweep === "open";
  // Who chose where strengths come from must be able to choose again.
  const isThere = sweep && (isSweep(sweep) || state.settings.sweepFrom !== "auto");
  if (!isThere && failure === undefined) {
    return null;
  }
  return (
    <section class="overview sweep" aria-label={NAME}>
      <Disclosure
        name={NAME}
        controls="sweep"
        isOpen={isOpen}
        onToggle={() => dashboard.changeSettings({ sweep: isOpen ? "folded" : "open" })}
      />
      <div id="sweep" hidden={!isOpen}>
        {isOpen && isThere && <SweepBody dashboard={dashboard} state={state} sweep={sweep} />}
        {failure !== undefined && <p class="warning">{failure}</p>}
      </div>
    </section>
  );
}

const NAMES: Record<SweepViewName, readonly [label: string, title: string]> = {
  losses: ["Losses", "Losses and penalties' share of each strength"],
  path: ["Path", "The norms of weights under each strength"],
  plane: ["Plane", "Data loss against penalty ÷ strength, from the first step to the last"],
  grid: ["Grid", "The mean of each pair of strengths"],
};

/** A picture of a sweep, what is seen in it in a sentence, and the same numbers as a table. */
function SweepBody({ dashboard, state, sweep }: Props & { sweep: Sweep }) {
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const { theme, termNumbers, settings } = state;
  const views = viewsOf(sweep);
  const view = views.find((each) => each === settings.sweepView) ?? views[0];
  const { draw, numbers, table, note } = useMemo(
    () => sweepView(view, sweep, settings.group, termNumbers),
    [view, sweep, settings.group, termNumbers],
  );
  const drawing = useMemo(
    () => (width > 0 ? draw?.({ theme, width, top: 0 }) : undefined),
    [draw, theme, width],
  );
  return (
    <div class="card">
      <header class="card-head">
        {views.length > 1 && (
          <Segments
            label="View of the sweep"
            name="sweep-view"
            value={view}
            options={views.map((each) => [each, ...NAMES[each]])}
            onChange={(sweepView) => dashboard.changeSettings({ sweepView })}
          />
        )}
        <SweepOptions dashboard={dashboard} settings={settings} sweep={sweep} />
        {draw && (
          <Menu name={NAME} title="Save">
            <DrawnEntries name={NAME} svg={() => sweepSvg(draw, width, NAME)} numbers={numbers} />
          </Menu>
        )}
      </header>
      <div class="plot" style={{ minHeight: draw ? `${LEAST_HEIGHT}px` : "0" }} ref={plot}>
        {drawing && (
          <SweepChart
            drawing={drawing}
            label={NAME}
            sentence={sweep.sentence}
            onPick={(keys) => dashboard.showAlone(...keys)}
          />
        )}
      </div>
      <p role="status">
        {sweep.unread > 0
          ? `Reading… Runs left: ${formatStep(sweep.unread)}.`
          : [sweep.sentence, note, ...sweep.warnings].join(" ")}
      </p>
      {/* Those who see no picture have its numbers. */}
      <SweepTable table={table} isShown={settings.table || draw === undefined} />
    </div>
  );
}
