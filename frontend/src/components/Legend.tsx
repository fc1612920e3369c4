import { useRef } from "preact/hooks";
import { type Band, MORE_KEY } from "../model/bands.ts";
import { formatOrigin, shortenMiddle } from "../model/format.ts";
import { TOTAL_KEY } from "../model/picture.ts";
import { isShown, type View } from "../model/view.ts";

const HINT = "Click to show or hide, double-click or shift-click to show alone";

interface Props {
  /** What its entries are. */
  name?: string;
  /** From bottom to top. */
  bands: readonly Band[];
  /** What the line over all parts is called, where there is one. */
  total: string | undefined;
  view: View;
  colourOf: (band: Band) => string;
  onToggle: (key: string) => void;
  /** `before` is the view before the clicks that made up a double-click. */
  onIsolate: (key: string, before?: View) => void;
  onHighlight: (key: string | undefined) => void;
}

/** Names the bands; its entries show, hide, isolate and highlight them. */
export function Legend({
  name = "Terms",
  bands,
  total,
  view,
  colourOf,
  onToggle,
  onIsolate,
  onHighlight,
}: Props) {
  const before = useRef(view);
  const click = (key: string) => (event: MouseEvent) => {
    if (event.detail <= 1) {
      before.current = view;
    }
    if (event.shiftKey) {
      onIsolate(key);
    } else if (event.detail === 2) {
      onIsolate(key, before.current);
    } else {
      onToggle(key);
    }
  };
  const handlers = (key: string) => ({
    "aria-pressed": isShown(view, key),
    "data-term": key,
    onClick: click(key),
    onMouseEnter: () => onHighlight(key),
    onMouseLeave: () => onHighlight(undefined),
    onFocus: () => onHighlight(key),
    onBlur: () => onHighlight(undefined),
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
      {bands.map((band) => (
        <li key={band.key}>
          <button
            type="button"
            class="term"
            title={`${band.label}\n${HINT}`}
            {...handlers(band.key)}
          >
            <Swatch band={band} colour={colourOf(band)} />
            <span>{shortenMiddle(band.label, 40)}</span>
            <span class="origin">{originOf(band)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function Swatch({ band, colour }: { band: Band; colour: string }) {
  if (band.role === "total") {
    return <span class="swatch swatch-line" aria-hidden="true" />;
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
  return [formatOrigin(column), terms].filter((part) => part !== "").join(", ");
}
