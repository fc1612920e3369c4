"""What is drawn: columns, and sums of columns that add up to the loss. Pure functions.

No sum is kept: a derived total, a residual and any grouping of penalties are taken row by row when
they are needed, and cost no memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.names import distinct
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

# A float32 sum of n terms is off by up to n/2 units in its last place, 2**-24 of it each. This is
# what some thousand terms can come to, and a tenth of a per mille is nothing one could see.
SIGNIFICANT_SHARE = 1e-4

# Rows to look at a time, so that the float64 sums stay in the processor's cache.
_CHUNK = 2**14

PARTS = ("data", "penalty")
IN_LOSS = (*PARTS, "unexplained")


@dataclass(frozen=True)
class ColumnSum:
    """A sum of a table's columns. What was not recorded at a row counts as zero there.

    Attributes:
      added: The columns, by their place in the table. Where none of them was recorded, neither was
        the sum.
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


def recorded_in(table: Table, column_sum: ColumnSum) -> npt.NDArray[np.bool_]:
    """Returns for each of the table's stretches whether it records a sum."""
    return np.asarray(table.recorded[:, [*column_sum.added, *column_sum.otherwise]].any(axis=1))


def first_recorded(table: Table, column_sum: ColumnSum, start: int, stop: int) -> int | None:
    """Returns the first of some rows in which a sum was recorded."""
    cuts = np.minimum(np.maximum(table.stretches, start), stop)
    holds = recorded_in(table, column_sum) & (np.diff(cuts) > 0)
    return int(cuts[holds.argmax()]) if holds.any() else None


def evaluate(table: Table, column_sum: ColumnSum, start: int, stop: int) -> npt.NDArray[np.float32]:
    """Returns a sum over rows, NaN where it was not recorded. Sums are taken in float64."""
    # For few numbers, np.clip() takes four times as long.
    cuts = np.minimum(np.maximum(table.stretches, start), stop) - start
    return _evaluate(table, column_sum, cuts, lambda i: table.values[i, start:stop])


def evaluate_at(
    table: Table,
    column_sum: ColumnSum,
    rows: npt.NDArray[np.int64],
    pick: Callable[[int], npt.NDArray[np.float32]] | None = None,
) -> npt.NDArray[np.float32]:
    """Returns a sum at some rows, which never decrease, as ``evaluate`` does.

    ``pick`` returns a column, by its place, at these rows, if there is a quick way.
    """
    cuts = np.searchsorted(rows, table.stretches)
    return _evaluate(table, column_sum, cuts, pick or (lambda i: table.values[i].take(rows)))


