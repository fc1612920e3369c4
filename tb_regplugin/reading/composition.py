"""How a recording's columns add up to the loss: derived totals and residuals. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

# A float32 sum of n terms is off by up to n/2 units in its last place, 2**-24 of it each. This is
# what some thousand terms can come to, and a tenth of a per mille is nothing one could see.
SIGNIFICANT_SHARE = 1e-4

# Rows to sum at a time, so that the float64 sums stay in the processor's cache.
_CHUNK = 2**15

_PARTS = ("data", "penalty")


@dataclass(frozen=True)
class Column:
    """One series of a composition.

    Attributes:
      term: What it is.
      derived: Whether it was calculated, not recorded.
      significant: Of a residual: whether it is beyond the rounding of float32 sums anywhere.
      first_non_finite_step: The first step at which it was recorded as NaN or an infinity.
    """

    term: Term
    derived: bool = False
    significant: bool | None = None
    first_non_finite_step: int | None = None


@dataclass(frozen=True, eq=False)
class Composition:
    """A recording's columns and those that follow from them.

    Attributes:
      columns: The recording's columns in their order, then the derived one.
      values: float32 ``[rows]`` for each column; NaN also where it was not recorded.
      recorded: bool ``[stretches, columns]``, by the table's stretches.
    """

    columns: tuple[Column, ...]
    values: tuple[npt.NDArray[np.float32], ...]
    recorded: npt.NDArray[np.bool_]


def compose(table: Table) -> Composition:
    """Adds the total where none was recorded, and the residual where one was.

    Sums are taken per step in float64. What was not recorded at a row counts as zero there. Where a
    recording has totals only at some rows, the sums stand in at the others.
    """
    terms = [Column(term) for term in table.columns]
    values = list(table.values)
    recorded = table.recorded
    totals = [i for i, column in enumerate(terms) if column.term.role == "total"]
    parts = _sums(table, _PARTS)
    has_parts = _any_recorded(table, _PARTS)
    if not totals:
        derived = Column(Term("total", role="total"), derived=True)
        values.append(_float32(parts))
        recorded = np.column_stack([recorded, has_parts])
    else:
        has_total = _any_recorded(table, ["total"])
        derived, residual = _residual(table, parts, has_total)
        values.append(residual)
        if not has_total.all():
            values[totals[0]] = _fill(table, values[totals[0]], parts, has_parts & ~has_total)
            recorded = recorded.copy()
            recorded[:, totals[0]] |= has_parts & ~has_total
        recorded = np.column_stack([recorded, has_total])
    columns = tuple(
        _with_first_non_finite(column, table, series, recorded[:, i])
        for i, (column, series) in enumerate(zip([*terms, derived], values, strict=True))
    )
    return Composition(columns, tuple(values), recorded)


def _any_recorded(table: Table, roles: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Returns for each stretch whether it records a column of these roles."""
    wanted = np.array([column.role in roles for column in table.columns], np.bool_)
    return np.asarray((table.recorded & wanted).any(axis=1))


def _sums(table: Table, roles: Sequence[str], *, absolute: bool = False) -> npt.NDArray[np.float64]:
    """Returns each row's sum over the columns of these roles that were recorded in it."""
    sums = np.zeros(len(table.steps))
    wanted = np.array([column.role in roles for column in table.columns], np.bool_)
    bounds = table.stretches
    with np.errstate(invalid="ignore"):
        for i, recorded in enumerate(table.recorded):
            indices = np.flatnonzero(recorded & wanted)
            for start in range(int(bounds[i]), int(bounds[i + 1]), _CHUNK):
                stop = min(start + _CHUNK, int(bounds[i + 1]))
                chunk = sums[start:stop]
                for index in indices:
                    part = table.values[index, start:stop]
                    chunk += np.abs(part) if absolute else part
    return sums


def _residual(
    table: Table, parts: npt.NDArray[np.float64], has_total: npt.NDArray[np.bool_]
) -> tuple[Column, npt.NDArray[np.float32]]:
    total = _sums(table, ["total"])
    with np.errstate(invalid="ignore", over="ignore"):
        residual = total - parts - _sums(table, ["unexplained"])
        scale = np.maximum(np.abs(total), _sums(table, (*_PARTS, "unexplained"), absolute=True))
        # False where any of them is NaN or infinite.
        beyond = (np.abs(residual) > SIGNIFICANT_SHARE * scale) & np.isfinite(residual)
    residual[~_by_row(table, has_total)] = np.nan
    significant = bool((beyond & _by_row(table, has_total)).any())
    column = Column(
        Term("residual", role="unexplained"),
        derived=True,
        significant=significant,
    )
    return column, _float32(residual)


def _fill(
    table: Table,
    series: npt.NDArray[np.float32],
    sums: npt.NDArray[np.float64],
    stretches: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    return np.where(_by_row(table, stretches), _float32(sums), series)


def _with_first_non_finite(
    column: Column,
    table: Table,
    series: npt.NDArray[np.float32],
    recorded: npt.NDArray[np.bool_],
) -> Column:
    non_finite = ~np.isfinite(series)
    if not non_finite.any():
        return column
    rows = np.flatnonzero(non_finite & _by_row(table, recorded))
    first = int(table.steps[rows[0]]) if len(rows) else None
    return Column(column.term, column.derived, column.significant, first)


def _by_row(table: Table, stretches: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.repeat(stretches, np.diff(table.stretches))


def _float32(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return sums.astype(np.float32)
