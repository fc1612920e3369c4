import type { Dashboard } from "../dashboard.ts";
import type { ScaleChoice, Settings, XAxis } from "../model/settings.ts";
import { Select } from "./Select.tsx";

const X_NAMES: readonly (readonly [XAxis, string])[] = [
  ["step", "Step"],
  ["relative", "Relative time"],
  ["wall_time", "Wall time"],
];

const SCALE_NAMES: readonly (readonly [ScaleChoice, string])[] = [
  ["auto", "Automatic"],
  ["linear", "Linear"],
  ["log", "Log"],
  ["symlog", "Symmetric log"],
];

interface Props {
  dashboard: Dashboard;
  settings: Settings;
}

/** Settings that most people never need. */
export function Options({ dashboard, settings }: Props) {
  const change = (values: Partial<Settings>) => dashboard.changeSettings(values);
  return (
    <div class="toolbar-row options">
      <Select label="X axis" value={settings.x} options={X_NAMES} onChange={(x) => change({ x })} />
      <Select
        label="Y axis"
        value={settings.scale}
        options={SCALE_NAMES}
        onChange={(scale) => change({ scale })}
      />
    </div>
  );
}
