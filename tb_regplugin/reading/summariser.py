"""Summaries over buckets of rows: from the rows where these are few, else from their digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.digests import BLOCK, CHUNK, Digests
from tb_regplugin.reading.series import Series, evaluate, evaluate_at
from tb_regplugin.reading.summary import Summary, add, nothing, summarise
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
    digested = len(table.steps) // CHUNK * (CHUNK // BLOCK)
    first_blocks = -(-starts // BLOCK)
    stop_blocks = np.minimum(stops // BLOCK, digested)
    whole = first_blocks < stop_blocks
    # The rows of a bucket in front of its first whole block, and those behind its last one.
    front_stops = np.where(whole, first_blocks * BLOCK, stops)
    back_starts = np.where(whole, stop_blocks * BLOCK, stops)
    pieces = np.column_stack([starts, back_starts]).ravel()
    lengths = np.column_stack([front_stops - starts, stops - back_starts]).ravel()
    edge_rows = _ranges(pieces, lengths)
    counts = lengths.reshape(-1, 2).sum(axis=1)
    edged = counts > 0
    edge_starts = (np.cumsum(counts) - counts)[edged]

    def summarise_one(series: Series) -> Summary:
        edges = summarise(evaluate_at(table, series, edge_rows), edge_starts)
        blocks = digests.summarise_blocks(table, series, first_blocks[whole], stop_blocks[whole])
        return add(_spread(edges, edged), _spread(blocks, whole))

    return summarise_one


def _ranges(starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Returns the numbers of all ranges, one range after another."""
    ends = np.cumsum(lengths)
    moves = np.repeat(starts - (ends - lengths), lengths)
    numbers: npt.NDArray[np.int64] = np.arange(len(moves)) + moves
    return numbers


def _spread(summary: Summary, where: npt.NDArray[np.bool_]) -> Summary:
    """Puts figures of some parts where they belong among all of them."""
    if where.all():
        return summary
    out = nothing(len(where))
    for field in fields(Summary):
        getattr(out, field.name)[where] = getattr(summary, field.name)
    return out
