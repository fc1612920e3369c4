import { useMemo } from "preact/hooks";
import type { Line } from "../model/lines.ts";
import { shortNames } from "../model/names.ts";
import { Chart } from "./Chart.tsx";
import type { ChartProps } from "./chartProps.ts";
import { Swatch } from "./Legend.tsx";

const NARROWEST = 230;
const GAP = 16;
const HEIGHT = 130;

/** Each line of a picture in a small chart of its own, the total first. */
export function Multiples(props: ChartProps) {
  const { picture, width, colourOf, label } = props;
  const columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
  const own = Math.floor((width - GAP * (columns - 1)) / columns);
  const pictures = useMemo(() => {
    const isTotal = (line: Line) => Number(line.band.role === "total");
    const lines = picture.lines.toSorted((left, right) => isTotal(right) - isTotal(left));
    return lines.map((line) => ({ ...picture, lines: [line] }));
  }, [picture]);
  const names = shortNames(
    picture.lines.map(({ band }) => band.label),
    30,
  );
  return (
    <ul class="multiples" style={{ gap: `${GAP}px`, "--columns": columns }}>
      {pictures.map((single) => {
        const band = single.lines[0]?.band;
        return (
          band && (
            <li key={band.key}>
              <h3 title={band.label}>
                <Swatch band={band} colour={colourOf(band)} />
                {names.get(band.label)}
              </h3>
              <Chart
                {...props}
                picture={single}
                width={own}
                height={HEIGHT}
                isSmall
                label={`${band.label}. ${label}`}
              />
            </li>
          )
        );
      })}
    </ul>
  );
}
