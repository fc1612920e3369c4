import { useRef } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { whyOutside } from "../data/recording.ts";
import { HATCHES, type Hatch } from "../drawing/surface.ts";
import { dashOf, hatchOf } from "../drawing/variants.ts";
import { type Band, isSummand, MORE_KEY, termsOf } from "../model/bands.ts";
import { formatOrigin } from "../model/format.ts";
import { type Grouping, REST } from "../model/grouping.ts";
import { shortNames } from "../model/names.ts";
import { hasSpread, type Picture, TOTAL_KEY } from "../model/picture.ts";
import { describeRestarts } from "../model/restarts.ts";
import { closeGroup, isolate, isShown, openGroup, toggle, type View } from "../model/view.ts";
import { highlight } from "./highlight.ts";

const HINT = "Click to show or hide; double-click or Shift-click to show alone";

/** So many terms, each with a band, a browser draws while one waits. */
const MOST_OF_REST = 1000;

interface Props {
  dashboard: Dashboard;
  /** Of the view whose bands they are. */
  viewKey: string;
  /** What its entries are. */
  name?: string;
  /** From bottom to top. */
  bands: readonly Band[];
  /** Where bands may be sums of several terms. */
  groups?: Grouping;
  /** What the line over all parts is called, where there is one. */
  total: string | undefined;
  colourOf: (band: Band) => string;
  picture: Picture | undefined;
}

/** Names the bands; its entries show, hide, isolate and highlight them. */
export function Legend(props: Props) {
  const { dashboard, viewKey, name = "Terms", bands, total, colourOf, picture } = props;
  const view = dashboard.viewOf(viewKey);
  // What a double-click isolates, it isolates in the view before its first click.
  const before = useRef(view);
  const click = (key: string) => (event: MouseEvent) => {
    if (event.detail <= 1) {
      before.current = view;
    }
    const isDouble = event.detail === 2 && !event.shiftKey;
    const change = isDouble || event.shiftKey ? isolate : toggle;
    dashboard.changeView(viewKey, (current) => change(isDouble ? before.current : current, key));
  };
  const handlers = (key: string) => ({
    "aria-pressed": isShown(view, key),
    "data-term": key,
    onClick: click(key),
    onMouseEnter: () => highlight(key),
    onMouseLeave: () => highlight(undefined),
    onFocus: () => highlight(key),
    onBlur: () => highlight(undefined),
  });
  const { groups } = props;
  const names = shortNames(
    bands.map(({ label }) => label),
    40,
  );
  // What stands for most terms is named first, however many others there are.
  const isRest = ({ key }: Band) => Number(key === MORE_KEY);
  const listed = bands.toSorted((left, right) => isRest(right) - isRest(left));
  const restarts = picture && describeRestarts(picture.curves.restarts);
  const groupButton = (group: string, isOpen: boolean, change: (view: View) => View) => (
    <button
      key={group}
      type="button"
      class="term group-toggle"
      aria-expanded={isOpen}
      aria-label={`Terms of ${group}`}
      title={isOpen ? `Sum the terms of ${group}` : `Show the terms of ${group}`}
      onClick={() => dashboard.changeView(viewKey, change)}
    >
      {isOpen ? `▾ ${group}` : "▸"}
    </button>
  );
  const closed = new Set<string>();
  /** Before the first term of each group that is open, what closes it; before a sum, what opens it. */
  const groupButtons = (band: Band) => {
    const { key, label } = band;
    const [first] = band.members;
    if (groups === undefined || first === undefined) {
      return null;
    }
    if (key === MORE_KEY) {
      const isDrawable = termsOf(band) <= MOST_OF_REST;
      return isDrawable && groupButton(REST, false, (view) => openGroup(view, REST, key, []));
    }
    const around = groups.openedAround(first.column).filter((group) => !closed.has(group));
    return (
      <>
        {around.map((group) => {
          closed.add(group);
          const inside = groups.keysIn(group).flat();
          return groupButton(group, true, (view) => closeGroup(view, group, inside));
        })}
        {(first.column.members?.length ?? 0) > 1 &&
          groupButton(label, false, (view) => {
            const parts = groups.keysIn(label).flatMap(([outermost]) => outermost ?? []);
            return openGroup(view, label, key, parts);
          })}
      </>
    );
  };
  return (
    <ul class="legend" aria-label={name}>
      {total !== undefined && (
        <li>
          <button type="button" class="term" title={`${total}\n${HINT}`} {...handlers(TOTAL_KEY)}>
            <PlainSwatch kind="line" />
            {total}
          </button>
        </li>
      )}
      {groups?.opened.has(REST) && (
        <li>{groupButton(REST, true, (view) => closeGroup(view, REST, []))}</li>
      )}
      {listed.map((band) => {
        const origin = originOf(band);
        return (
          <li key={band.key}>
            {groupButtons(band)}
            <button
              type="button"
              class="term"
              title={`${band.label}\n${HINT}`}
              {...handlers(band.key)}
            >
              {/* A heat strip has one colour for all. */}
              {picture?.view !== "strip" && <Swatch band={band} colour={colourOf(band)} />}
              <span>{names.get(band.label)}</span>
              {origin !== "" && <span class="origin">{origin}</span>}
            </button>
          </li>
        );
      })}
      {restarts !== undefined && (
        <li class="term-note">
          <PlainSwatch kind="restart" />
          {restarts}
        </li>
      )}
      {picture && hasSpread(picture) && (
        <li class="term-note">
          <PlainSwatch kind="spread" />
          between minimum and maximum
        </li>
      )}
    </ul>
  );
}

/** Of what has the same colour in every chart. */
export function PlainSwatch({ kind }: { kind: "line" | "restart" | "spread" }) {
  return <span class={`swatch swatch-${kind}`} aria-hidden="true" />;
}

export function Swatch({ band, colour }: { band: Band; colour: string }) {
  if (band.role === "total") {
    return <PlainSwatch kind="line" />;
  }
  if (band.role === "run" || !isSummand(band)) {
    return (
      <svg class="swatch" style={{ color: colour }} viewBox="0 0 16 12" aria-hidden="true">
        <path
          d="M0 6H16"
          stroke="currentcolor"
          stroke-width="2"
          stroke-dasharray={dashOf(band).join(" ")}
        />
      </svg>
    );
  }
  const isUnexplained = band.role === "unexplained";
  const hatch = isUnexplained ? "/" : hatchOf(band);
  const style = {
    ...(isUnexplained ? {} : { backgroundColor: colour }),
    ...(hatch && { backgroundImage: stripes(hatch, isUnexplained ? colour : "#ffffff80") }),
  };
  return <span class="swatch" style={style} aria-hidden="true" />;
}

function stripes(hatch: Hatch, colour: string): string {
  const across = HATCHES[hatch] + 90;
  return `repeating-linear-gradient(${across}deg, ${colour} 0 2px, transparent 2px 5px)`;
}

function originOf(band: Band): string {
  const [only] = band.members;
  if (band.key === MORE_KEY || band.role === "run" || only === undefined) {
    return "";
  }
  const { column } = only;
  const terms = (column.terms ?? 1) < 2 ? "" : `${column.terms} terms`;
  const parts = [formatOrigin(column), terms, whyOutside(column) ?? ""];
  return parts.filter((part) => part !== "").join(", ");
}
