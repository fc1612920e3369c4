"""TensorBoard's smoothing, a debiased exponential moving average. Pure functions."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

# A value this small a part of the average is beyond what float64 can tell.
_NEGLIGIBLE = 2.0**-53
# Values are weighed in blocks of so many, which leaves NumPy few blocks to go through one by one.
_BLOCK = 64


def reach(smoothing: float) -> int:
    """Returns how many earlier values an average depends on."""
    return math.ceil(math.log(_NEGLIGIBLE) / math.log(smoothing)) if smoothing > 0 else 0


def smooth(
    values: npt.NDArray[np.float32], smoothing: float, at: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Averages values, all of them finite.

    It is ``last = last * smoothing + (1 - smoothing) * value``, from 0, divided by
    ``1 - smoothing ** n`` after n values.

    Args:
      values: float32 ``[n]``.
      smoothing: From 0 to below 1.
      at: After which of the values to return the average, in increasing order.
    """
    if not len(at):
        return np.empty(0)
    blocks = len(values) // _BLOCK
    weights = (1 - smoothing) * smoothing ** np.arange(_BLOCK - 1, -1, -1.0)
    sums = values[: blocks * _BLOCK].reshape(blocks, _BLOCK).astype(np.float64) @ weights
    before = np.zeros(blocks + 1)  # The average at the beginning of each block.
    decay = smoothing**_BLOCK
    average = 0.0
    for i, added in enumerate(sums.tolist()):
        average = average * decay + added
        before[i + 1] = average
    block, inside = np.divmod(at, _BLOCK)
    # The values of the block up to the one asked for; the later ones get no weight.
    back = inside[:, np.newaxis] - np.arange(_BLOCK)
    places = np.minimum(block[:, np.newaxis] * _BLOCK + np.arange(_BLOCK), len(values) - 1)
    tail = np.where(back >= 0, (1 - smoothing) * smoothing ** np.maximum(back, 0.0), 0.0)
    smoothed = before[block] * smoothing ** (inside + 1.0) + (values[places] * tail).sum(axis=1)
    debiased: npt.NDArray[np.float64] = smoothed / (1 - smoothing ** (at + 1.0))
    return debiased


def smooth_rows(
    values: npt.NDArray[np.float32], smoothing: float, at: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Averages the finite ones of values, as ``smooth`` does; NaN before the first of them.

    Args:
      values: float32 ``[rows]``.
      smoothing: From 0 to below 1.
      at: After which rows to return the average, in increasing order.
    """
    finite = np.isfinite(values)
    if finite.all():
        return smooth(values, smoothing, at).astype(np.float32)
    counts = np.cumsum(finite)
    last = counts[at] - 1
    out = np.full(len(at), np.nan, np.float32)
    some = last >= 0
    out[some] = smooth(values[finite], smoothing, last[some])
    return out
