"""A recording's rows as columns, which grow at their end without being copied."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_regplugin.log_format import Block, SegmentTag, surviving_rows
from tb_regplugin.terms import Layout, Term

# Room for more, as a share of what there is. A system that gives memory when it is touched gives
# nothing for it.
_SPARE = 1 / 16
_LEAST_SPARE = 64  # rows
# What is left over of an estimate is given back where it is more than this share.
_WASTE = 1 / 5

# By role and name.
Strengths = Mapping[tuple[str, str], float | tuple[float, float]]


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
      layouts: Each stretch's layout, with what was its columns' strength then.
    """

    columns: tuple[Term, ...]
    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]
    stretches: npt.NDArray[np.int64]
    recorded: npt.NDArray[np.bool_]
    layouts: tuple[Layout, ...] = ()


def union(layouts: Iterable[Layout]) -> tuple[Term, ...]:
    """Returns all layouts' columns, each once and the last, in the order of first appearance."""
    columns = {key(column): column for layout in layouts for column in layout.columns}
    return tuple(columns.values())


def first_strengths(layouts: Iterable[Layout]) -> Strengths:
    """Returns how strong each column was at first, where that is known."""
    found: dict[tuple[str, str], float | tuple[float, float]] = {}
    # Each layout once: a schedule's come by the hundred, and may come again.
    for layout in {id(layout): layout for layout in layouts}.values():
        for column in layout.columns:
            if column.strength is not None:
                found.setdefault(key(column), column.strength)
    return found


def key(column: Term) -> tuple[str, str]:
    """Returns what makes columns of two layouts one column: role and name."""
    return column.role, column.name


@dataclass
class Span:
    """The rows that came from one segment."""

    tag: str
    layout_id: str
    start: int
    stop: int


class GrowingTable:
    """The rows of a table that grows, to about as many as are expected.

    Tables of them stay as they were as long as ``append`` only adds: a block that overwrites rows
    of a table that somebody may hold must not be added to these, but to a copy.
    """

    def __init__(
        self, columns: tuple[Term, ...], layouts: Mapping[str, Layout], expected: int
    ) -> None:
        self.columns = columns
        self.count = 0
        self.spans: list[Span] = []
        self._layouts = layouts
        self._places: dict[str, npt.NDArray[np.int64] | slice] = {}
        self._steps = np.empty(0, np.int64)
        self._wall_times = np.empty(0, np.float64)
        self._values = np.empty((len(columns), 0), np.float32)
        self._allocate(_with_spare(expected))

    @property
    def nbytes(self) -> int:
        """How much memory the rows take, with the room for more."""
        return self._steps.nbytes + self._wall_times.nbytes + self._values.nbytes

    @property
    def last_step(self) -> int | None:
        """The last row's step."""
        return int(self._steps[self.count - 1]) if self.count else None

    def append(self, tag: str, layout_id: str, block: Block) -> None:
        """Adds a segment's next block, and takes away what it overwrites."""
        if not len(block.steps):
            return
        if self.count and block.steps[0] <= self._steps[self.count - 1]:
            self._truncate(int(np.searchsorted(self._steps[: self.count], block.steps[0])))
        start, stop = self.count, self.count + len(block.steps)
        if stop > len(self._steps):
            self._allocate(_with_spare(stop))
        self._steps[start:stop] = block.steps
        self._wall_times[start:stop] = block.wall_times
        if block.values.shape[1] < len(self.columns):
            self._values[:, start:stop] = np.nan
        self._values[self._place(layout_id), start:stop] = block.values.T
        self.count = stop
        if self.spans and self.spans[-1].tag == tag:
            self.spans[-1].stop = stop
        else:
            self.spans.append(Span(tag, layout_id, start, stop))

    def trim(self) -> None:
        """Gives back memory where far fewer rows came than were expected."""
        if len(self._steps) > (1 + _WASTE) * _with_spare(self.count):
            self._allocate(_with_spare(self.count))

    def without_overwritten_columns(self) -> GrowingTable:
        """Returns the rows without columns of which no row is left, as of a training before."""
        used = {span.layout_id: self._layouts[span.layout_id] for span in self.spans}
        kept = {key(column) for column in union(used.values())}
        columns = tuple(column for column in self.columns if key(column) in kept)
        if not kept or columns == self.columns:
            return self
        narrow = GrowingTable(columns, used, self.count)
        for span in self.spans:
            narrow.append(span.tag, span.layout_id, self.block(span))
        return narrow

    def takes(self, layout_id: str) -> bool:
        """Whether it has a place for a layout's blocks."""
        return layout_id in self._layouts

    def table(self) -> Table:
        """Returns the rows as they are now, without a copy of them."""
        stretches = [
            (next(spans).start, layout_id)
            for layout_id, spans in itertools.groupby(self.spans, lambda span: span.layout_id)
        ]
        recorded = np.zeros((len(stretches), len(self.columns)), np.bool_)
        for i, (_, layout_id) in enumerate(stretches):
            recorded[i, self._place(layout_id)] = True
        layouts = tuple(self._layouts[layout_id] for _, layout_id in stretches)
        return Table(
            union([Layout(self.columns), *layouts]) if len(layouts) > 1 else self.columns,
            self._steps[: self.count],
            self._wall_times[: self.count],
            self._values[:, : self.count],
            np.array([*(start for start, _ in stretches), self.count], np.int64),
            recorded,
            layouts,
        )

    def block(self, span: Span) -> Block:
        """Returns a span's rows in its own layout's columns."""
        rows = slice(span.start, span.stop)
        values = self._values[self._place(span.layout_id), rows].T
        return Block(self._steps[rows], self._wall_times[rows], values)

    def _truncate(self, count: int) -> None:
        while self.spans and self.spans[-1].start >= count:
            self.spans.pop()
        if self.spans:
            self.spans[-1].stop = min(self.spans[-1].stop, count)
        self.count = count

    def _allocate(self, capacity: int) -> None:
        def moved(old: npt.NDArray[Any]) -> npt.NDArray[Any]:
            new = np.empty((*old.shape[:-1], capacity), old.dtype)
            new[..., : self.count] = old[..., : self.count]
            return new

        self._steps, self._wall_times = moved(self._steps), moved(self._wall_times)
        self._values = moved(self._values)

    def _place(self, layout_id: str) -> npt.NDArray[np.int64] | slice:
        """Returns where a layout's columns are among all columns."""
        if layout_id not in self._places:
            columns = self._layouts[layout_id].columns
            positions = {key(column): i for i, column in enumerate(self.columns)}
            place = np.array([positions[key(column)] for column in columns], np.int64)
            is_all = np.array_equal(place, np.arange(len(self.columns)))
            # A slice costs no look at each value's place.
            self._places[layout_id] = slice(None) if is_all else place
        return self._places[layout_id]


