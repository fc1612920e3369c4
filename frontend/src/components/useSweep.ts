/** What each strength led to, where runs differ in that. */

import { useState } from "preact/hooks";
import type { Dashboard, DashboardState } from "../dashboard.ts";
import { fetchSweep } from "../data/api.ts";
import type { Sweep } from "../data/sweep.ts";
import { isValidation } from "../model/runs.ts";
import type { Settings, SweepViewName } from "../model/settings.ts";
import { FEWEST_RUNS, isSweep } from "../model/sweep.ts";
import { type Loaded, useAnswer } from "./hooks.ts";

/** What views are drawn of besides the losses. */
const INCLUDES: Partial<Record<SweepViewName, string>> = { path: "norms", plane: "trajectories" };
const includeOf = ({ sweepView }: Settings) => INCLUDES[sweepView] ?? "nothing";

/** The server's sweep, or what it has of it so far. */
export function useSweep(dashboard: Dashboard, state: DashboardState): Loaded<Sweep> {
  const { settings, recordings = [], isVisible } = state;
  // The first answer takes as long as reading all recordings does, so what has come is shown.
  const [coming, setComing] = useState<Sweep>();
  const { sweepMetric, sweepWindow, sweepFrom } = settings;
  const question = JSON.stringify([sweepMetric, sweepWindow, sweepFrom, includeOf(settings)]);
  const runs = recordings.filter(({ run }) => !isValidation(run)).length;
  // Whether there is one must be known of a folded one, too, and no more than that.
  const isFolded = settings.sweep === "folded" && coming !== undefined;
  const isWanted = isVisible && runs >= FEWEST_RUNS && !isFolded;
  const loaded = useAnswer(dashboard, question, isWanted, (signal) =>
    ask(settings, signal, setComing),
  );
  const value = loaded.value ?? coming;
  return value === undefined ? loaded : { ...loaded, value };
}

/** From where it is said; else from the recordings, and from names where those tell nothing. */
async function ask(
  settings: Settings,
  signal: AbortSignal,
  onPart: (sweep: Sweep) => void,
): Promise<Sweep> {
  const { sweepMetric: metric, sweepWindow: window, sweepFrom } = settings;
  const query = { metric, window, include: includeOf(settings) };
  const source = sweepFrom === "auto" ? "recorded" : sweepFrom;
  const found = await fetchSweep({ ...query, source }, signal, onPart);
  onPart(found);
  if (sweepFrom !== "auto" || found.entries.some(({ strength }) => strength !== null)) {
    return found;
  }
  const named = await fetchSweep({ ...query, source: "names" }, signal, () => {});
  return isSweep(named) ? named : found;
}
