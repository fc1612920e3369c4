import { useLayoutEffect, useRef } from "preact/hooks";
import type { Band } from "../model/bands.ts";
import { shortenMiddle } from "../model/format.ts";
import type { Picture } from "../model/picture.ts";
import { type ReadingOptions, read } from "../model/reading.ts";
import { Swatch } from "./Legend.tsx";

/** Where the pointer is: over which bucket, at which point of the window, over which band. */
export interface Pointer {
  readonly bucket: number;
  /** On the chart's own axes. */
  readonly at: number;
  readonly value: number;
  readonly x: number;
  readonly y: number;
  readonly band?: Band;
}

/** Between pointer and tooltip. */
const DISTANCE = 16;
/** Between tooltip and the window's edge. */
const MARGIN = 4;

interface Props {
  picture: Picture;
  pointer: Pointer;
  colourOf: (band: Band) => string;
  options: ReadingOptions;
}

/** Lists what the stack is made of at the pointer. */
export function Tooltip({ picture, pointer, colourOf, options }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const { steps, x, total, rows, more, isMean } = read(picture, pointer, options);

  useLayoutEffect(() => {
    const box = element.current;
    if (box !== null) {
      const { offsetWidth: width, offsetHeight: height } = box;
      const right = pointer.x + DISTANCE;
      const fits = right + width + MARGIN <= window.innerWidth;
      const left = fits ? right : Math.max(MARGIN, pointer.x - DISTANCE - width);
      const lowest = window.innerHeight - height - MARGIN;
      box.style.left = `${left}px`;
      box.style.top = `${Math.max(MARGIN, Math.min(pointer.y + DISTANCE, lowest))}px`;
    }
  });

  return (
    <div class="tooltip" role="tooltip" ref={element}>
      <table>
        <caption>
          step {steps}
          {isMean && <span class="origin"> means</span>}
          {x !== undefined && <span class="origin"> · {x}</span>}
        </caption>
        <tbody>
          {total && (
            <tr class="tooltip-total">
              <td>
                <span class="swatch swatch-line" aria-hidden="true" />
              </td>
              <th scope="row">total</th>
              <td>{total.value}</td>
              <td />
            </tr>
          )}
          {total?.range !== undefined && (
            <tr class="origin">
              <td />
              <th scope="row">min – max</th>
              <td colSpan={2} class="tooltip-range">
                {total.range}
              </td>
            </tr>
          )}
          {rows.map(({ band, value, share }) => (
            <tr key={band.key} class={band.key === pointer.band?.key ? "is-under" : undefined}>
              <td>
                <Swatch band={band} colour={colourOf(band)} />
              </td>
              <th scope="row">{shortenMiddle(band.label, 32)}</th>
              <td>{value}</td>
              <td>{share}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="origin">{more} more</p>}
    </div>
  );
}
