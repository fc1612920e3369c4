"""A recording's columns as the rules look at them, summed once."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.composition import SIGNIFICANT_SHARE
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

# One number a row.
PerRow = npt.NDArray[np.float64]

# What stands for a curve's start: the first steps, before training has changed much.
_FIRST_ROWS = 5


class Curves:
    """A recording's columns, and the sums of them that make up the loss.

    Attributes:
      terms: What the columns are.
      steps: int64 ``[rows]``, strictly increasing.
      values: float32 ``[columns, rows]``.
    """

    def __init__(self, table: Table) -> None:
        self.terms, self.steps, self.values = table.columns, table.steps, table.values
        self._table = table

    def places(self, *roles: str) -> list[int]:
        """Returns which columns have one of these roles."""
        return [i for i, term in enumerate(self.terms) if term.role in roles]

    def names(self, places: Sequence[int]) -> list[str]:
        """Returns what columns are called."""
        return [self.terms[i].name for i in places]

    def changes(self) -> Iterator[tuple[int, tuple[Term, ...], tuple[Term, ...]]]:
        """Yields the rows at which another layout begins, and both layouts' columns."""
        layouts = self._table.layouts
        for i in range(1, len(layouts)):
            yield int(self._table.stretches[i]), layouts[i - 1].columns, layouts[i].columns

    def recorded(self, place: int) -> npt.NDArray[np.bool_]:
        """Returns in which rows a column was recorded."""
        return np.repeat(self._table.recorded[:, place], np.diff(self._table.stretches))

    def only_recorded(self, place: int) -> npt.NDArray[np.float32]:
        """Returns a column's values where it was recorded."""
        values: npt.NDArray[np.float32] = self.values[place]
        everywhere = self._table.recorded[:, place].all()
        return values if everywhere else values[self.recorded(place)]

    def sum(self, places: Sequence[int], *, absolute: bool = False) -> PerRow:
        """Returns each row's sum over columns; what wasn't recorded counts as zero."""
        sums = np.zeros(len(self.steps))
        for place in places:
            values = self.values[place]
            if not self._table.recorded[:, place].all():
                values = np.where(self.recorded(place), values, np.float32(0))
            sums += np.abs(values) if absolute else values
        return sums

    @functools.cached_property
    def penalty(self) -> PerRow:
        """The sum of all penalties in the loss."""
        return self.sum(self.places("penalty"))

    @functools.cached_property
    def data(self) -> PerRow:
        """What the model pays on the data: the rest of the total where it wasn't recorded."""
        places, totals = self.places("data"), self.places("total")
        if places or not totals:
            return self.sum(places)
        return np.asarray(self.sum(totals) - self.penalty)

    @functools.cached_property
    def has_data_loss(self) -> bool:
        """Whether a data loss was recorded, or is what the penalties leave of the total."""
        rest = np.abs(self.data[self.finite]).max(initial=0)
        least = 0.0
        if not self.places("data"):
            least = SIGNIFICANT_SHARE * np.abs(self.total[self.finite]).max(initial=0)
        return bool(rest > least)

    @functools.cached_property
    def total(self) -> PerRow:
        """The total loss: the parts' sum where it wasn't recorded."""
        total = self.data + self.penalty
        for place in self.places("total"):
            total = np.where(self.recorded(place), self.values[place], total)
        return total

    @functools.cached_property
    def finite(self) -> npt.NDArray[np.intp]:
        """The rows whose data loss, penalties and total are all finite."""
        return np.flatnonzero(np.isfinite(self.data + self.penalty + self.total))

    @functools.cached_property
    def share(self) -> PerRow:
        """Which part of the loss the penalties are, for each finite row."""
        penalty = np.abs(self.penalty[self.finite])
        whole = penalty + np.abs(self.data[self.finite])
        share: PerRow = np.divide(penalty, whole, out=np.zeros_like(penalty), where=whole > 0)
        return share

    def start(self, curve: PerRow) -> float:
        """Returns a curve's level in the first finite rows."""
        return float(np.median(curve[self.finite[:_FIRST_ROWS]]))

    def end(self, curve: PerRow) -> float:
        """Returns a curve's level at the end: the mean of the last two twentieths' means."""
        first, middle, stop = np.linspace(0, len(self.finite), 21).astype(np.intp)[-3:]
        values = curve[self.finite[first:stop]]
        return float((values[: middle - first].mean() + values[middle - first :].mean()) / 2)

    def step(self, finite_row: int) -> int:
        """Returns the step of a row, counted over the finite rows."""
        return int(self.steps[self.finite[finite_row]])
