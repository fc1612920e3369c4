"""A recording's rows as columns, put together from the blocks that TensorBoard hands out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tb_regplugin.log_format import Block, surviving_rows
from tb_regplugin.terms import Layout, Term

# What makes two layouts' columns one column: role and name.
_Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Table:
    """A recording's rows.

    Attributes:
      columns: The union of the layouts' columns; of equal role and name, the latest.
      steps: int64 ``[rows]``, strictly increasing.
      wall_times: float64 ``[rows]``, in seconds since the epoch.
      values: float32 ``[columns, rows]``; NaN also where nothing was recorded.
      stretches: int64 ``[stretches + 1]``: the rows at which a stretch of one layout begins, and
        the number of rows.
      recorded: bool ``[stretches, columns]``: which columns a stretch's layout has. So a gap is
        told apart from a recorded NaN.
      layouts: What each stretch's columns were, where a later layout may say otherwise.
    """

    columns: tuple[Term, ...]
    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]
    stretches: npt.NDArray[np.int64]
    recorded: npt.NDArray[np.bool_]
    layouts: tuple[tuple[Term, ...], ...] = ()


class Piece(NamedTuple):
    """Rows that were written at once: a block, or what is left of a segment.

    Attributes:
      tag: The segment's tag.
      layout_id: The segment's layout.
      columns: What the block's columns are.
      block: The rows.
    """

    tag: str
    layout_id: str
    columns: tuple[Term, ...]
    block: Block


class Span(NamedTuple):
    """The rows of a table that came from one segment."""

    layout_id: str
    start: int
    stop: int


def union(layouts: Sequence[Layout]) -> tuple[Term, ...]:
    """Returns all layouts' columns, each once, in the order in which they first appear."""
    columns: dict[_Key, Term] = {}
    for layout in layouts:
        for column in layout.columns:
            columns[_key(column)] = column
    return tuple(columns.values())


def assemble(
    pieces: Sequence[Piece], layouts: Mapping[str, Layout]
) -> tuple[Table, dict[str, Span]]:
    """Puts a table together by the log format's reading rule.

    Args:
      pieces: In the order in which they were written. Pieces of one segment are adjacent.
      layouts: By id, in the order in which they were first used.

    Returns:
      The table, and where each segment's rows are in it. A segment's span can stand for its blocks
      the next time: what was overwritten once stays overwritten.
    """
    columns = union(list(layouts.values()))
    counts = surviving_rows([piece.block for piece in pieces])
    rows = sum(counts)
    steps = np.empty(rows, np.int64)
    wall_times = np.empty(rows, np.float64)
    values = np.empty((len(columns), rows), np.float32)
    places = _Places(columns)
    spans: dict[str, Span] = {}
    start = 0
    for piece, count in zip(pieces, counts, strict=True):
        if not count:
            continue
        stop = start + count
        steps[start:stop] = piece.block.steps[:count]
        wall_times[start:stop] = piece.block.wall_times[:count]
        place = places.of(piece.columns)
        if place is not None:
            values[:, start:stop] = np.nan
        values[slice(None) if place is None else place, start:stop] = piece.block.values[:count].T
        first = spans[piece.tag].start if piece.tag in spans else start
        spans[piece.tag] = Span(piece.layout_id, first, stop)
        start = stop
    used = _stretch_layouts(spans.values())
    recorded = np.zeros((len(used), len(columns)), np.bool_)
    for i, (_, layout_id) in enumerate(used):
        recorded[i, places.indices(layouts[layout_id].columns)] = True
    return Table(
        columns,
        steps,
        wall_times,
        values,
        np.array([*(first for first, _ in used), rows], np.int64),
        recorded,
        tuple(layouts[layout_id].columns for _, layout_id in used),
    ), spans


def span_piece(table: Table, tag: str, span: Span) -> Piece:
    """Returns a segment's surviving rows, as views into the table that holds them."""
    rows = slice(span.start, span.stop)
    block = Block(table.steps[rows], table.wall_times[rows], table.values[:, rows].T)
    return Piece(tag, span.layout_id, table.columns, block)


class _Places:
    """Where columns are among a table's columns."""

    def __init__(self, columns: Sequence[Term]) -> None:
        self._positions = {_key(column): i for i, column in enumerate(columns)}
        # By identity: there are few sequences of columns and thousands of pieces.
        self._known: dict[int, npt.NDArray[np.int64] | None] = {}

    def of(self, columns: tuple[Term, ...]) -> npt.NDArray[np.int64] | None:
        """Returns the columns' places; None where they are the table's own, in its order."""
        if id(columns) not in self._known:
            place = self.indices(columns)
            same = len(place) == len(self._positions) and (np.diff(place) == 1).all()
            self._known[id(columns)] = None if same else place
        return self._known[id(columns)]

    def indices(self, columns: tuple[Term, ...]) -> npt.NDArray[np.int64]:
        return np.array([self._positions[_key(column)] for column in columns], np.int64)


def _stretch_layouts(spans: Iterable[Span]) -> list[tuple[int, str]]:
    """Returns where each stretch of one layout begins, and that layout."""
    stretches: list[tuple[int, str]] = []
    for span in spans:
        if not stretches or stretches[-1][1] != span.layout_id:
            stretches.append((span.start, span.layout_id))
    return stretches


def _key(column: Term) -> _Key:
    return column.role, column.name
