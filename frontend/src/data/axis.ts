/** What an x axis counts, and a part of an axis. */

export const X_AXES = ["step", "relative", "wall_time"] as const;
export type XAxis = (typeof X_AXES)[number];

export interface Range {
  readonly min: number;
  readonly max: number;
}
