import { useMemo } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { comparable, QUANTITIES } from "../model/compare.ts";
import { DIFFERENCE } from "../model/difference.ts";
import type { Settings } from "../model/settings.ts";
import { Select } from "./Select.tsx";

interface Props {
  dashboard: Dashboard;
  settings: Settings;
}

/** Which quantity of all chosen runs is drawn in one chart. */
export function CompareBy({ dashboard, settings }: Props) {
  // Of a thousand runs, terms by the ten thousand.
  const { recordings } = dashboard.state;
  const terms = useMemo(() => comparable(dashboard.columns), [dashboard, recordings]);
  return (
    <Select
      label="Compare runs by"
      value={settings.compare}
      options={[["", "Nothing"], ...QUANTITIES, [DIFFERENCE, "Difference of two runs"], ...terms]}
      onChange={(compare) => dashboard.changeSettings({ compare })}
    />
  );
}