def columns_of(
    column_sum: ColumnSum, recorded: npt.NDArray[np.bool_]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns which columns to add and which to take off where some columns were recorded."""
    plus = tuple(i for i in column_sum.added if recorded[i])
    if plus:
        return plus, tuple(i for i in column_sum.subtracted if recorded[i])
    return tuple(i for i in column_sum.otherwise if recorded[i]), ()


def _evaluate(
    table: Table,
    column_sum: ColumnSum,
    cuts: npt.NDArray[np.int64],
    pick: Callable[[int], npt.NDArray[np.float32]],
) -> npt.NDArray[np.float32]:
    if column_sum.is_column:
        return pick(column_sum.added[0])
    out = np.full(int(cuts[-1]), np.nan, np.float32)
    pick_once = functools.cache(pick)
    for recorded, low, high in chunks(table.recorded, cuts):
        plus, minus = columns_of(column_sum, recorded)
        if plus:
            sums = np.zeros(high - low)
            with np.errstate(invalid="ignore", over="ignore"):
                for i in plus:
                    sums += pick_once(i)[low:high]
                for i in minus:
                    sums -= pick_once(i)[low:high]
                out[low:high] = sums
    return out


def chunks(
    recorded: npt.NDArray[np.bool_], cuts: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.bool_], int, int]]:
    """Yields the bounds of some rows at a time, all of one stretch, after what this records.

    Args:
      recorded: ``[stretches, ...]``: what each stretch records.
      cuts: int64 ``[stretches + 1]``: where each stretch begins, and where the last one ends.
    """
    for which, first, stop in zip(recorded, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        for low in range(first, stop, _CHUNK):
            yield which, low, min(low + _CHUNK, stop)


@dataclass(frozen=True)
class Column:
    """One column as it is shown: recorded, derived from others, or several as one.

    Attributes:
      term: What it is.
      sum: What it is made of.
      derived: Whether it was calculated, not recorded.
      members: Of several penalties as one: their names.
      rest: Whether it is what was too small to be shown by itself.
    """

    term: Term
    sum: ColumnSum
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

    Returns:
      The table's columns in their order, then the derived one, if there is one.
    """
    parts, total = places(terms, PARTS), places(terms, ["total"])
    columns = list(as_recorded(terms))
    if total:
        columns[total[0]] = Column(terms[total[0]], ColumnSum(total, otherwise=parts))
        # A name that nothing recorded has: role and name tell columns apart.
        taken = (term.name for term in terms if term.role == "unexplained")
        residual = Term(distinct([*taken, "residual"])[-1], role="unexplained")
        left = ColumnSum(total, subtracted=places(terms, IN_LOSS))
        columns.append(Column(residual, left, derived=True))
    elif places(terms, ["data"]):
        columns.append(Column(Term("total", role="total"), ColumnSum(parts), derived=True))
    return tuple(columns)


def as_recorded(terms: Sequence[Term]) -> tuple[Column, ...]:
    """Returns the table's columns, and nothing that would follow from them."""
    return tuple(Column(term, ColumnSum((i,))) for i, term in enumerate(terms))


def places(terms: Sequence[Term], roles: Collection[str]) -> tuple[int, ...]:
    """Returns where the columns of these roles are."""
    return tuple(i for i, term in enumerate(terms) if term.role in roles)


def first_significant_residual(table: Table, start: int) -> int | None:
    """Returns the first row from one on whose residual is beyond the rounding of float32 sums."""
    total, parts = places(table.columns, ["total"]), places(table.columns, IN_LOSS)
    for recorded, low, high in chunks(table.recorded, np.maximum(table.stretches, start)):
        if not total or not recorded[total[0]]:
            continue
        rows = slice(low, high)
        residual = table.values[total[0], rows].astype(np.float64)
        scale, sizes = np.zeros(len(residual)), np.abs(residual)
        with np.errstate(invalid="ignore", over="ignore"):
            for i in parts:
                if recorded[i]:
                    residual -= table.values[i, rows]
                    scale += np.abs(table.values[i, rows])
            # False where any of them is NaN or infinite.
            beyond = np.abs(residual) > SIGNIFICANT_SHARE * np.maximum(scale, sizes)
        beyond &= np.isfinite(residual)
        if beyond.any():
            return low + int(beyond.argmax())
    return None


def group(
    columns: Sequence[Column], by: str, depth: int = 0, sets: Sequence[int | None] = ()
) -> tuple[Column, ...]:
    """Joins penalties; a group stands where its first member stood.

    Args:
      columns: Some of them penalties.
      by: ``"kind"``, ``"all"`` as one, ``"layer"``: the first parts of their names, ``"sets"``: as
        they are given, or ``"term"``: each for itself.
      depth: By how many parts of the names, between slashes.
      sets: By the place of a column: the number of its set, if it is in one.
    """
    if by == "term":
        return tuple(columns)
    # By the group's name, or by the column itself where it is in none.
    members: dict[str | Column, list[Column]] = {}
    for place, column in enumerate(columns):
        name = None
        if column.term.role == "penalty":
            number = sets[place] if place < len(sets) else None
            name = _group_name(column.term, by, depth, number)
        members.setdefault(column if name is None else name, []).append(column)
    return tuple(_join(key, members[key]) if isinstance(key, str) else key for key in members)


def keep_largest(
    columns: Sequence[Column], size_of: Callable[[Column], tuple[bool, float]], top: int
) -> tuple[Column, ...]:
    """Joins all penalties, or groups of them, but the ``top`` largest ones; 0 keeps all.

    Those with values that are not finite are the largest, then those of the largest mean size, as
    ``size_of`` tells. Of equal ones, the first is the larger.

    Returns:
      The columns in their order, with the rest, if there is one, in front of the derived ones.
    """
    # By place: to hash a column takes longer than to measure it.
    penalties = [i for i, column in enumerate(columns) if column.term.role == "penalty"]
    if not top or len(penalties) <= top:
        return tuple(columns)
    large = sorted(penalties, key=lambda i: size_of(columns[i]), reverse=True)[:top]
    small = set(penalties).difference(large)
    joined = [columns[i] for i in sorted(small)]
    terms = len(_names(joined))
    name = f"{terms:,} more term{'s' if terms > 1 else ''}"
    rest = _join(
        distinct([*(columns[i].term.name for i in sorted(large)), name])[-1], joined, rest=True
    )
    kept = [column for i, column in enumerate(columns) if i not in small]
    return tuple(sorted([*kept, rest], key=lambda column: column.derived))


def _group_name(term: Term, by: str, depth: int, number: int | None) -> str | None:
    if by == "sets":
        return None if number is None else f"set {number}"
    if by == "kind":
        return term.kind or "unknown"
    if by == "all":
        return "penalties"
    return "/".join(term.name.split("/")[:depth]) or term.name


def _join(name: str, members: Sequence[Column], *, rest: bool = False) -> Column:
    kinds = {member.term.kind for member in members}
    kind = kinds.pop() if len(kinds) == 1 and not rest else None
    added = sorted(i for member in members for i in member.sum.added)
    return Column(
        Term(name, kind=kind), ColumnSum(tuple(added)), members=_names(members), rest=rest
    )


def _names(members: Sequence[Column]) -> tuple[str, ...]:
    return tuple(name for member in members for name in member.members or (member.term.name,))
