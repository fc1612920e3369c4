"""Summaries of series over every 64 rows, so that a question need not look at each row.

They are made when they are first needed, for the part of the rows that is asked about, and kept:
rows in memory never change, and new ones only come behind them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.composition import has_significant_residual
from tb_regplugin.reading.series import Series, evaluate, recorded_in
from tb_regplugin.reading.summary import Summary, nothing, summarise
from tb_regplugin.reading.table import Table

BLOCK = 64  # rows
# Blocks are made so many rows at a time; the rows behind the last such chunk have none.
CHUNK = 2**14  # rows
_CHUNK_BLOCKS = CHUNK // BLOCK
_SPARE = 1 / 8
# Sums of columns that are remembered: another range or grouping can have another rest.
_MAX_SUMS = 32

_DTYPE = np.dtype(
    [
        ("sums", "f8"),
        ("sizes", "f4"),
        ("minimum", "f4"),
        ("maximum", "f4"),
        ("nan", "u1"),
        ("positive_infinity", "u1"),
        ("negative_infinity", "u1"),
    ],
    align=True,
)


class _Digest:
    """One series' blocks."""

    def __init__(self) -> None:
        self.blocks = np.zeros(0, _DTYPE)
        self.made = np.zeros(0, np.bool_)  # By chunk.

    @property
    def nbytes(self) -> int:
        return int(self.made.sum()) * _CHUNK_BLOCKS * _DTYPE.itemsize

    def make(self, table: Table, series: Series, first: int, stop: int) -> None:
        """Makes the chunks that hold the blocks from ``first`` to ``stop``."""
        chunks = range(first // _CHUNK_BLOCKS, -(-stop // _CHUNK_BLOCKS))
        if len(self.made) < chunks.stop:
            self._grow(chunks.stop + int(chunks.stop * _SPARE))
        starts = np.arange(0, CHUNK, BLOCK)
        for chunk in chunks:
            if self.made[chunk]:
                continue
            values = evaluate(table, series, chunk * CHUNK, (chunk + 1) * CHUNK)
            summary = summarise(values, starts)
            blocks = self.blocks[chunk * _CHUNK_BLOCKS : (chunk + 1) * _CHUNK_BLOCKS]
            for name in _DTYPE.names or ():
                blocks[name] = getattr(summary, name)
            self.made[chunk] = True

    def _grow(self, chunks: int) -> None:
        # Others may be reading the arrays that these replace.
        blocks, made = np.zeros(chunks * _CHUNK_BLOCKS, _DTYPE), np.zeros(chunks, np.bool_)
        blocks[: len(self.blocks)] = self.blocks
        made[: len(self.made)] = self.made
        self.blocks, self.made = blocks, made


class Digests:
    """The summaries of one recording's rows. Safe to use from threads.

    They are of the rows themselves, so each table of a recording that only grows can use them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._columns: dict[Series, _Digest] = {}
        self._sums: OrderedDict[Series, _Digest] = OrderedDict()
        # How many rows were looked through, and what was found.
        self._first_non_finite: dict[Series, tuple[int, int | None]] = {}
        self._significant: tuple[int, bool] = (0, False)

    @property
    def nbytes(self) -> int:
        """How much memory they take."""
        with self._lock:
            digests = [*self._columns.values(), *self._sums.values()]
            return sum(digest.nbytes for digest in digests)

    def summarise_blocks(
        self,
        table: Table,
        series: Series,
        starts: npt.NDArray[np.int64],
        stops: npt.NDArray[np.int64],
    ) -> Summary:
        """Summarises a series over ranges of blocks.

        Args:
          table: The rows.
          series: What to summarise.
          starts: The first block of each range.
          stops: The block behind its last one: every range holds a block, and ranges increase.
        """
        if not len(starts):
            return nothing(0)
        with self._lock:
            digest = self._digest(series)
            digest.make(table, series, int(starts[0]), int(stops[-1]))
            blocks = digest.blocks[: stops[-1]]
        # Every second of these is one of the ranges, and the others lie between them.
        cuts = np.column_stack([starts, stops]).ravel()[:-1]

        def reduce(how: np.ufunc, name: str, dtype: type | None = None) -> npt.NDArray[np.generic]:
            field = np.ascontiguousarray(blocks[name][starts[0] :])
            return how.reduceat(field, cuts - starts[0], dtype=dtype)[::2]

        counts = []
        for name in ("nan", "positive_infinity", "negative_infinity"):
            counts.append(reduce(np.add, name, np.int64))
        return Summary(
            reduce(np.minimum, "minimum"),  # type: ignore[arg-type]
            reduce(np.maximum, "maximum"),  # type: ignore[arg-type]
            reduce(np.add, "sums"),  # type: ignore[arg-type]
            reduce(np.add, "sizes", np.float64),  # type: ignore[arg-type]
            *counts,  # type: ignore[arg-type]
        )

    def first_non_finite(self, table: Table, series: Series) -> int | None:
        """Returns the first row in which a series was recorded as NaN or an infinity."""
        columns = {*series.added, *series.subtracted, *series.otherwise}
        start = 0
        if len(columns) > 1:
            # A sum is finite where all of its columns are, up to an overflow of float32.
            firsts = [self.first_non_finite(table, Series((i,))) for i in columns]
            found = [row for row in firsts if row is not None]
            if not found:
                return None
            start = min(found)
        rows = len(table.steps)
        with self._lock:
            seen, first = self._first_non_finite.get(series, (start, None))
            if first is None and seen < rows:
                first = first_non_finite(table, series, seen, rows)
                self._first_non_finite[series] = rows, first
        return first if first is not None and first < rows else None

    def has_significant_residual(self, table: Table) -> bool:
        """Whether the residual is anywhere beyond the rounding of float32 sums."""
        with self._lock:
            seen, found = self._significant
            if not found and seen < len(table.steps):
                found = has_significant_residual(table, seen)
                self._significant = len(table.steps), found
            return found

    def _digest(self, series: Series) -> _Digest:
        if series == Series(series.added[:1]):
            return self._columns.setdefault(series, _Digest())
        digest = self._sums.setdefault(series, _Digest())
        self._sums.move_to_end(series)
        while len(self._sums) > _MAX_SUMS:
            self._sums.popitem(last=False)
        return digest


def first_non_finite(table: Table, series: Series, first: int, stop: int) -> int | None:
    """Returns the first of some rows in which a series was recorded as NaN or an infinity."""
    for which, begin, end in zip(
        recorded_in(table, series),
        table.stretches[:-1].tolist(),
        table.stretches[1:].tolist(),
        strict=True,
    ):
        if not which:
            continue
        for low in range(max(begin, first), min(end, stop), CHUNK):
            high = min(low + CHUNK, end, stop)
            finite = np.isfinite(evaluate(table, series, low, high))
            if not finite.all():
                return low + int(finite.argmin())
    return None
