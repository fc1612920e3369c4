"""A recording's columns as the rules look at them, summed once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.findings.finding import Finding
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

Rows = npt.NDArray[np.float64]

# Rules on how curves develop compare the means of so many equal parts of a recording.
WINDOWS = 20
# What stands for a curve's start: the first steps, before training has changed much.
_FIRST_ROWS = 5


@dataclass(frozen=True, eq=False)
class Curves:
    """A recording's columns.

    Attributes:
      terms: What the columns are.
      steps: int64 ``[rows]``, strictly increasing.
      values: float32 ``[columns, rows]``.
      stretches: int64 ``[stretches + 1]``: the rows at which a stretch of one layout begins, and
        the number of rows.
      recorded: bool ``[stretches, columns]``: which columns a stretch has.
      layouts: What the columns of each stretch are, with what was their strength then.
      known: What was found when recording began.
    """

    terms: tuple[Term, ...]
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    stretches: npt.NDArray[np.int64]
    recorded: npt.NDArray[np.bool_]
    layouts: tuple[tuple[Term, ...], ...]
    known: tuple[Finding, ...] = ()

    @classmethod
    def of_table(cls, table: Table) -> Curves:
        """Returns the columns of a recording that was read."""
        return cls(
            table.columns,
            table.steps,
            table.values,
            table.stretches,
            table.recorded,
            tuple(layout.columns for layout in table.layouts),
            # Of a training that was restarted, the latest are those that still hold.
            table.layouts[-1].findings if table.layouts else (),
        )

    @classmethod
    def of_arrays(
        cls, steps: npt.ArrayLike, values: npt.ArrayLike, terms: Sequence[Term]
    ) -> Curves:
        """Returns columns that were recorded at every step.

        Args:
          steps: ``[S]``, strictly increasing.
          values: ``[S, C]``.
          terms: What each of the C columns is.
        """
        array = np.asarray(values, np.float32).T
        return cls(
            tuple(terms),
            np.asarray(steps, np.int64),
            array,
            np.array([0, array.shape[1]], np.int64),
            np.ones((1, len(terms)), np.bool_),
            (tuple(terms),),
        )

    def places(self, *roles: str) -> list[int]:
        """Returns which columns have one of these roles."""
        return [i for i, term in enumerate(self.terms) if term.role in roles]

    def names(self, places: Sequence[int]) -> list[str]:
        """Returns what columns are called."""
        return [self.terms[i].name for i in places]

    def rows_of(self, place: int) -> npt.NDArray[np.bool_]:
        """Returns in which rows a column was recorded."""
        return np.repeat(self.recorded[:, place], np.diff(self.stretches))

    def only_recorded(self, place: int) -> npt.NDArray[np.float32]:
        """Returns a column's values where it was recorded."""
        if self.recorded[:, place].all():
            return np.asarray(self.values[place])
        return np.asarray(self.values[place][self.rows_of(place)])

    def sum(self, places: Sequence[int], *, absolute: bool = False) -> Rows:
        """Returns each row's sum over columns; what wasn't recorded counts as zero."""
        sums = np.zeros(len(self.steps))
        with np.errstate(invalid="ignore"):
            for place in places:
                values = self.values[place]
                if not self.recorded[:, place].all():
                    values = np.where(self.rows_of(place), values, np.float32(0))
                sums += np.abs(values) if absolute else values
        return sums

    @functools.cached_property
    def penalty(self) -> Rows:
        """The sum of all penalties in the loss."""
        return self.sum(self.places("penalty"))

    @functools.cached_property
    def data(self) -> Rows:
        """What the model pays on the data: the rest of the total where it wasn't recorded."""
        places = self.places("data")
        if places or not self.places("total"):
            return self.sum(places)
        with np.errstate(invalid="ignore"):
            return np.asarray(self.sum(self.places("total")) - self.penalty)

    @functools.cached_property
    def total(self) -> Rows:
        """The total loss: the parts' sum where it wasn't recorded."""
        with np.errstate(invalid="ignore"):
            parts = self.data + self.penalty
            for place in self.places("total"):
                parts = np.where(self.rows_of(place), self.values[place], parts)
        return parts

    @functools.cached_property
    def finite(self) -> npt.NDArray[np.intp]:
        """The rows whose data loss, penalties and total are all finite."""
        with np.errstate(invalid="ignore"):
            return np.flatnonzero(np.isfinite(self.data + self.penalty + self.total))

    @functools.cached_property
    def share(self) -> Rows:
        """Which part of the loss the penalties are, for each finite row."""
        penalty = np.abs(self.penalty[self.finite])
        whole = penalty + np.abs(self.data[self.finite])
        share: Rows = np.divide(penalty, whole, out=np.zeros_like(penalty), where=whole > 0)
        return share

    def windows(self, rows: Rows) -> Rows:
        """Returns the means of equal parts of a curve over the finite rows."""
        values = rows[self.finite]
        bounds = np.linspace(0, len(values), WINDOWS + 1).astype(np.intp)
        return np.asarray(np.add.reduceat(values, bounds[:-1]) / np.diff(bounds))

    def start(self, rows: Rows) -> float:
        """Returns a curve's level in the first finite rows."""
        return float(np.median(rows[self.finite[:_FIRST_ROWS]]))

    def end(self, rows: Rows) -> float:
        """Returns a curve's level in the last tenth of the finite rows."""
        return float(self.windows(rows)[-WINDOWS // 10 :].mean())

    def step(self, finite_row: int) -> int:
        """Returns the step of a row, counted over the finite rows."""
        return int(self.steps[self.finite[finite_row]])
