"""Min, mean, max and last over buckets that all series share. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.digests import Digests
from tb_regplugin.reading.series import Series, evaluate_at, recorded_in
from tb_regplugin.reading.summariser import summariser
from tb_regplugin.reading.summary import Summary
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


def fill_buckets(
    table: Table,
    series: Sequence[Series],
    bounds: npt.NDArray[np.int64],
    digests: Digests | None = None,
) -> Buckets:
    """Summarises series over buckets.

    Args:
      table: The rows.
      series: What to summarise.
      bounds: int64 ``[buckets + 1]``, as ``axis.bucket_bounds`` returns them.
      digests: Summaries of the rows, which save looking at each of them.
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
    summarise_one = summariser(table, bounds, digests)
    for i, one in enumerate(series):
        _fill_series(out, i, summarise_one(one), stops - starts)
        last = evaluate_at(table, one, last_rows[i])
        out.last[i] = np.where(rows[i] > 0, last, np.nan)
    return out


def _fill_series(out: Buckets, i: int, summary: Summary, counts: npt.NDArray[np.int64]) -> None:
    """Fills in a series' figures, from those of all rows, with NaN where it was not recorded."""
    finite = counts - summary.nan - summary.positive_infinity - summary.negative_infinity
    nothing = finite == 0
    out.minimum[i] = np.where(nothing, np.nan, summary.minimum)
    out.maximum[i] = np.where(nothing, np.nan, summary.maximum)
    mean = np.where(nothing, np.nan, summary.sums / np.maximum(finite, 1))
    # The division's rounding must not carry a mean out of its bucket.
    out.mean[i] = np.clip(mean, out.minimum[i], out.maximum[i])
    # A row in which the series was not recorded is a gap, and not a NaN.
    out.nan[i] = summary.nan - (counts - out.rows[i])
    out.positive_infinity[i] = summary.positive_infinity
    out.negative_infinity[i] = summary.negative_infinity


def _recorded_rows(
    stretches: npt.NDArray[np.int64],
    recorded: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    series: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns per series and bucket in how many rows it was recorded, and the last of these."""
    rows = np.zeros((series, len(starts)), np.int64)
    # Where there is none, any of the bucket's, so that they increase.
    last_rows = np.tile(stops - 1, (series, 1))
    for i, which in enumerate(recorded):
        # The buckets that share rows with this stretch.
        first = int(np.searchsorted(stops, stretches[i], side="right"))
        stop = int(np.searchsorted(starts, stretches[i + 1], side="left"))
        begins = np.maximum(starts[first:stop], stretches[i])
        ends = np.minimum(stops[first:stop], stretches[i + 1])
        rows[which, first:stop] += ends - begins
        last_rows[which, first:stop] = ends - 1
    return rows, last_rows