def surviving(blocks: Sequence[Block]) -> Block | None:
    """Returns a segment's rows that still stand as one block."""
    counts = surviving_rows(blocks)
    kept = [(block, count) for block, count in zip(blocks, counts, strict=True) if count]
    if not kept:
        return None
    return Block(
        np.concatenate([block.steps[:count] for block, count in kept]),
        np.concatenate([block.wall_times[:count] for block, count in kept]),
        np.concatenate([block.values[:count] for block, count in kept]),
    )


def merged(
    segments: Sequence[tuple[SegmentTag, Sequence[Block]]],
) -> Iterator[tuple[str, Block]]:
    """Merges what one writer's streams hold, in the order of streams and, for each, of writing.

    Yields:
      Layout ids and blocks, in the order of steps. Of equal steps, the last stream's stands.
    """
    streams: dict[int, list[tuple[str, Block]]] = {}
    for key, blocks in segments:
        streams.setdefault(key.stream, []).extend((key.layout_id, block) for block in blocks)
    kept = [
        (layout_id, Block(block.steps[:count], block.wall_times[:count], block.values[:count]))
        for stream in streams.values()
        for (layout_id, block), count in zip(
            stream, surviving_rows([block for _, block in stream]), strict=True
        )
    ]
    if not kept:
        return
    layout_ids = list(dict.fromkeys(layout_id for layout_id, _ in kept))
    of_layout = {
        layout_id: np.concatenate([block.values for other, block in kept if other == layout_id])
        for layout_id in layout_ids
    }
    sizes = [len(block.steps) for _, block in kept]
    layouts = np.repeat([layout_ids.index(layout_id) for layout_id, _ in kept], sizes)
    steps = np.concatenate([block.steps for _, block in kept])
    wall_times = np.concatenate([block.wall_times for _, block in kept])
    # Where a row is among those of its layout.
    places = np.empty(len(steps), np.int64)
    for number in range(len(layout_ids)):
        places[layouts == number] = np.arange(np.count_nonzero(layouts == number))
    order = np.argsort(steps, kind="stable")
    order = order[np.append(steps[order][1:] != steps[order][:-1], True)]
    bounds = np.flatnonzero(np.diff(layouts[order])) + 1
    for which in np.split(order, bounds):
        layout_id = layout_ids[layouts[which[0]]]
        values = of_layout[layout_id][places[which]]
        yield layout_id, Block(steps[which], wall_times[which], values)


def _with_spare(rows: int) -> int:
    return rows + max(_LEAST_SPARE, int(rows * _SPARE))
