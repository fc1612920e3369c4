"""Where rows are along x: by step, by wall time, or by time since the first row. Pure functions."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.table import Table

XAxis = Literal["step", "wall_time", "relative"]
X_AXES: tuple[str, ...] = get_args(XAxis)

Positions = npt.NDArray[np.int64] | npt.NDArray[np.float64]
Number = int | float


def positions(table: Table, x: XAxis) -> Positions:
    """Returns the rows' x, which never decreases: int64 steps, or float64 seconds.

    A clock that was set back, or that failed, does not move a row before an earlier one: such rows
    stay where the clock had been.
    """
    if x == "step":
        return table.steps
    times = _never_decreasing(table.wall_times)
    with np.errstate(over="ignore"):
        return times - times[:1] if x == "relative" else times


def row_range(x: Positions, start: Number | None, end: Number | None) -> tuple[int, int]:
    """Returns the rows from ``start`` to ``end`` inclusive, as a half-open range."""
    first = 0 if start is None else int(np.searchsorted(x, start, side="left"))
    stop = len(x) if end is None else int(np.searchsorted(x, end, side="right"))
    return first, max(first, stop)


def bucket_bounds(
    x: Positions, start: Number | None, end: Number | None, buckets: int
) -> npt.NDArray[np.int64]:
    """Cuts the rows from ``start`` to ``end`` into buckets.

    Args:
      x: ``[rows]``, as ``positions`` returns it.
      start: Where the range to cut begins; at the first row when left out or before it.
      end: Where it ends, inclusive; likewise.
      buckets: Into how many equal parts to cut it.

    Returns:
      int64 ``[n + 1]``: the row at which each of the n buckets that hold rows begins, and the one
      at which the last of them ends. Each row is a bucket of its own where there are no more rows
      than ``buckets``.
    """
    first, stop = row_range(x, start, end)
    if stop - first <= buckets:
        return np.arange(first, stop + 1)
    # No wider than the recording: a range around all of it does not make it coarser.
    low = x[0].item() if start is None else max(start, x[0].item())
    high = x[-1].item() if end is None else min(end, x[-1].item())
    edges: npt.NDArray[Any]
    if x.dtype == np.int64:
        # In Python's integers, since a range of steps can be wider than an int64.
        width = high - low + 1
        if width * buckets < 2**63:
            edges = low + np.arange(buckets) * width // buckets
        else:
            edges = np.array([low + i * width // buckets for i in range(buckets)], np.int64)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            edges = low + np.arange(buckets) * ((high - low) / buckets)
    bounds = first + np.searchsorted(x[first:stop], edges, side="left")
    return np.unique(np.append(bounds, [first, stop]))


def _never_decreasing(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # NaN compares false, so this is also a test for it.
    if bool((times[1:] >= times[:-1]).all()) and bool(np.isfinite(times).all()):
        return times
    finite = np.isfinite(times)
    first = times[finite][:1]
    if not len(first):
        return np.zeros(len(times))
    filled = np.where(finite, times, -np.inf)
    filled[0] = first[0]
    raised: npt.NDArray[np.float64] = np.maximum.accumulate(filled)
    return raised
