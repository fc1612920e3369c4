import { useRef } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { whyOutside } from "../data/recording.ts";
import { type Band, isSummand, MORE_KEY } from "../model/bands.ts";
import { formatOrigin, shortenMiddle } from "../model/format.ts";
import { hasSpread, type Picture, TOTAL_KEY } from "../model/picture.ts";
import { isolate, isShown, toggle } from "../model/view.ts";
import { highlight } from "./highlight.ts";

const HINT = "Click to show or hide, double-click or shift-click to show alone";

interface Props {
  dashboard: Dashboard;
  /** Of the view whose bands they are. */
  viewKey: string;
  /** What its entries are. */
  name?: string;
  /** From bottom to top. */
  bands: readonly Band[];
  /** What the line over all parts is called, where there is one. */
  total: string | undefined;
  colourOf: (band: Band) => string;
  picture: Picture | undefined;
}

/** Names the bands; its entries show, hide, isolate and highlight them. */
export function Legend({
  dashboard,
  viewKey,
  name = "Terms",
  bands,
  total,
  colourOf,
  picture,
}: Props) {
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
  return (
    <ul class="legend" aria-label={name}>
      {total !== undefined && (
        <li>
          <button type="button" class="term" title={`${total}\n${HINT}`} {...handlers(TOTAL_KEY)}>
            <span class="swatch swatch-line" aria-hidden="true" />
            {total}
          </button>
        </li>
      )}
      {bands.map((band) => {
        const origin = originOf(band);
        return (
          <li key={band.key}>
            <button
              type="button"
              class="term"
              title={`${band.label}\n${HINT}`}
              {...handlers(band.key)}
            >
              {/* A heat strip has one colour for all. */}
              {picture?.view !== "strip" && <Swatch band={band} colour={colourOf(band)} />}
              <span>{shortenMiddle(band.label, 40)}</span>
              {origin !== "" && <span class="origin">{origin}</span>}
            </button>
          </li>
        );
      })}
      {picture && hasSpread(picture) && (
        <li class="term-note">
          <span class="swatch swatch-spread" aria-hidden="true" />
          between minimum and maximum
        </li>
      )}
    </ul>
  );
}

export function Swatch({ band, colour }: { band: Band; colour: string }) {
  if (band.role === "total") {
    return <span class="swatch swatch-line" aria-hidden="true" />;
  }
  if (!isSummand(band)) {
    return <span class="swatch swatch-dashed" style={{ color: colour }} aria-hidden="true" />;
  }
  const background =
    band.role === "unexplained"
      ? `repeating-linear-gradient(135deg, ${colour} 0 2px, transparent 2px 5px)`
      : colour;
  return <span class="swatch" style={{ background }} aria-hidden="true" />;
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
