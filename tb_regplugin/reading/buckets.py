"""Min, mean, max and last over buckets that all series share. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.series import Series, evaluate, recorded_in
from tb_regplugin.reading.table import Table


@dataclass(frozen=True, eq=False)
class Buckets:
    """Series over buckets of rows. A bucket holds at least one row.

    Attributes:
      first_step: int64 ``[buckets]``, of the bucket's first row.
      last_step: int64 ``[buckets]``, of its last row.
      wall_time: float64 ``[buckets]``, of its last row, in seconds since the epoch.
      rows: uint32 ``[series, buckets]``: in how many rows the series was recorded.
      minimum: float32 ``[series, buckets]``, over the finite values; NaN where there is none.
      mean: Likewise; summed in float64.
      maximum: Likewise.
      last: float32 ``[series, buckets]``, of the last row in which the series was recorded.
      nan: uint32 ``[series, buckets]``: how many of the recorded values are NaN.
      positive_infinity: Likewise.
      negative_infinity: Likewise.
    """

    first_step: npt.NDArray[np.int64]
    last_step: npt.NDArray[np.int64]
    wall_time: npt.NDArray[np.float64]
    rows: npt.NDArray[np.uint32]
    minimum: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]
    maximum: npt.NDArray[np.float32]
    last: npt.NDArray[np.float32]
    nan: npt.NDArray[np.uint32]
    positive_infinity: npt.NDArray[np.uint32]
    negative_infinity: npt.NDArray[np.uint32]


def fill_buckets(table: Table, series: Sequence[Series], bounds: npt.NDArray[np.int64]) -> Buckets:
    """Summarises series over buckets.

    Args:
      table: The rows.
      series: What to summarise.
      bounds: int64 ``[buckets + 1]``, as ``axis.bucket_bounds`` returns them.
    """
    starts, stops = bounds[:-1], bounds[1:]
    recorded = np.column_stack(
        [np.empty((len(table.recorded), 0), np.bool_), *(recorded_in(table, one) for one in series)]
    )
    rows, last_rows = _recorded_rows(table.stretches, recorded, starts, stops, len(series))
    shape = (len(series), len(starts))
    out = Buckets(
        first_step=table.steps[starts],
        last_step=table.steps[stops - 1],
        wall_time=table.wall_times[stops - 1],
        rows=rows.astype(np.uint32),
        minimum=np.empty(shape, np.float32),
        mean=np.empty(shape, np.float32),
        maximum=np.empty(shape, np.float32),
        last=np.empty(shape, np.float32),
        nan=np.zeros(shape, np.uint32),
        positive_infinity=np.zeros(shape, np.uint32),
        negative_infinity=np.zeros(shape, np.uint32),
    )
    if not len(starts):
        return out
    for i, one in enumerate(series):
        values = evaluate(table, one, int(bounds[0]), int(bounds[-1]))
        _fill_series(out, i, values, starts - bounds[0], stops - starts)
        out.nan[i] -= (stops - starts - rows[i]).astype(np.uint32)
        out.last[i] = np.where(rows[i] > 0, values[last_rows[i] - bounds[0]], np.nan)
    return out


def _recorded_rows(
    stretches: npt.NDArray[np.int64],
    recorded: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    series: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns per series and bucket in how many rows it was recorded, and the last of these."""
    rows = np.zeros((series, len(starts)), np.int64)
    # The first of the rows asked for where there is none.
    last_rows = np.full((series, len(starts)), starts[0] if len(starts) else 0, np.int64)
    for i, which in enumerate(recorded):
        # The buckets that share rows with this stretch.
        first = int(np.searchsorted(stops, stretches[i], side="right"))
        stop = int(np.searchsorted(starts, stretches[i + 1], side="left"))
        begins = np.maximum(starts[first:stop], stretches[i])
        ends = np.minimum(stops[first:stop], stretches[i + 1])
        rows[which, first:stop] += ends - begins
        last_rows[which, first:stop] = ends - 1
    return rows, last_rows


def _fill_series(
    out: Buckets,
    i: int,
    values: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> None:
    """Fills in a series' minimum, mean and maximum, and counts what is not finite."""
    out.minimum[i] = np.minimum.reduceat(values, starts)
    out.maximum[i] = np.maximum.reduceat(values, starts)
    # NaN and infinities come through, so this is one look at the buckets instead of every value.
    if np.isfinite(out.minimum[i]).all() and np.isfinite(out.maximum[i]).all():
        mean = np.add.reduceat(values, starts, dtype=np.float64) / counts
    else:
        nan = np.isnan(values)
        finite = np.isfinite(values)
        out.nan[i] = _count(nan, starts)
        out.positive_infinity[i] = _count(values == np.inf, starts)
        out.negative_infinity[i] = _count(values == -np.inf, starts)
        some = _count(finite, starts)
        nothing = some == 0
        smallest = np.minimum.reduceat(np.where(finite, values, np.float32(np.inf)), starts)
        largest = np.maximum.reduceat(np.where(finite, values, np.float32(-np.inf)), starts)
        out.minimum[i] = np.where(nothing, np.nan, smallest)
        out.maximum[i] = np.where(nothing, np.nan, largest)
        sums = np.add.reduceat(np.where(finite, values, 0), starts, dtype=np.float64)
        mean = np.where(nothing, np.nan, sums / np.maximum(some, 1))
    # The division's rounding must not carry a mean out of its bucket.
    out.mean[i] = np.clip(mean, out.minimum[i], out.maximum[i])


def _count(mask: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    counts: npt.NDArray[np.int64] = np.add.reduceat(mask, starts, dtype=np.int64)
    return counts
