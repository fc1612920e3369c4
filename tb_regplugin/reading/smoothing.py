"""TensorBoard's smoothing, a debiased exponential moving average. Pure functions.

It is ``last = last * smoothing + (1 - smoothing) * value`` over all rows of a recording, from 0,
divided by ``1 - smoothing ** n`` after n values; values that are not finite are skipped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.composition import ColumnSum, columns_of, evaluate
from tb_regplugin.reading.table import Table

# A value this small a part of the average is beyond what float64 can tell.
_NEGLIGIBLE = 2.0**-53
# Values are weighed in blocks of so many, and blocks again, which leaves few to go through.
_BLOCK = 64


def smooth_sums(
    table: Table, sums: Sequence[ColumnSum], smoothing: float, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Returns the averages of sums after some rows, float32 ``[sums, rows]``.

    NaN before the first value. Rows come in increasing order; smoothing is from 0 to below 1.
    """
    out = np.full((len(sums), len(rows)), np.nan, np.float32)
    if not len(rows):
        return out
    # What lies further back does not count. From a whole block, lest rounding depend on the range.
    begin = max(0, int(rows[0]) + 1 - _reach(smoothing)) // _BLOCK * _BLOCK
    stop = int(rows[-1]) + 1
    # Where columns come or go, a sum is not of the same ones at all rows.
    unchanged = len(table.recorded) == 1
    parts = [columns_of(one, table.recorded[0]) if unchanged else ((), ()) for one in sums]
    columns = sorted({i for plus, minus in parts for i in (*plus, *minus)})
    values = [table.values[i, begin:stop] for i in columns]
    averages = dict(zip(columns, smooth(values, smoothing, rows - begin, begin), strict=True))
    for k, (plus, minus) in enumerate(parts):
        # The average of a sum is the sum of the averages, where all values are finite.
        average = np.zeros(len(rows))
        for i in plus:
            average += averages[i]
        for i in minus:
            average -= averages[i]
        if plus and np.isfinite(average).all():
            out[k] = average
        else:
            out[k] = smooth_finite(evaluate(table, sums[k], 0, stop), smoothing, rows)
    return out


def smooth(
    columns: Sequence[npt.NDArray[np.float32]],
    smoothing: float,
    at: npt.NDArray[np.int64],
    before: int = 0,
) -> npt.NDArray[np.float64]:
    """Averages float32 ``[n]`` columns; NaN or infinite from a value that is not finite on.

    ``at`` says after which of the values, in increasing order. ``before`` is how many there are in
    front of these, too far away to count for the averages.
    """
    if not columns:
        return np.empty((0, len(at)))
    size = len(columns[0])
    blocks = size // _BLOCK
    weights = (1 - smoothing) * smoothing ** np.arange(_BLOCK - 1, -1, -1.0)
    block, inside = np.divmod(at, _BLOCK)
    # The values of the block up to the one asked for; the later ones get no weight.
    back = inside[:, np.newaxis] - np.arange(_BLOCK)
    tail = np.where(back >= 0, (1 - smoothing) * smoothing ** np.maximum(back, 0.0), 0.0)
    tail = tail.astype(np.float32)
    in_last = int(np.searchsorted(block, blocks))
    picked = np.zeros(tail.shape, np.float32)
    sums = np.zeros((len(columns), blocks + 1))
    tails = np.zeros((len(columns), len(at)))
    with np.errstate(invalid="ignore", over="ignore"):
        for i, values in enumerate(columns):
            whole = values[: blocks * _BLOCK].reshape(blocks, _BLOCK)
            # Not a matrix product, whose threads get in each other's way.
            sums[i, 1:] = np.einsum("ij,j->i", whole, weights.astype(np.float32))
            picked[:in_last] = whole.take(block[:in_last], axis=0)
            picked[in_last:, : size - blocks * _BLOCK] = values[blocks * _BLOCK :]
            tails[i] = np.einsum("ij,ij->i", picked, tail)
        averages = _carry(sums, smoothing**_BLOCK)[:, block] * smoothing ** (inside + 1.0) + tails
    debiased: npt.NDArray[np.float64] = averages / (1 - smoothing ** (before + at + 1.0))
    return debiased


def smooth_finite(
    values: npt.NDArray[np.float32], smoothing: float, at: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Averages the finite ones of values, as ``smooth`` does; NaN before the first of them."""
    finite = np.isfinite(values)
    last = np.cumsum(finite)[at] - 1
    out = np.full(len(at), np.nan)
    some = last >= 0
    out[some] = smooth([values[finite]], smoothing, last[some])[0]
    return out


def _reach(smoothing: float) -> int:
    """Returns how many values an average depends on."""
    return 1 + (math.ceil(math.log(_NEGLIGIBLE) / math.log(smoothing)) if smoothing > 0 else 0)


def _carry(sums: npt.NDArray[np.float64], decay: float) -> npt.NDArray[np.float64]:
    """Returns the running ``carried = carried * decay + sum`` along the last axis."""
    columns, size = sums.shape
    groups = -(-size // _BLOCK)
    running = np.zeros((_BLOCK, groups, columns))  # With what is added at once side by side.
    padded = np.zeros((columns, groups * _BLOCK))
    padded[:, :size] = sums
    running[:] = padded.reshape(columns, groups, _BLOCK).transpose(2, 1, 0)
    for j in range(1, _BLOCK):
        running[j] += running[j - 1] * decay
    factors = decay ** np.arange(1, _BLOCK + 1.0)[:, np.newaxis]
    for k in range(1, groups):
        running[:, k] += running[-1, k - 1] * factors
    carried: npt.NDArray[np.float64] = running.transpose(2, 1, 0).reshape(padded.shape)[:, :size]
    return carried
