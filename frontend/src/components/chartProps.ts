/** What a chart shows, and what it tells. */

import type { Range } from "../data/axis.ts";
import type { Theme } from "../drawing/look.ts";
import type { ColourOf } from "../drawing/paint.ts";
import type { Band } from "../model/bands.ts";
import type { Mark } from "../model/findings.ts";
import type { Picture } from "../model/picture.ts";
import type { ReadingOptions } from "../model/reading.ts";

export interface ChartProps {
  picture: Picture;
  /** The part of the x axis shown. */
  range: Range;
  /** All of the x axis. */
  whole: Range;
  theme: Theme;
  width: number;
  height: number;
  /** Without the names of the axes. */
  isSmall?: boolean;
  /** The chart in one sentence, for those who cannot see it. */
  label: string;
  colourOf: ColourOf;
  reading: ReadingOptions;
  /** Where findings begin. */
  marks?: readonly Mark[];
  /** Undefined for the whole. */
  onZoom: (range: Range | undefined) => void;
  onPick: (band: Band) => void;
}
