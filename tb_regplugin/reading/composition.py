"""How a recording's columns add up to the loss: derived totals and residuals. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tb_regplugin.reading.series import Series
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

# A float32 sum of n terms is off by up to n/2 units in its last place, 2**-24 of it each. This is
# what some thousand terms can come to, and a tenth of a per mille is nothing one could see.
SIGNIFICANT_SHARE = 1e-4

# Rows to look at a time, so that the float64 sums stay in the processor's cache.
_CHUNK = 2**14

PARTS = ("data", "penalty")


@dataclass(frozen=True)
class Column:
    """One series that is shown.

    Attributes:
      term: What it is.
      series: What it is made of.
      derived: Whether it was calculated, not recorded.
      members: Of several penalties as one: their names.
      rest: Whether it is what was too small to be shown by itself.
    """

    term: Term
    series: Series
    derived: bool = False
    members: tuple[str, ...] | None = None
    rest: bool = False

    @property
    def is_residual(self) -> bool:
        """Whether it is what the recorded parts leave of a recorded total."""
        return self.derived and self.term.role == "unexplained"


def compose(terms: Sequence[Term]) -> tuple[Column, ...]:
    """Adds the total where none was recorded, and the residual where one was.

    Penalties alone make no total: what else the loss has, nobody knows.

    Sums are taken per step in float64. What was not recorded at a row counts as zero there. Where a
    recording has totals only at some rows, the sums stand in at the others.

    Args:
      terms: A table's columns.

    Returns:
      The table's columns in their order, then the derived one, if there is one.
    """
    parts = places(terms, PARTS)
    columns = [Column(term, Series((i,))) for i, term in enumerate(terms)]
    total = places(terms, ["total"])
    if not total:
        if not places(terms, ["data"]):
            return tuple(columns)
        columns.append(Column(Term("total", role="total"), Series(parts), derived=True))
        return tuple(columns)
    columns[total[0]] = Column(terms[total[0]], Series(total, otherwise=parts))
    taken = {term.name for term in terms if term.role == "unexplained"}
    name = unique_name("residual", taken)
    explained = places(terms, (*PARTS, "unexplained"))
    residual = Series(total, subtracted=explained)
    columns.append(Column(Term(name, role="unexplained"), residual, derived=True))
    return tuple(columns)


def places(terms: Sequence[Term], roles: Iterable[str]) -> tuple[int, ...]:
    """Returns where the columns of these roles are."""
    wanted = set(roles)
    return tuple(i for i, term in enumerate(terms) if term.role in wanted)


def unique_name(name: str, taken: Iterable[str]) -> str:
    """Returns a name that nothing recorded has: role and name tell series apart.

    Example:
      >>> unique_name("residual", {"residual"})
      'residual (2)'
    """
    used = set(taken)
    candidate, number = name, 1
    while candidate in used:
        number += 1
        candidate = f"{name} ({number})"
    return candidate


def has_significant_residual(table: Table, start: int = 0) -> bool:
    """Whether, from a row on, the residual is anywhere beyond the rounding of float32 sums."""
    total = places(table.columns, ["total"])
    parts = places(table.columns, (*PARTS, "unexplained"))
    if not total:
        return False
    for recorded, begin, end in zip(
        table.recorded, table.stretches[:-1].tolist(), table.stretches[1:].tolist(), strict=True
    ):
        if not recorded[total[0]]:
            continue
        indices = [i for i in parts if recorded[i]]
        for low in range(max(begin, start), end, _CHUNK):
            high = min(low + _CHUNK, end)
            if _is_beyond(table, total[0], indices, low, high):
                return True
    return False


def _is_beyond(table: Table, total: int, parts: list[int], low: int, high: int) -> bool:
    residual = table.values[total, low:high].astype(np.float64)
    scale = np.zeros(high - low)
    with np.errstate(invalid="ignore", over="ignore"):
        for i in parts:
            part = table.values[i, low:high]
            residual -= part
            scale += np.abs(part)
        np.maximum(scale, np.abs(table.values[total, low:high]), out=scale)
        # False where any of them is NaN or infinite.
        beyond = (np.abs(residual) > SIGNIFICANT_SHARE * scale) & np.isfinite(residual)
    return bool(beyond.any())
