"""What is drawn, as sums of recorded columns that are taken row by row when they are needed.

No sum is kept: a derived total, a residual and any grouping of penalties cost no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.table import Table

# Rows to sum at a time, so that the float64 sums stay in the processor's cache.
_CHUNK = 2**14


@dataclass(frozen=True)
class Series:
    """A sum of a table's columns. What was not recorded at a row counts as zero there.

    Attributes:
      added: The columns, by their place in the table. Where none of them was recorded, neither was
        the series.
      subtracted: Columns to take off.
      otherwise: Columns to add up where none of ``added`` was recorded.
    """

    added: tuple[int, ...]
    subtracted: tuple[int, ...] = ()
    otherwise: tuple[int, ...] = ()


def recorded_in(table: Table, series: Series) -> npt.NDArray[np.bool_]:
    """Returns for each of the table's stretches whether it records a series."""
    return np.asarray(table.recorded[:, [*series.added, *series.otherwise]].any(axis=1))


def evaluate(table: Table, series: Series, start: int, stop: int) -> npt.NDArray[np.float32]:
    """Returns a series over rows, NaN where it was not recorded. Sums are taken in float64."""
    if len(series.added) == 1 and not series.subtracted and not series.otherwise:
        values: npt.NDArray[np.float32] = table.values[series.added[0], start:stop]
        return values
    out = np.full(stop - start, np.nan, np.float32)
    cuts = np.clip(table.stretches, start, stop)
    for plus, minus, first, last in _parts(table, series, cuts):
        for low in range(first, last, _CHUNK):
            high = min(low + _CHUNK, last)
            _add(out[low - start : high - start], table.values[:, low:high], plus, minus)
    return out


def evaluate_at(
    table: Table, series: Series, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Returns a series at some rows, which never decrease, as ``evaluate`` does."""
    if len(series.added) == 1 and not series.subtracted and not series.otherwise:
        values: npt.NDArray[np.float32] = table.values[series.added[0]].take(rows)
        return values
    out = np.full(len(rows), np.nan, np.float32)
    cuts = np.searchsorted(rows, table.stretches)
    for plus, minus, first, last in _parts(table, series, cuts):
        for low in range(first, last, _CHUNK):
            high = min(low + _CHUNK, last)
            picked = rows[low:high]
            sums = np.zeros(high - low)
            with np.errstate(invalid="ignore", over="ignore"):
                for i in plus:
                    sums += table.values[i].take(picked)
                for i in minus:
                    sums -= table.values[i].take(picked)
                out[low:high] = sums
    return out


def _parts(
    table: Table, series: Series, cuts: npt.NDArray[np.int64]
) -> Iterator[tuple[list[int], list[int], int, int]]:
    """Yields for each stretch that records the series what to add and take off, and from where."""
    for recorded, first, last in zip(
        table.recorded, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True
    ):
        if first >= last:
            continue
        plus = [i for i in series.added if recorded[i]]
        minus = [i for i in series.subtracted if recorded[i]]
        if not plus:
            plus, minus = [i for i in series.otherwise if recorded[i]], []
        if plus:
            yield plus, minus, first, last


def _add(
    out: npt.NDArray[np.float32],
    values: npt.NDArray[np.float32],
    plus: list[int],
    minus: list[int],
) -> None:
    sums = np.zeros(len(out))
    with np.errstate(invalid="ignore", over="ignore"):
        for i in plus:
            sums += values[i]
        for i in minus:
            sums -= values[i]
        out[:] = sums
