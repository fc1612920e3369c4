import { useMemo } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { filterRecordings } from "../model/runs.ts";
import { useStore } from "../store.ts";
import { Card } from "./Card.tsx";
import { CompareCard } from "./CompareCard.tsx";
import { EmptyState } from "./EmptyState.tsx";
import { later } from "./later.tsx";
import { Notice } from "./Notice.tsx";
import { Overview } from "./Overview.tsx";
import { Problems } from "./Problems.tsx";
import { RunPicker } from "./RunPicker.tsx";
import { useSidebarWidth } from "./SidebarEdge.tsx";
import { Toolbar } from "./Toolbar.tsx";

const SweepCard = later(
  "The sweep of strengths",
  async () => (await import("../parts/sweep.ts")).SweepCard,
);

/** The whole page: the run picker beside the cards of the chosen recordings. */
export function App({ dashboard }: { dashboard: Dashboard }) {
  const state = useStore(dashboard);
  const { recordings, filter, choice } = state;
  const filtered = useMemo(() => filterRecordings(recordings ?? [], filter), [recordings, filter]);
  const [sidebar, setSidebar] = useSidebarWidth();
  const pinned = (key: string) => Number(dashboard.viewOf(key).isPinned ?? false);
  const shown = filtered.matching
    .filter(({ key }) => choice.chosen.has(key))
    .toSorted((left, right) => pinned(right.key) - pinned(left.key));

  return (
    <div class="app" style={{ "--sidebar": `${sidebar}px` }}>
      <RunPicker
        dashboard={dashboard}
        state={state}
        filtered={filtered}
        width={sidebar}
        onWidth={setSidebar}
      />
      <main class="main" aria-label="Charts" tabIndex={-1}>
        <h1 class="unseen">Regularization</h1>
        {state.isUnreachable && (
          <Notice action="Try again" onAction={() => void dashboard.reload()}>
            {recordings === undefined
              ? "Can't reach TensorBoard."
              : "Can't reach TensorBoard; showing what was loaded."}
          </Notice>
        )}
        {state.failure !== undefined && <Notice>{state.failure}</Notice>}
        {recordings === undefined && !state.isUnreachable && state.failure === undefined && (
          <p class="hint">Loading…</p>
        )}
        {recordings !== undefined && <Problems recordings={recordings} />}
        {recordings?.length === 0 && state.waiting === 0 && <EmptyState />}
        {recordings !== undefined && state.waiting > 0 && (
          <p class="hint">Looking for losses among the scalars of {state.waiting} more runs…</p>
        )}
        {recordings !== undefined && recordings.length > 0 && shown.length === 0 && (
          <p class="hint">
            {filtered.matching.length === 0
              ? "No run matches the filter."
              : "No run is selected. Select one in the list of runs."}
          </p>
        )}
        {recordings !== undefined && recordings.length > 1 && (
          <div class="of-all-runs">
            <SweepCard dashboard={dashboard} state={state} />
            <Overview dashboard={dashboard} state={state} matching={filtered.matching} />
          </div>
        )}
        {shown.length > 0 && (
          <Toolbar
            dashboard={dashboard}
            settings={state.settings}
            hasGradients={state.gradients.size > 0}
          />
        )}
        <div class="cards">
          {state.settings.compare !== "" && shown.length > 0 && (
            <CompareCard dashboard={dashboard} state={state} recordings={shown} />
          )}
          {shown.map((recording) => (
            <Card key={recording.key} dashboard={dashboard} state={state} recording={recording} />
          ))}
        </div>
      </main>
    </div>
  );
}
