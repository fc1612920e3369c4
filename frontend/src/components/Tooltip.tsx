import type { Band } from "../model/bands.ts";
import { shortNames } from "../model/names.ts";
import type { Picture } from "../model/picture.ts";
import { type ReadingOptions, read } from "../model/reading.ts";
import { PlainSwatch, Swatch } from "./Legend.tsx";
import type { Pointer } from "./pointer.ts";

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
  const { place, total, rows, more, isMean } = read(picture, pointer, options);
  const [where, ...also] = place;
  const names = shortNames(
    rows.map(({ band }) => band.label),
    32,
  );

  return (
    <div class="tooltip" role="tooltip" style={{ transform: placeAt(pointer) }}>
      <table>
        <caption>
          {where}
          {isMean && <span class="origin"> (means)</span>}
          {also.map((more) => (
            <span key={more} class="origin">
              {" "}
              · {more}
            </span>
          ))}
        </caption>
        <tbody>
          {total && (
            <tr class="tooltip-total">
              <td>
                <PlainSwatch kind="line" />
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
              <th scope="row">{names.get(band.label)}</th>
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

/** Beside the pointer, towards the window's middle. Percentages are of the tooltip's own size. */
export function placeAt({ x, y }: Pick<Pointer, "x" | "y">): string {
  const isLeft = x < window.innerWidth / 2;
  const beside = isLeft ? `${x + DISTANCE}px` : `${x - DISTANCE}px - 100%`;
  return `translate(${within(beside, "100vw")}, ${within(`${y + DISTANCE}px`, "100vh")})`;
}

function within(place: string, end: string): string {
  return `max(${MARGIN}px, min(${place}, ${end} - 100% - ${MARGIN}px))`;
}
