"""Summaries over buckets of rows: from the rows where these are few, else from their digests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.digests import BLOCK, CHUNK, Digests
from tb_regplugin.reading.series import Series, evaluate, evaluate_at
from tb_regplugin.reading.summary import Summary, add, spread, summarise, summarise_ranges
from tb_regplugin.reading.table import Table

# Where buckets hold fewer rows than this on average, going through them costs less.
_FEW_ROWS = 2 * BLOCK


def summariser(
    table: Table, bounds: npt.NDArray[np.int64], digests: Digests | None
) -> Callable[[Series], Summary]:
    """Returns a function that summarises a series over buckets.

    Args:
      table: The rows.
      bounds: int64 ``[buckets + 1]``, as ``axis.bucket_bounds`` returns them.
      digests: Summaries of these rows, if there are any.
    """
    first, stop = int(bounds[0]), int(bounds[-1])
    starts, stops = bounds[:-1], bounds[1:]
    if digests is None or stop - first <= _FEW_ROWS * len(starts):
        return lambda series: summarise(evaluate(table, series, first, stop), starts - first)
    first_blocks = -(-starts // BLOCK)
    stop_blocks = np.minimum(stops // BLOCK, len(table.steps) // CHUNK * (CHUNK // BLOCK))
    whole = first_blocks < stop_blocks
    # The rows of a bucket in front of its first whole block, and those behind its last one.
    edge_starts = np.column_stack([starts, np.where(whole, stop_blocks * BLOCK, stops)]).ravel()
    edge_stops = np.column_stack([np.where(whole, first_blocks * BLOCK, stops), stops]).ravel()
    edges = _Edges(table, edge_starts, edge_stops)

    def summarise_one(series: Series) -> Summary:
        inner = digests.summarise_blocks(table, series, first_blocks[whole], stop_blocks[whole])
        front, back = edges.summarise(series)
        return add(spread(inner, whole), add(front, back))

    return summarise_one


class _Edges:
    """The rows of buckets outside of whole blocks. They are taken by the block, which is quick."""

    def __init__(
        self, table: Table, starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
    ) -> None:
        self._table = table
        self._some = starts < stops
        starts, stops = starts[self._some], stops[self._some]
        first, last = starts // BLOCK, (stops - 1) // BLOCK
        touched = np.zeros(-(-len(table.steps) // BLOCK) + 1, np.int64)
        np.add.at(touched, first, 1)
        np.add.at(touched, last + 1, -1)
        blocks = np.flatnonzero(np.cumsum(touched))
        # The last one may be cut off by the table's end.
        self._full = len(table.steps) // BLOCK
        self._blocks = blocks[blocks < self._full]
        self._has_tail = len(self._blocks) < len(blocks)
        rows = (blocks[:, np.newaxis] * BLOCK + np.arange(BLOCK)).ravel()
        self._rows = rows[: len(rows) - (-len(table.steps) % BLOCK if self._has_tail else 0)]
        self._starts = np.searchsorted(self._rows, starts)
        self._stops = self._starts + (stops - starts)
        self._picked: dict[int, npt.NDArray[np.float32]] = {}

    def summarise(self, series: Series) -> tuple[Summary, Summary]:
        """Returns a series' figures in front of and behind each bucket's whole blocks."""
        values = evaluate_at(self._table, series, self._rows, self._pick)
        summary = summarise_ranges(values, self._starts, self._stops)
        both = spread(summary, self._some)
        return both[::2], both[1::2]

    def _pick(self, column: int) -> npt.NDArray[np.float32]:
        # Kept, since sums of columns need most columns, and there are several of them.
        if column not in self._picked:
            values = self._table.values[column]
            whole = values[: self._full * BLOCK].reshape(-1, BLOCK)
            picked = whole.take(self._blocks, axis=0).ravel()
            if self._has_tail:
                picked = np.concatenate([picked, values[self._full * BLOCK :]])
            self._picked[column] = picked
        return self._picked[column]
