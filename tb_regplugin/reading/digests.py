"""Summaries of series over every 32 rows, so that a question need not look at each row.

They are made when they are first needed, for the part of the rows that is asked about, and kept:
rows in memory never change, and new ones only come behind them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.composition import has_significant_residual
from tb_regplugin.reading.series import Series, evaluate, recorded_in
from tb_regplugin.reading.summary import Summary, merge_ranges, nothing, summarise
from tb_regplugin.reading.table import Table

BLOCK = 32  # rows
# Blocks are made so many rows at a time; the rows behind the last such chunk have none.
CHUNK = 2**14  # rows
_CHUNK_BLOCKS = CHUNK // BLOCK
_SPARE = 1 / 8
# Sums of columns that are remembered: another range or grouping can have another rest.
_MAX_SUMS = 32

_ALWAYS = ("minimum", "maximum", "sums")
_COUNTS = ("nan", "positive_infinity", "negative_infinity")


class _Digest:
    """One series' blocks.

    Attributes:
      blocks: By a summary's field. Counts are missing where there is nothing to count, and sizes
        where they are the sums without their signs.
    """

    def __init__(self) -> None:
        self.blocks: dict[str, npt.NDArray[Any]] = {
            name: np.zeros(0, np.float32) for name in _ALWAYS
        }
        self._made = np.zeros(0, np.bool_)  # By chunk.

    @property
    def nbytes(self) -> int:
        item = sum(field.itemsize for field in self.blocks.values())
        return int(self._made.sum()) * _CHUNK_BLOCKS * item

    def make(self, table: Table, series: Series, first: int, stop: int) -> None:
        """Makes the chunks that hold the blocks from ``first`` to ``stop``."""
        chunks = range(first // _CHUNK_BLOCKS, -(-stop // _CHUNK_BLOCKS))
        if len(self._made) < chunks.stop:
            self._grow(chunks.stop + int(chunks.stop * _SPARE))
        missing = chunks.start + np.flatnonzero(~self._made[chunks.start : chunks.stop])
        for chunk in missing.tolist():
            values = evaluate(table, series, chunk * CHUNK, (chunk + 1) * CHUNK)
            with np.errstate(over="ignore"):
                self._put(chunk, summarise(values, np.arange(0, CHUNK, BLOCK)))
            self._made[chunk] = True

    def _put(self, chunk: int, summary: Summary) -> None:
        if not np.isfinite(summary.sums.astype(np.float32)).all():
            self.blocks["sums"] = self.blocks["sums"].astype(np.float64)
        sums = self.blocks["sums"]
        if "sizes" not in self.blocks and (summary.sizes != np.abs(summary.sums)).any():
            self.blocks["sizes"] = np.abs(sums).astype(np.float64)
        for name in _COUNTS:
            if name not in self.blocks and getattr(summary, name).any():
                self.blocks[name] = np.zeros(len(sums), np.uint8)
        for name, field in self.blocks.items():
            field[chunk * _CHUNK_BLOCKS : (chunk + 1) * _CHUNK_BLOCKS] = getattr(summary, name)

    def _grow(self, chunks: int) -> None:
        # Others may be reading the arrays that these replace.
        blocks = {
            name: np.zeros(chunks * _CHUNK_BLOCKS, field.dtype)
            for name, field in self.blocks.items()
        }
        for name, field in self.blocks.items():
            blocks[name][: len(field)] = field
        made = np.zeros(chunks, np.bool_)
        made[: len(self._made)] = self._made
        self.blocks, self._made = blocks, made


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
        parts = self._parts(table, series, int(starts[0]), int(stops[-1]))
        return merge_ranges(parts, starts - starts[0], stops - starts[0])

    def size(self, table: Table, series: Series, first: int, stop: int) -> tuple[bool, float]:
        """Returns how large a series is over rows: whether it is infinite, and its mean size."""
        first_block, stop_block = -(-first // BLOCK), min(stop, len(table.steps) // CHUNK * CHUNK)
        stop_block //= BLOCK
        if first_block >= stop_block:
            first_block = stop_block = -(-first // BLOCK)
            edges = [(first, stop)]
        else:
            edges = [(first, first_block * BLOCK), (stop_block * BLOCK, stop)]
        total, finite, rows = 0.0, 0, 0
        recorded = _recorded_rows(table, series, first, stop)
        for low, high in edges:
            values = evaluate(table, series, low, high)
            values = values[np.isfinite(values)]
            total += float(np.abs(values).sum(dtype=np.float64))
            finite += len(values)
        if first_block < stop_block:
            parts = self._parts(table, series, first_block, stop_block)
            sizes = parts["sizes"] if "sizes" in parts else np.abs(parts["sums"])
            total += float(sizes.sum(dtype=np.float64))
            rows = (stop_block - first_block) * BLOCK
            rows -= sum(int(parts[name].sum(dtype=np.int64)) for name in _COUNTS if name in parts)
        finite += rows
        return finite < recorded, total / max(finite, 1)

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

    def _parts(
        self, table: Table, series: Series, first: int, stop: int
    ) -> dict[str, npt.NDArray[Any]]:
        """Returns a series' summaries of some blocks, by field."""
        with self._lock:
            digest = self._digest(series)
            digest.make(table, series, first, stop)
            return {name: field[first:stop] for name, field in digest.blocks.items()}

    def _digest(self, series: Series) -> _Digest:
        if series.is_column:
            return self._columns.setdefault(series, _Digest())
        digest = self._sums.setdefault(series, _Digest())
        self._sums.move_to_end(series)
        while len(self._sums) > _MAX_SUMS:
            self._sums.popitem(last=False)
        return digest


def _recorded_rows(table: Table, series: Series, first: int, stop: int) -> int:
    """Returns in how many of some rows a series was recorded."""
    lengths = np.diff(np.clip(table.stretches, first, stop))
    return int(lengths[recorded_in(table, series)].sum())


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
