import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Sweep } from "../data/sweep.ts";
import type { Theme } from "../drawing/look.ts";
import { clearCanvas } from "../drawing/surface.ts";
import { framesOf, paintRun, paintSweep } from "../drawing/sweep.ts";
import { dotAt, placedDots } from "../drawing/sweepFrame.ts";
import { formatStrength, placedEntries, readPoint } from "../model/sweep.ts";
import type { SweepPicture } from "../model/sweepPicture.ts";
import { followHighlight, highlight, highlighted } from "./highlight.ts";
import { placeAt } from "./Tooltip.tsx";

const KEYS =
  "Arrow keys, period and comma go from run to run, Enter shows the run alone, Escape stops.";

interface Props {
  sweep: Sweep;
  picture: SweepPicture;
  theme: Theme;
  width: number;
  height: number;
  label: string;
  /** Of the key of a run's recording. */
  onPick: (key: string) => void;
}

/** A run that is read, and where its tooltip is, in the window. */
interface Reading {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  readonly isOfKeys: boolean;
}

/** Strengths on one axis, with a tooltip at the run that is pointed at. */
export function SweepChart({ sweep, picture, theme, width, height, label, onPick }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [reading, setReading] = useState<Reading>();
  const scene = useMemo(() => ({ picture, theme, width, height }), [picture, theme, width, height]);
  const frames = useMemo(() => framesOf(scene), [scene]);
  const runs = useMemo(
    () =>
      placedEntries(sweep).flatMap(({ strength, points }) =>
        points.map((point) => ({ strength, point })),
      ),
    [sweep],
  );

  useLayoutEffect(() => {
    if (canvas.current !== null) {
      paintSweep(clearCanvas(canvas.current, width, height), scene);
    }
    const show = (key: string | undefined) => {
      if (overlay.current !== null) {
        const surface = clearCanvas(overlay.current, width, height);
        if (key !== undefined) {
          paintRun(surface, scene, key);
        }
      }
    };
    show(highlighted());
    return followHighlight(show);
  }, [scene]);

  const read = (next: Reading | undefined) => {
    if (next !== undefined || reading !== undefined) {
      setReading(next);
      highlight(next?.key);
    }
  };
  const originOf = () => canvas.current?.getBoundingClientRect() ?? { left: 0, top: 0 };
  const point = ({ clientX: x, clientY: y }: MouseEvent) => {
    const { left, top } = originOf();
    const dot = dotAt(frames, x - left, y - top);
    // Where the mouse only moves on, the keys keep their place.
    if (dot !== undefined || reading?.isOfKeys !== true) {
      read(dot && { key: dot.point.key, x, y, isOfKeys: false });
    }
  };
  const readRun = (place: number) => {
    const key = runs[Math.min(Math.max(place, 0), runs.length - 1)]?.point.key;
    const { left, top } = originOf();
    const dot = frames
      .flatMap((frame) => placedDots(frame, frame.projectInto(frame.box), 1))
      .find(({ point }) => point.key === key);
    if (key !== undefined) {
      read({ key, x: left + (dot?.x ?? 0), y: top + (dot?.y ?? 0), isOfKeys: true });
    }
  };
  const pressKey = (event: KeyboardEvent) => {
    const place = runs.findIndex(({ point }) => point.key === reading?.key);
    const places: Readonly<Record<string, number>> = {
      ...{ ArrowRight: place + 1, ".": place + 1, ArrowLeft: place - 1, ",": place - 1 },
      ...{ Home: 0, End: runs.length - 1 },
    };
    const next = places[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (next !== undefined) {
      readRun(next);
    } else if (event.key === "Enter" && reading !== undefined) {
      onPick(reading.key);
    } else if (event.key === "Escape") {
      read(undefined);
    } else {
      return;
    }
    event.preventDefault();
  };

  const run = runs.find(({ point }) => point.key === reading?.key);
  const values = run ? readPoint(sweep, run.point) : [];
  const title = run && `${run.point.run}, strength ${formatStrength(run.strength)}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: no element is a chart
    <div
      class="chart"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys go from run to run
      tabIndex={0}
      aria-label={`${label}. ${KEYS}`}
      onKeyDown={pressKey}
      onBlur={() => read(undefined)}
      onMouseMove={point}
      onMouseLeave={() => reading?.isOfKeys !== true && read(undefined)}
      onClick={() => reading && onPick(reading.key)}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${label}: ${sweep.sentence}`}
        style={{ width: `${width}px`, height: `${height}px` }}
      />
      <canvas
        ref={overlay}
        class="chart-overlay"
        style={{ width: `${width}px`, height: `${height}px` }}
      />
      <span class="unseen" role="status">
        {reading?.isOfKeys &&
          `${title}: ${values.map(([name, value]) => `${name} ${value}`).join("; ")}`}
      </span>
      {reading && run && (
        <div class="tooltip" role="tooltip" style={{ transform: placeAt(reading) }}>
          <table>
            <caption>{title}</caption>
            <tbody>
              {values.map(([name, value]) => (
                <tr key={name}>
                  <td />
                  <th scope="row">{name}</th>
                  <td>{value}</td>
                  <td />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
