import { useState } from "preact/hooks";

const NARROWEST = 180;
const WIDEST = 800;
const USUAL = 280;
const STEP = 20;

/** Where the browser keeps it, as TensorBoard does with the width of its own list. */
const KEY = "tb_regplugin.sidebar_width";

function within(width: number): number {
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
}

/** How wide the list of runs is, also after a reload. */
export function useSidebarWidth(): [width: number, change: (width: number) => void] {
  const [width, setWidth] = useState(() => within(Number(localStorage.getItem(KEY)) || USUAL));
  const change = (wanted: number) => {
    setWidth(within(wanted));
    localStorage.setItem(KEY, String(within(wanted)));
  };
  return [width, change];
}

interface Props {
  width: number;
  onWidth: (width: number) => void;
}

/** The edge by which the list of runs is made wider, dragged or with the arrow keys. */
export function SidebarEdge({ width, onWidth }: Props) {
  const widths: Record<string, number> = {
    ArrowLeft: width - STEP,
    ArrowRight: width + STEP,
    Home: NARROWEST,
    End: WIDEST,
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule can't be moved.
    <div
      class="sidebar-edge"
      role="separator"
      tabIndex={0}
      aria-label="Width of the list of runs"
      aria-orientation="vertical"
      aria-valuemin={NARROWEST}
      aria-valuemax={WIDEST}
      aria-valuenow={width}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) {
          onWidth(event.clientX);
        }
      }}
      onDblClick={() => onWidth(USUAL)}
      onKeyDown={(event) => {
        const wanted = widths[event.key];
        if (wanted !== undefined) {
          event.preventDefault();
          onWidth(wanted);
        }
      }}
    />
  );
}
