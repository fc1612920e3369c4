import type { ComponentChildren } from "preact";
import type { Dashboard } from "../dashboard.ts";
import type { XAxis } from "../data/axis.ts";
import { groupings, MATCH } from "../model/grouping.ts";
import { refuseLimits } from "../model/limits.ts";
import { yScale } from "../model/rules.ts";
import type {
  ReadingOrder,
  ScaleChoice,
  Settings,
  StackOrder,
  TermOrder,
} from "../model/settings.ts";
import { Checkbox } from "./Checkbox.tsx";
import { LimitField } from "./LimitField.tsx";
import { NumberField } from "./NumberField.tsx";
import { PatternField } from "./PatternField.tsx";
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

const ORDER_NAMES: readonly (readonly [TermOrder, string])[] = [
  ["share", "Share of the loss"],
  ["size", "Size of the variable"],
  ["name", "Name"],
  ["recorded", "As recorded"],
];

const STACK_NAMES: readonly (readonly [StackOrder, string])[] = [
  ["penalties", "Penalties at the bottom"],
  ["data", "Data loss at the bottom"],
];

const READING_NAMES: readonly (readonly [ReadingOrder, string])[] = [
  ["drawn", "As drawn"],
  ["largest", "Largest first"],
  ["smallest", "Smallest first"],
  ["name", "Name"],
  ["nearest", "Nearest to the pointer"],
];

interface Props {
  dashboard: Dashboard;
  settings: Settings;
  /** What has no room elsewhere. */
  rest: ComponentChildren;
}

/** Settings that most people never need. */
export function Options({ dashboard, settings, rest }: Props) {
  const { yMin, yMax } = settings;
  const scale = yScale(settings.view, settings.scale);
  const change = (values: Partial<Settings>) => dashboard.changeSettings(values);
  return (
    <div class="toolbar-row options">
      {rest}
      <Select label="X axis" value={settings.x} options={X_NAMES} onChange={(x) => change({ x })} />
      <Select
        label="Y axis"
        value={settings.scale}
        options={SCALE_NAMES}
        onChange={(scale) => change({ scale })}
      />
      <LimitField label="Y from" value={yMin} onChange={(yMin) => change({ yMin })} />
      <LimitField
        label="Y to"
        value={yMax}
        problem={refuseLimits({ min: yMin, max: yMax }, scale)}
        onChange={(yMax) => change({ yMax })}
      />
      <Checkbox
        label="Ignore outliers"
        title="Leave the largest and the smallest 5 % of each curve's values out of the y range"
        isChecked={settings.ignoreOutliers}
        onChange={(ignoreOutliers) => change({ ignoreOutliers })}
      />
      <Checkbox
        label="Same y range for all cards"
        isChecked={settings.sameRange}
        onChange={(sameRange) => change({ sameRange })}
      />
      <Select
        label="Group by"
        value={settings.group}
        options={groupings(dashboard.columns, settings.group)}
        onChange={(group) => change({ group })}
      />
      {settings.group.startsWith(MATCH) && (
        <PatternField
          label="Group expression"
          placeholder="E.g. (layer_\d+)"
          value={settings.group.slice(MATCH.length)}
          onInput={(expression) => change({ group: `${MATCH}${expression}` })}
        />
      )}
      <NumberField
        label="Largest terms"
        title="How many penalty terms are shown one by one; the rest are summed. 0 shows all"
        value={settings.top}
        onChange={(top) => change({ top })}
      />
      <Select
        label="Order"
        value={settings.order}
        options={ORDER_NAMES}
        onChange={(order) => change({ order })}
      />
      <Select
        label="Stack order"
        value={settings.stackOrder}
        options={STACK_NAMES}
        onChange={(stackOrder) => change({ stackOrder })}
      />
      <PatternField
        label="Show terms"
        placeholder="Regular expression"
        value={settings.terms}
        onInput={(terms) => change({ terms })}
      />
      <Select
        label="Tooltip order"
        value={settings.readingOrder}
        options={READING_NAMES}
        onChange={(readingOrder) => change({ readingOrder })}
      />
      <NumberField
        label="Tooltip rows"
        value={settings.readingRows}
        onChange={(readingRows) => change({ readingRows: Math.max(1, readingRows) })}
      />
    </div>
  );
}
