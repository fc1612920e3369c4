import { useMemo, useRef } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import type { Sweep } from "../data/sweep.ts";
import { sweepSvg } from "../drawing/sweep.ts";
import { formatStep } from "../model/format.ts";
import { isSweep, placedEntries, sweepNumbers } from "../model/sweep.ts";
import { sweepPicture } from "../model/sweepPicture.ts";
import { Disclosure } from "./Disclosure.tsx";
import { useWidth } from "./hooks.ts";
import { Menu } from "./Menu.tsx";
import { DrawnEntries } from "./SaveEntries.tsx";
import { SweepChart } from "./SweepChart.tsx";
import { SweepOptions } from "./SweepOptions.tsx";
import { SweepTable } from "./SweepTable.tsx";
import { useSweep } from "./useSweep.ts";

const NAME = "Sweep of strengths";
/** Of the plot of losses with its axes, and of that of a metric. */
const HEIGHT = 340;
const METRIC_HEIGHT = 140;

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

/** The picture of a sweep, what is seen in it in a sentence, and the same numbers as a table. */
function SweepBody({ dashboard, state, sweep }: Props & { sweep: Sweep }) {
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const picture = useMemo(
    () => (placedEntries(sweep).length > 0 ? sweepPicture(sweep) : undefined),
    [sweep],
  );
  const height = HEIGHT + (sweep.metric === null ? 0 : METRIC_HEIGHT);
  return (
    <div class="card">
      <header class="card-head">
        <SweepOptions dashboard={dashboard} settings={state.settings} sweep={sweep} />
        {picture && (
          <Menu name={NAME} title="Save">
            <DrawnEntries
              name={NAME}
              svg={() => sweepSvg(picture, width, height, NAME)}
              numbers={() => sweepNumbers(sweep)}
            />
          </Menu>
        )}
      </header>
      <div class="plot" style={{ minHeight: picture ? `${height}px` : "0" }} ref={plot}>
        {picture && width > 0 && (
          <SweepChart
            sweep={sweep}
            picture={picture}
            theme={state.theme}
            width={width}
            height={height}
            label={NAME}
            onPick={(key) => dashboard.showAlone(key)}
          />
        )}
      </div>
      <p role="status">
        {sweep.unread > 0
          ? `Reading… Runs left: ${formatStep(sweep.unread)}.`
          : [sweep.sentence, ...sweep.warnings].join(" ")}
      </p>
      {/* Those who see no picture have its numbers. */}
      <SweepTable sweep={sweep} isShown={state.settings.table || picture === undefined} />
    </div>
  );
}
