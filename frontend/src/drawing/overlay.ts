/** Brings one band of a picture to the fore, over what was drawn already. */

import type { Projection } from "../model/scales.ts";
import { LOOKS } from "./look.ts";
import { paintLayer, paintLine, type Scene } from "./paint.ts";
import type { Surface } from "./surface.ts";

/** How much of the others is covered. */
const COVER = 0.75;

export function paintHighlight(
  surface: Surface,
  projection: Projection,
  { picture, theme, colourOf }: Scene,
  key: string | undefined,
): void {
  const layer = picture.layers.find(({ band }) => band.key === key);
  const lines = picture.lines.filter(({ band }) => band.key === key);
  const isAlone = picture.layers.length + picture.lines.length < 2;
  // A heat strip's rows have names beside them.
  if (isAlone || picture.view === "strip" || (layer === undefined && lines.length === 0)) {
    return;
  }
  const { left, top, width, height } = projection.box;
  surface.rectangle(left, top, width, height, { colour: LOOKS[theme].page, alpha: COVER });
  if (layer !== undefined) {
    paintLayer(surface, projection, picture.x, layer, colourOf);
  }
  for (const line of lines) {
    paintLine(surface, projection, line, colourOf);
  }
}
