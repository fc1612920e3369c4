/** What a person chose for all charts at once. */

import type { XAxis } from "../data/axis.ts";

export const VIEWS = [
  "stack",
  "share",
  "lines",
  "ratio",
  "multiples",
  "strip",
  "pull",
  "cosine",
] as const;
export type ViewName = (typeof VIEWS)[number];

/** Auto is the scale that suits the view: see yScale in rules.ts. */
export const SCALES = ["auto", "linear", "log", "symlog"] as const;
export type ScaleChoice = (typeof SCALES)[number];

/** By their share of the loss, by the size of what they penalise, and so on. */
export const TERM_ORDERS = ["share", "size", "name", "recorded"] as const;
export type TermOrder = (typeof TERM_ORDERS)[number];

/** What the stack has at its bottom. */
export const STACK_ORDERS = ["penalties", "data"] as const;
export type StackOrder = (typeof STACK_ORDERS)[number];

export const READING_ORDERS = ["drawn", "largest", "smallest", "name", "nearest"] as const;
export type ReadingOrder = (typeof READING_ORDERS)[number];

/** TensorBoard's own slider ends here, too. */
export const MOST_SMOOTHING = 0.999;

/** More bands than this cannot be told apart; the smaller penalty terms are summed. */
export const DEFAULT_TOP = 12;

/** Whether the table of runs is open: auto is so with more than a few runs. */
export const OVERVIEW_STATES = ["auto", "open", "folded"] as const;
export type OverviewState = (typeof OVERVIEW_STATES)[number];

export const SWEEP_STATES = ["open", "folded"] as const;
export type SweepState = (typeof SWEEP_STATES)[number];

/** What is drawn of a sweep: see sweepViews.ts for which of them it has. */
export const SWEEP_VIEWS = ["losses", "path", "plane", "grid"] as const;
export type SweepViewName = (typeof SWEEP_VIEWS)[number];

/** Where the strengths of a sweep come from: auto is names where no recording tells them. */
export const STRENGTH_SOURCES = ["auto", "recorded", "hparams", "names"] as const;
export type StrengthSource = (typeof STRENGTH_SOURCES)[number];

export interface Settings {
  readonly view: ViewName;
  readonly scale: ScaleChoice;
  /** Of the y range: see limits.ts. */
  readonly ignoreOutliers: boolean;
  readonly sameRange: boolean;
  readonly yMin: number | undefined;
  readonly yMax: number | undefined;
  readonly x: XAxis;
  /** 0 for none, up to MOST_SMOOTHING. */
  readonly smoothing: number;
  /** auto, term, kind, all, layer:DEPTH or match:EXPRESSION. */
  readonly group: string;
  /** How many penalties have bands of their own; 0 for all. */
  readonly top: number;
  /** A regular expression; only terms whose names match are shown. */
  readonly terms: string;
  readonly order: TermOrder;
  readonly stackOrder: StackOrder;
  readonly table: boolean;
  readonly overview: OverviewState;
  /** The order of its rows: empty as listed, or see overview.ts. */
  readonly overviewOrder: string;
  readonly sweep: SweepState;
  readonly sweepView: SweepViewName;
  /** The tag of a scalar to compare strengths by; empty for none. */
  readonly sweepMetric: string;
  /** Over which share of its rows, the last ones, a run is averaged. */
  readonly sweepWindow: number;
  readonly sweepFrom: StrengthSource;
  readonly readingOrder: ReadingOrder;
  readonly readingRows: number;
  /** The quantity compared across runs: empty for none, or see compare.ts. */
  readonly compare: string;
  /** A regular expression whose capture groups the compared runs. */
  readonly seeds: string;
  /** Keys of the two recordings of a difference: empty for the first chosen ones. */
  readonly minuend: string;
  readonly subtrahend: string;
}

export const DEFAULT_SETTINGS: Settings = {
  view: "stack",
  scale: "auto",
  ignoreOutliers: false,
  sameRange: false,
  yMin: undefined,
  yMax: undefined,
  x: "step",
  smoothing: 0,
  group: "auto",
  top: DEFAULT_TOP,
  terms: "",
  order: "share",
  stackOrder: "penalties",
  table: false,
  overview: "auto",
  overviewOrder: "",
  sweep: "open",
  sweepView: "losses",
  sweepMetric: "",
  sweepWindow: 0.1,
  sweepFrom: "auto",
  readingOrder: "drawn",
  readingRows: 16,
  compare: "",
  seeds: "",
  minuend: "",
  subtrahend: "",
};

const GROUP = /^(auto|term|kind|all|layer:[1-9]\d?|match:.*)$/s;

export function isGroup(text: string): boolean {
  return GROUP.test(text);
}
