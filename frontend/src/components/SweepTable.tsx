import type { TextTable } from "../model/sweep.ts";

/** The numbers of a sweep; unless they are shown, for those who hear them alone. */
export function SweepTable({ table, isShown }: { table: TextTable; isShown: boolean }) {
  return (
    <div class={isShown ? "table-box" : "unseen"} tabIndex={isShown ? 0 : -1}>
      <table class="terms" aria-label={table.name}>
        <thead>
          <tr>
            {table.headings.map((heading) => (
              <th key={heading} scope="col">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map(([name, ...cells]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {cells.map((cell, i) => (
                <td key={i}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
