import type { Sweep } from "../data/sweep.ts";
import { formatShare } from "../model/format.ts";
import { figureName, formatSpread, formatStrength, shownFigures } from "../model/sweep.ts";
import { formatOptional } from "../model/table.ts";

/** The means of a sweep; unless it is shown, for those who hear it alone. */
export function SweepTable({ sweep, isShown }: { sweep: Sweep; isShown: boolean }) {
  const figures = shownFigures(sweep);
  const headings = [
    "Strength",
    "Runs",
    ...figures.map((figure) =>
      figure === "metric" ? figureName(figure, sweep) : `Data loss, ${figureName(figure, sweep)}`,
    ),
    "Penalties’ share",
  ];
  return (
    <div class={isShown ? "table-box" : "unseen"} tabIndex={isShown ? 0 : -1}>
      <table class="terms" aria-label="Strengths">
        <thead>
          <tr>
            {headings.map((heading) => (
              <th key={heading} scope="col">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sweep.entries.map((entry) => (
            <tr key={formatStrength(entry.strength)}>
              <th scope="row">{formatStrength(entry.strength)}</th>
              <td>{entry.points.length}</td>
              {figures.map((figure) => (
                <td key={figure}>{formatSpread(entry[figure])}</td>
              ))}
              <td>{formatOptional(entry.penaltyShare, formatShare)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
