/** Sweeps as the server answers them, for tests. */

import { parseSweep, type Sweep } from "../data/sweep.ts";

type Json = Record<string, unknown>;

export function point(run: string, values: Json = {}): Json {
  return { run, data_loss: 1, validation_data_loss: null, last_step: 99, ...values };
}

/** Of a strength whose points have data losses. */
export function entry(strength: unknown, points: readonly Json[], values: Json = {}): Json {
  const losses = points.map(({ data_loss }) => data_loss).filter((loss) => loss !== null);
  const numbers = losses as number[];
  const mean = numbers.reduce((sum, loss) => sum + loss, 0) / numbers.length;
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  const spread = numbers.length > 0 ? { mean, min, max, standard_error: null } : null;
  return { strength, data_loss: spread, penalty_share: 0.25, points, ...values };
}

export function sweep(strengths: readonly Json[], values: Json = {}): Sweep {
  return parseSweep({
    ...{ name: "losses", metric: null, window: 0.1, strength_from: "recorded", unread: 0 },
    ...{ strengths, sentence: "", warnings: [], metrics: [], ...values },
  });
}
