/** A training beside its validation: the data losses of both. */

import type { Curves, Series } from "../data/curves.ts";
import type { Recording } from "../data/recording.ts";
import { resample } from "./compare.ts";
import { centres } from "./picture.ts";
import { trainingKeys } from "./runs.ts";

/** The validation of a recording; undefined where it has none. */
export function validationOf(
  training: Recording,
  recordings: readonly Recording[],
): Recording | undefined {
  return recordings.find((recording) => trainingKeys(recording).includes(training.key));
}

/** The curves of a training with the data losses of its validation beside them. */
export function withValidation(curves: Curves, validation: Curves): Curves {
  const x = centres(curves);
  const later = curves.xAxis === "relative" ? beginning(validation) - beginning(curves) : 0;
  const xOfValidation = centres(validation).map((place) => place + later);
  const beside = validation.series
    .filter(({ column }) => column.role === "data")
    .map(({ column, mean }): Series => {
      const values = Float32Array.from(resample(xOfValidation, Float64Array.from(mean), x));
      const rows = Uint32Array.from(values, (value, i) =>
        Number.isNaN(value) ? 0 : (curves.series[0]?.rows[i] ?? 0),
      );
      const { name } = column;
      return {
        column: { ...column, role: "validation", name: `validation ${name}` },
        ...{ rows, min: values, mean: values, max: values, last: values },
      };
    });
  return { ...curves, series: [...curves.series, ...beside] };
}

/** The time of the first row, where the x axis counts from it. */
function beginning({ wallTimes, lastXs }: Curves): number {
  return (wallTimes[0] ?? 0) - (lastXs[0] ?? 0);
}
