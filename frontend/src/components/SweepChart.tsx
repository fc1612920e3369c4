import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { clearCanvas } from "../drawing/surface.ts";
import { type SweepDrawing, targetAt } from "../drawing/sweepDrawing.ts";
import { followHighlight, highlight, highlighted } from "./highlight.ts";
import { placeAt } from "./Tooltip.tsx";

const KEYS =
  "Arrow keys, period and comma go from one to the next, Enter shows its runs alone, Escape stops.";

interface Props {
  drawing: SweepDrawing;
  label: string;
  sentence: string;
  /** Of the keys of runs' recordings. */
  onPick: (keys: readonly string[]) => void;
}

/** What is read, by its number, and where its tooltip is, in the window. */
interface Reading {
  readonly place: number;
  readonly x: number;
  readonly y: number;
  readonly isOfKeys: boolean;
}

/** A view of a sweep, with a tooltip at what is pointed at. */
export function SweepChart({ drawing, label, sentence, onPick }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [reading, setReading] = useState<Reading>();
  const { targets, width, height, inRow } = drawing;
  const target = reading && targets[reading.place];

  useLayoutEffect(() => {
    if (canvas.current !== null) {
      drawing.paint(clearCanvas(canvas.current, width, height));
    }
  }, [drawing]);

  useLayoutEffect(() => {
    const show = (key: string | undefined) => {
      if (overlay.current !== null) {
        const surface = clearCanvas(overlay.current, width, height);
        for (const each of targets) {
          if (each === target || (key !== undefined && each.keys.includes(key))) {
            drawing.mark(surface, each);
          }
        }
      }
    };
    show(highlighted());
    return followHighlight(show);
  }, [drawing, target]);

  const read = (next: Reading | undefined) => {
    if (next !== undefined || reading !== undefined) {
      setReading(next);
      // Cards are brought to the fore one at a time.
      const [key, ...others] = targets[next?.place ?? -1]?.keys ?? [];
      highlight(others.length > 0 ? undefined : key);
    }
  };
  const originOf = () => canvas.current?.getBoundingClientRect() ?? { left: 0, top: 0 };
  const point = ({ clientX: x, clientY: y }: MouseEvent) => {
    const { left, top } = originOf();
    const place = targetAt(drawing, x - left, y - top);
    // Where the mouse only moves on, the keys keep their place.
    if (place !== undefined || reading?.isOfKeys !== true) {
      read(place === undefined ? undefined : { place, x, y, isOfKeys: false });
    }
  };
  const readTarget = (wanted: number) => {
    const place = Math.min(Math.max(wanted, 0), targets.length - 1);
    const { left, top } = originOf();
    const [x, y] = targets[place]?.places[0] ?? [0, 0];
    read({ place, x: left + x, y: top + y, isOfKeys: true });
  };
  const pick = () => {
    if (target !== undefined && target.keys.length > 0) {
      onPick(target.keys);
    }
  };
  const pressKey = (event: KeyboardEvent) => {
    const place = reading?.place ?? -1;
    const places: Readonly<Record<string, number>> = {
      ...{ ArrowRight: place + 1, ".": place + 1, ArrowLeft: place - 1, ",": place - 1 },
      ...{ Home: 0, End: targets.length - 1 },
      ...(inRow === undefined ? {} : { ArrowDown: place + inRow, ArrowUp: place - inRow }),
    };
    const next = places[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (next !== undefined) {
      readTarget(next);
    } else if (event.key === "Enter") {
      pick();
    } else if (event.key === "Escape") {
      read(undefined);
    } else {
      return;
    }
    event.preventDefault();
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: no element is a chart
    <div
      class="chart"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its keys go from one to the next
      tabIndex={0}
      aria-label={`${label}. ${KEYS}`}
      onKeyDown={pressKey}
      onBlur={() => read(undefined)}
      onMouseMove={point}
      onMouseLeave={() => reading?.isOfKeys !== true && read(undefined)}
      onClick={pick}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${label}: ${sentence}`}
        style={{ width: `${width}px`, height: `${height}px` }}
      />
      <canvas
        ref={overlay}
        class="chart-overlay"
        style={{ width: `${width}px`, height: `${height}px` }}
      />
      <span class="unseen" role="status">
        {reading?.isOfKeys &&
          target &&
          `${target.title}: ${target.values.map(([name, value]) => `${name} ${value}`).join("; ")}`}
      </span>
      {reading && target && (
        <div class="tooltip" role="tooltip" style={{ transform: placeAt(reading) }}>
          <table>
            <caption>{target.title}</caption>
            <tbody>
              {target.values.map(([name, value]) => (
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
