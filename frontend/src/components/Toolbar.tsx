import { useState } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { GRADIENT_VIEWS } from "../model/gradients.ts";
import { refuseScale } from "../model/rules.ts";
import { type Settings, VIEWS, type ViewName } from "../model/settings.ts";
import { Checkbox } from "./Checkbox.tsx";
import { CompareBy } from "./CompareBy.tsx";
import { CopyLink } from "./CopyLink.tsx";
import { Disclosure } from "./Disclosure.tsx";
import { useNarrow } from "./hooks.ts";
import { Notice } from "./Notice.tsx";
import { Options } from "./Options.tsx";
import { Segments } from "./Segments.tsx";
import { Select } from "./Select.tsx";
import { Smoothing } from "./Smoothing.tsx";

const NAMES: Record<ViewName, readonly [label: string, title: string]> = {
  stack: ["Stack", "Terms stacked: the height of each band is its part of the loss"],
  share: ["100 %", "Each term's share of the loss"],
  lines: ["Lines", "Each term as a line"],
  ratio: ["Ratio", "Penalties divided by the data loss"],
  multiples: ["Small multiples", "Each term in its own small chart"],
  pull: ["Gradient pull", "The gradient of each penalty divided by that of the data loss"],
  cosine: ["Gradient cosine", "Whether penalties and data loss pull the same way"],
  strip: ["Heat strip", "Each term as a row: the stronger its colour, the larger its share"],
};

interface Props {
  dashboard: Dashboard;
  settings: Settings;
  /** Some run recorded gradients: those views are offered. */
  hasGradients: boolean;
}

/** What all charts show, and how. */
export function Toolbar({ dashboard, settings, hasGradients }: Props) {
  const shown = VIEWS.filter(
    (view) => hasGradients || view === settings.view || !GRADIENT_VIEWS.has(view),
  );
  const [isOpen, setOpen] = useState(false);
  const isNarrow = useNarrow();
  const refusal = refuseScale(settings.view, settings.scale);
  // In a narrow window there is one line of what is used most: the rest goes to the options.
  const rest = (
    <>
      <CompareBy dashboard={dashboard} settings={settings} />
      <Smoothing
        value={settings.smoothing}
        onChange={(smoothing) => dashboard.changeSettings({ smoothing })}
      />
      <CopyLink dashboard={dashboard} />
    </>
  );
  return (
    <section class="toolbar" aria-label="Settings of all charts">
      <div class="toolbar-row">
        {isNarrow ? (
          <Select
            label="View"
            isBare
            value={settings.view}
            options={shown.map((view) => [view, NAMES[view][0]])}
            onChange={(view) => dashboard.changeSettings({ view })}
          />
        ) : (
          <Segments
            label="View"
            name="view"
            value={settings.view}
            options={shown.map((view) => [view, ...NAMES[view]])}
            onChange={(view) => dashboard.changeSettings({ view })}
          />
        )}
        <Disclosure
          name="Options"
          controls="options"
          isOpen={isOpen}
          onToggle={() => setOpen(!isOpen)}
        />
        <Checkbox
          label="Table"
          isChecked={settings.table}
          onChange={(table) => dashboard.changeSettings({ table })}
        />
        {!isNarrow && rest}
      </div>
      <div id="options" hidden={!isOpen}>
        {isOpen && <Options dashboard={dashboard} settings={settings} rest={isNarrow && rest} />}
      </div>
      {refusal !== undefined && (
        <Notice action="Show lines" onAction={() => dashboard.changeSettings({ view: "lines" })}>
          {refusal}
        </Notice>
      )}
    </section>
  );
}
