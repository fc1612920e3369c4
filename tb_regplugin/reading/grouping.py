"""Penalties joined to groups, and the smallest of them to one rest. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tb_regplugin.reading.composition import Column, unique_name
from tb_regplugin.reading.series import Series
from tb_regplugin.terms import Term

_UNKNOWN_KIND = "unknown"

_Size = tuple[bool, float]


@dataclass(frozen=True)
class Grouping:
    """How penalties are joined.

    Attributes:
      by: Each for itself, by kind, all of them as one, or by the first parts of their names.
      depth: By how many parts of the names, between slashes.
    """

    by: Literal["term", "kind", "all", "layer"] = "term"
    depth: int = 0


def group(columns: Sequence[Column], grouping: Grouping) -> tuple[Column, ...]:
    """Joins penalties; a group stands where its first member stood."""
    if grouping.by == "term":
        return tuple(columns)
    name_of = _namer(grouping)
    members: dict[str, list[Column]] = {}
    for column in columns:
        if column.term.role == "penalty":
            members.setdefault(name_of(column.term), []).append(column)
    grouped: list[Column] = []
    for column in columns:
        if column.term.role != "penalty":
            grouped.append(column)
        elif column is members[name := name_of(column.term)][0]:
            grouped.append(_join(name, members[name]))
    return tuple(grouped)


def keep_largest(columns: Sequence[Column], sizes: Sequence[_Size], top: int) -> tuple[Column, ...]:
    """Joins all penalties but the largest ones.

    Args:
      columns: Some of them penalties or groups of penalties.
      sizes: How large each is: first those with values that are not finite, then by their mean
        size. Of equal ones, the first is the larger.
      top: How many penalties to keep; 0 for all.

    Returns:
      The columns in their order, with the rest, if there is one, in front of the derived ones.
    """
    penalties = [i for i, column in enumerate(columns) if column.term.role == "penalty"]
    if not top or len(penalties) <= top:
        return tuple(columns)
    small = sorted(penalties, key=lambda i: (not sizes[i][0], -sizes[i][1]))[top:]
    kept = [column for i, column in enumerate(columns) if i not in set(small)]
    rest = _rest([columns[i] for i in sorted(small)], kept)
    recorded = [column for column in kept if not column.derived]
    derived = [column for column in kept if column.derived]
    return (*recorded, rest, *derived)


def _namer(grouping: Grouping) -> Callable[[Term], str]:
    if grouping.by == "kind":
        return lambda term: term.kind or _UNKNOWN_KIND
    if grouping.by == "all":
        return lambda term: "penalties"
    return lambda term: "/".join(term.name.split("/")[: grouping.depth]) or term.name


def _join(name: str, members: Sequence[Column]) -> Column:
    kinds = {member.term.kind for member in members}
    kind = kinds.pop() if len(kinds) == 1 else None
    return Column(Term(name, kind=kind), _sum(members), members=_names(members))


def _rest(members: Sequence[Column], kept: Iterable[Column]) -> Column:
    names = _names(members)
    name = f"{len(names):,} more term{'s' if len(names) > 1 else ''}"
    taken = (column.term.name for column in kept if column.term.role == "penalty")
    return Column(Term(unique_name(name, taken)), _sum(members), members=names, rest=True)


def _sum(members: Sequence[Column]) -> Series:
    return Series(tuple(sorted(i for member in members for i in member.series.added)))


def _names(members: Sequence[Column]) -> tuple[str, ...]:
    return tuple(
        name
        for member in members
        for name in (member.members if member.members is not None else (member.term.name,))
    )
