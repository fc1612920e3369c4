/** The numbers behind a picture, as a table for other programs. */

import type { Range, XAxis } from "../data/axis.ts";
import type { Band } from "./bands.ts";
import type { Line } from "./lines.ts";
import type { Picture } from "./picture.ts";
import { between } from "./ranges.ts";
import type { Layer } from "./stack.ts";

export interface NumberTable {
  readonly columns: readonly string[];
  /** NaN where the chart has a gap. */
  readonly rows: readonly (readonly (number | string)[])[];
}

interface NumberColumn {
  readonly name: string;
  readonly at: (bucket: number) => number;
}

const PLACES: Record<XAxis, string> = {
  step: "step",
  relative: "seconds",
  wall_time: "wall_time",
};

/** What is drawn between two places on the x axis: a row a bucket, and columns for each band. */
export function numbersOf(picture: Picture, range: Range): NumberTable {
  const { layers, lines, x } = picture;
  const nameOf = namer([...layers, ...lines].map(({ band }) => band));
  const columns = [
    ...placeColumns(picture),
    ...lines.flatMap((line) => lineColumns(line, nameOf(line.band), x)),
    ...layers.map((layer) => ({ name: nameOf(layer.band), at: heightOf(layer) })),
  ];
  const [begin, end] = between(x, range);
  const buckets = Array.from({ length: end - begin }, (_, i) => begin + i);
  return {
    columns: columns.map(({ name }) => name),
    rows: buckets.map((bucket) => columns.map(({ at }) => at(bucket))),
  };
}

/** A name that a data loss and a penalty share gets its role in front, as in the exact rows. */
function namer(bands: readonly Band[]): (band: Band) => string {
  const counts = new Map<string, number>();
  for (const { label } of bands) {
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return ({ label, role }) => ((counts.get(label) ?? 0) > 1 ? `${role}: ${label}` : label);
}

/** Where the buckets are: from the first to the last of their rows, unless all hold a single one. */
function placeColumns({ curves: { xAxis, firstXs, lastXs } }: Picture): NumberColumn[] {
  const name = PLACES[xAxis];
  const first = (bucket: number) => firstXs[bucket] ?? Number.NaN;
  if (firstXs.every((place, bucket) => place === lastXs[bucket])) {
    return [{ name, at: first }];
  }
  return [
    { name: `first_${name}`, at: first },
    { name: `last_${name}`, at: (bucket) => lastXs[bucket] ?? Number.NaN },
  ];
}

function lineColumns({ x, values, raw, envelope }: Line, name: string, all: Float64Array) {
  // Lines of several runs have buckets of their own.
  const own = x === all ? undefined : new Map([...x].map((place, i) => [place, i]));
  const at = (edge: Float64Array) => (bucket: number) => {
    const place = own === undefined ? bucket : own.get(all[bucket] ?? Number.NaN);
    return fromFloat32(place === undefined ? Number.NaN : (edge[place] ?? Number.NaN));
  };
  return [
    { name, at: at(values) },
    ...(raw ? [{ name: `${name} (not smoothed)`, at: at(raw) }] : []),
    ...(envelope
      ? [
          { name: `${name} (min)`, at: at(envelope.lower) },
          { name: `${name} (max)`, at: at(envelope.upper) },
        ]
      : []),
  ];
}

function heightOf({ above, below }: Layer): (bucket: number) => number {
  return (bucket) => {
    const up = (above.upper[bucket] ?? Number.NaN) - (above.lower[bucket] ?? Number.NaN);
    const down = below ? (below.upper[bucket] ?? 0) - (below.lower[bucket] ?? 0) : 0;
    return fromFloat32(up - (Number.isNaN(down) ? 0 : down));
  };
}

/** The shortest number that is the same float32: recordings hold no more digits. */
function fromFloat32(value: number): number {
  const digits = [6, 7, 8].find(
    (count) => Math.fround(Number(value.toPrecision(count))) === Math.fround(value),
  );
  return Number(value.toPrecision(digits ?? 9));
}

/** As CSV, with nothing where there is a gap. */
export function numbersCsv({ columns, rows }: NumberTable): string {
  const lines = [
    columns.map(quoted),
    ...rows.map((row) => row.map((value) => (Number.isNaN(value) ? "" : quoted(String(value))))),
  ];
  return `${lines.map((cells) => cells.join(",")).join("\r\n")}\r\n`;
}

/** As JSON, with null where there is a gap. */
export function numbersJson(table: NumberTable): string {
  // JSON has no NaN: JavaScript writes null.
  return JSON.stringify(table);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
