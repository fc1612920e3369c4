/** The colours of a chart's parts that are no term, after TensorBoard's light and dark themes. */

export type Theme = "light" | "dark";

export interface Look {
  readonly page: string;
  /** The strongest shade of a heat strip: one for all rows, so that rows can be compared. */
  readonly heat: string;
  readonly total: string;
  readonly text: string;
  readonly grid: string;
  readonly warning: string;
  /** What is doubtful rather than wrong. */
  readonly caution: string;
}

export const LOOKS: Record<Theme, Look> = {
  light: {
    page: "#ffffff",
    heat: "#0d47a1",
    total: "#202124",
    text: "#616161",
    grid: "#e8eaed",
    warning: "#c62828",
    caution: "#b26a00",
  },
  dark: {
    page: "#303030",
    heat: "#90caf9",
    total: "#f1f3f4",
    text: "#bdbdbd",
    grid: "#424242",
    warning: "#ef9a9a",
    caution: "#ffb74d",
  },
};

/** What a single bucket between gaps, or a single step, is as wide as: it has no width of its own. */
export const LONE_WIDTH = 3;

/** Of axis labels, in pixels. */
export const FONT_SIZE = 12;
