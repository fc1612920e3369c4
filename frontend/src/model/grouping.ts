/** What a penalty's group is called, as the server calls it. */

import type { Column } from "../data/recording.ts";

const UNKNOWN_KIND = "unknown";
const LAYER = "layer:";

/** Names of columns are those of their groups; only penalties are ever joined. */
export function groupNamer(group: string): (column: Column) => string {
  const penaltyName = penaltyNamer(group);
  return (column) => (column.role === "penalty" ? penaltyName(column) : column.name);
}

function penaltyNamer(group: string): (column: Column) => string {
  if (group.startsWith(LAYER)) {
    const depth = Number(group.slice(LAYER.length));
    return ({ name }) => name.split("/").slice(0, depth).join("/") || name;
  }
  switch (group) {
    case "kind":
      return ({ kind }) => kind ?? UNKNOWN_KIND;
    case "all":
      return () => "penalties";
    default:
      return ({ name }) => name;
  }
}

/** The groupings that the terms of some recordings allow, with what they are called. */
export function groupings(
  columns: readonly Column[],
  current: string,
): readonly (readonly [group: string, name: string])[] {
  const penalties = columns.filter(({ role }) => role === "penalty");
  const parts = penalties.reduce((most, { name }) => Math.max(most, name.split("/").length), 1);
  const depths = Array.from({ length: Math.min(parts - 1, 4) }, (_, i) => i + 1);
  const layers = depths.map((depth) => [`${LAYER}${depth}`, layerName(depth)] as const);
  const own = current.startsWith(LAYER) && !layers.some(([group]) => group === current);
  return [
    ["term", "Term"],
    ...layers,
    ...(own ? [[current, layerName(Number(current.slice(LAYER.length)))] as const] : []),
    ["kind", "Kind"],
    ["all", "All penalties as one"],
  ];
}

function layerName(depth: number): string {
  return depth === 1 ? "Layer" : `Layer, ${depth} levels`;
}
