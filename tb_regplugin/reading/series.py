"""What is drawn, as sums of recorded columns that are taken row by row when they are needed.

No sum is kept: a derived total, a residual and any grouping of penalties cost no memory.
"""

from __future__ import annotations

from collections.abc import Callable
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

    @property
    def is_column(self) -> bool:
        """Whether it is a column as it was recorded."""
        return len(self.added) == 1 and not self.subtracted and not self.otherwise


def recorded_in(table: Table, series: Series) -> npt.NDArray[np.bool_]:
    """Returns for each of the table's stretches whether it records a series."""
    return np.asarray(table.recorded[:, [*series.added, *series.otherwise]].any(axis=1))


def evaluate(table: Table, series: Series, start: int, stop: int) -> npt.NDArray[np.float32]:
    """Returns a series over rows, NaN where it was not recorded. Sums are taken in float64."""
    cuts = np.clip(table.stretches, start, stop) - start
    return _evaluate(table, series, cuts, lambda i: table.values[i, start:stop])


def evaluate_at(
    table: Table,
    series: Series,
    rows: npt.NDArray[np.int64],
    pick: Callable[[int], npt.NDArray[np.float32]] | None = None,
) -> npt.NDArray[np.float32]:
    """Returns a series at some rows, as ``evaluate`` does.

    Args:
      table: All rows.
      series: The series.
      rows: Which rows; they never decrease.
      pick: Returns a column, by its place, at these rows, if there is a quick way.
    """
    cuts = np.searchsorted(rows, table.stretches)
    return _evaluate(table, series, cuts, pick or (lambda i: table.values[i].take(rows)))


def columns_of(
    series: Series, recorded: npt.NDArray[np.bool_]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns which columns to add and which to take off where some columns were recorded."""
    plus = tuple(i for i in series.added if recorded[i])
    if plus:
        return plus, tuple(i for i in series.subtracted if recorded[i])
    return tuple(i for i in series.otherwise if recorded[i]), ()


def _evaluate(
    table: Table,
    series: Series,
    cuts: npt.NDArray[np.int64],
    pick: Callable[[int], npt.NDArray[np.float32]],
) -> npt.NDArray[np.float32]:
    if series.is_column:
        return pick(series.added[0])
    out = np.full(int(cuts[-1]), np.nan, np.float32)
    for recorded, first, stop in zip(
        table.recorded, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True
    ):
        plus, minus = columns_of(series, recorded)
        if not plus or first >= stop:
            continue
        picked = [(pick(i), np.add) for i in plus] + [(pick(i), np.subtract) for i in minus]
        for low in range(first, stop, _CHUNK):
            high = min(low + _CHUNK, stop)
            sums = np.zeros(high - low)
            with np.errstate(invalid="ignore", over="ignore"):
                for values, put in picked:
                    put(sums, values[low:high], out=sums)
                out[low:high] = sums
    return out
