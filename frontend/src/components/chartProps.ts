/** What a chart shows, and what it tells. */

import type { Range } from "../data/axis.ts";
import type { Scene } from "../drawing/paint.ts";
import type { Band } from "../model/bands.ts";
import type { ReadingOptions } from "../model/reading.ts";

export interface ChartProps extends Scene {
  /** All of the x axis. */
  whole: Range;
  /** The chart in one sentence, for those who cannot see it. */
  label: string;
  reading: ReadingOptions;
  /** The part of the x axis that is selected in all charts. */
  selected: Range | undefined;
  onSelect: (selected: Range | undefined) => void;
  /** Undefined for the whole. */
  onZoom: (range: Range | undefined) => void;
  onPick: (band: Band) => void;
}
