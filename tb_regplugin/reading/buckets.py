"""Min, mean, max and last over buckets that all columns share. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.aggregates import Aggregates, Aggregator, Digests
from tb_regplugin.reading.composition import ColumnSum, evaluate_at, recorded_in
from tb_regplugin.reading.table import Table

_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Buckets:
    """Columns over buckets of rows. A bucket holds at least one row.

    Attributes:
      first_step: int64 ``[buckets]``, of the bucket's first row.
      last_step: int64 ``[buckets]``, of its last row.
      wall_time: float64 ``[buckets]``, of its last row, in seconds since the epoch.
      rows: uint32 ``[columns, buckets]``: in how many rows the column was recorded.
      minimum: float32 ``[columns, buckets]``, over the finite values; NaN where there is none.
      mean: Likewise; summed in float64.
      maximum: Likewise.
      last: float32 ``[columns, buckets]``, of the last row in which the column was recorded.
      nan: uint32 ``[columns, buckets]``: how many of the recorded values are NaN.
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

    @property
    def non_finite(self) -> npt.NDArray[np.uint32]:
        """How many of the recorded values are not finite."""
        return self.nan + self.positive_infinity + self.negative_infinity


def fill_buckets(
    table: Table,
    sums: Sequence[ColumnSum],
    bounds: _Indices,
    digests: Digests | None = None,
) -> Buckets:
    """Aggregates sums over buckets, whose bounds are those of ``axis.bucket_bounds``.

    Digests of these rows save looking at each of them.
    """
    starts, stops = bounds[:-1], bounds[1:]
    shape = (len(sums), len(starts))
    rows, last_rows = _recorded_rows(table, sums, starts, stops)
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
    aggregator = Aggregator(table, bounds, digests)
    for i, one in enumerate(sums):
        _fill(out, i, aggregator.of(one), stops - starts)
        last = evaluate_at(table, one, last_rows[i])
        out.last[i] = np.where(rows[i] > 0, last, np.nan)
    return out


def _fill(out: Buckets, i: int, found: Aggregates, counts: _Indices) -> None:
    """Fills in a sum's figures, from those of all rows, with NaN where it was not recorded."""
    bad = found.counts
    finite = counts - bad.sum(axis=0)
    nothing = finite == 0
    out.minimum[i] = np.where(nothing, np.nan, found.minimum)
    out.maximum[i] = np.where(nothing, np.nan, found.maximum)
    mean = np.where(nothing, np.nan, found.sums / np.maximum(finite, 1))
    # The division's rounding must not carry a mean out of its bucket.
    out.mean[i] = np.clip(mean, out.minimum[i], out.maximum[i])
    # A row in which the sum was not recorded is a gap, and not a NaN.
    out.nan[i] = bad[0] - (counts - out.rows[i])
    out.positive_infinity[i], out.negative_infinity[i] = bad[1:]


def _recorded_rows(
    table: Table, sums: Sequence[ColumnSum], starts: _Indices, stops: _Indices
) -> tuple[_Indices, _Indices]:
    """Returns per sum and bucket in how many rows it was recorded, and the last of these."""
    rows = np.zeros((len(sums), len(starts)), np.int64)
    # Where there is none, any of the bucket's, so that they increase.
    last_rows = np.tile(stops - 1, (len(sums), 1))
    stretches = table.stretches
    recorded = np.array([recorded_in(table, one) for one in sums], np.bool_)
    for i, which in enumerate(recorded.T):
        # The buckets that share rows with this stretch.
        first = int(np.searchsorted(stops, stretches[i], side="right"))
        stop = int(np.searchsorted(starts, stretches[i + 1], side="left"))
        begins = np.maximum(starts[first:stop], stretches[i])
        ends = np.minimum(stops[first:stop], stretches[i + 1])
        rows[which, first:stop] += ends - begins
        last_rows[which, first:stop] = ends - 1
    return rows, last_rows
