"""What a recording holds at one moment, and what follows from it."""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.composition import Column, compose, has_significant_residual
from tb_regplugin.reading.index import Problem
from tb_regplugin.reading.series import Series, evaluate
from tb_regplugin.reading.statistics import first_non_finite
from tb_regplugin.reading.table import Table


class Contents:
    """What a recording holds. Safe to use from threads; its rows never change.

    Attributes:
      table: Its rows.
      problems: The series that could not be read.
      version: Changes when any of this does, and stays when the same is read again.
      columns: The table's columns and what follows from them.
    """

    def __init__(self, table: Table, problems: tuple[Problem, ...], version: str) -> None:
        self.table = table
        self.problems = problems
        self.version = version
        self.columns = compose(table.columns)
        self._lock = threading.Lock()
        self._significant: bool | None = None
        self._first_non_finite: dict[Series, int | None] = {}

    @property
    def has_significant_residual(self) -> bool:
        """Whether the residual is anywhere beyond the rounding of float32 sums."""
        with self._lock:
            if self._significant is None:
                self._significant = has_significant_residual(self.table)
            return self._significant

    def first_non_finite_row(self, column: Column) -> int | None:
        """Returns the first row in which a column was recorded as NaN or an infinity."""
        with self._lock:
            if column.series not in self._first_non_finite:
                row = first_non_finite(self.table, column, 0, len(self.table.steps))
                self._first_non_finite[column.series] = row
            return self._first_non_finite[column.series]

    def size(self, column: Column, first: int, stop: int) -> tuple[bool, float]:
        """Returns how large a column is over rows: whether it is infinite, and its mean size."""
        values = evaluate(self.table, column.series, first, stop)
        finite = np.isfinite(values)
        if not finite.any():
            return False, 0.0
        mean = float(np.abs(values[finite]).mean(dtype=np.float64))
        return first_non_finite(self.table, column, first, stop) is not None, mean

    def values(self, column: Column, first: int, stop: int) -> npt.NDArray[np.float32]:
        """Returns a column over rows, NaN where it was not recorded."""
        return evaluate(self.table, column.series, first, stop)
