import { useMemo, useState } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import { shortNames } from "../model/names.ts";
import { type Filtered, recordingLabel } from "../model/runs.ts";
import { useNarrow } from "./hooks.ts";
import { RunRow } from "./RunRow.tsx";
import { SidebarEdge } from "./SidebarEdge.tsx";

interface Props {
  dashboard: Dashboard;
  state: DashboardState;
  filtered: Filtered;
  width: number;
  onWidth: (width: number) => void;
}

/** What is beside a name, with its findings, and how wide a letter is, in pixels. */
const BESIDE = 100;
const LETTER = 6.6;

/** The list of runs: filter, choice and colours, as in TensorBoard's Time Series. */
export function RunPicker({ dashboard, state, filtered, width, onWidth }: Props) {
  // In a narrow window the list lies above the cards, folded at first.
  const isNarrow = useNarrow();
  const [isOpen, setOpen] = useState(!isNarrow);
  const keys = filtered.matching.map(({ key }) => key);
  const chosen = keys.filter((key) => state.choice.chosen.has(key));
  const names = useMemo(
    () => shortNames(filtered.matching.map(recordingLabel), (width - BESIDE) / LETTER),
    [filtered, width],
  );
  const count = `${chosen.length} of ${keys.length}`;
  const isMixed = chosen.length > 0 && chosen.length < keys.length;
  return (
    <nav class="sidebar" aria-label="Runs">
      <div class="sidebar-head">
        <button
          type="button"
          class="sidebar-toggle"
          aria-expanded={isOpen}
          aria-controls="runs"
          onClick={() => setOpen(!isOpen)}
        >
          Runs
          <span class="count">{count}</span>
        </button>
        <h2 class="sidebar-title">
          Runs
          <span class="count">{count}</span>
        </h2>
      </div>
      <div id="runs" class={isOpen ? "runs" : "runs is-closed"}>
        <div class="filter">
          <input
            type="search"
            placeholder="Filter runs (regex)"
            aria-label="Filter runs by a regular expression"
            aria-invalid={filtered.invalid}
            aria-describedby={filtered.invalid ? "filter-error" : undefined}
            spellcheck={false}
            value={state.filter}
            onInput={(event) => dashboard.setFilter(event.currentTarget.value)}
          />
          {filtered.invalid && (
            <span id="filter-error" class="filter-error" role="status">
              Not a regular expression; all runs are listed.
            </span>
          )}
        </div>
        <label class="run run-all">
          <input
            type="checkbox"
            checked={keys.length > 0 && chosen.length === keys.length}
            indeterminate={isMixed}
            disabled={keys.length === 0}
            onChange={(event) => dashboard.choose(keys, event.currentTarget.checked)}
          />
          <span class="run-name">All runs</span>
        </label>
        <ul class="run-list">
          {filtered.matching.map((recording) => (
            <RunRow
              key={recording.key}
              dashboard={dashboard}
              state={state}
              recording={recording}
              name={names.get(recordingLabel(recording))}
            />
          ))}
        </ul>
      </div>
      <SidebarEdge width={width} onWidth={onWidth} />
    </nav>
  );
}
