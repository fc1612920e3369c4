"""Smallest, largest and sum of values over parts of them, and how many are not finite.

Of long recordings, aggregates of every 32 rows are kept, so that a question need not look at each
row: rows in memory never change, and new ones only come behind them.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.composition import (
    ColumnSum,
    chunks,
    evaluate,
    evaluate_at,
    first_significant_residual,
    recorded_in,
)
from tb_regplugin.reading.table import Table

BLOCK = 32  # rows
# Blocks come so many at a time; a table's rows behind the last whole batch have none.
_BATCH = 64
# Where a table has fewer rows than this, going through them costs no more.
_MIN_ROWS = 2**14
# Where buckets hold fewer rows than this on average, going through them costs less.
_FEW_ROWS = 2 * BLOCK
# Sums of columns whose blocks are kept: another range or grouping can have another rest.
_MAX_SUMS = 32

_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Aggregates:
    """Figures of parts of values. What is aggregated in pieces can be merged.

    Attributes:
      minimum: float32 ``[parts]``, over the finite values; +Inf where there is none.
      maximum: Likewise; −Inf where there is none.
      sums: float64 ``[parts]``, of the finite values.
      sizes: float64 ``[parts]``, sums of their absolute values; the very ``sums`` where none is
        negative.
      non_finite: int64 ``[3, parts]``: how many values are NaN, +Inf and −Inf; None where all are
        finite.
    """

    minimum: npt.NDArray[np.float32]
    maximum: npt.NDArray[np.float32]
    sums: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.float64]
    non_finite: _Indices | None = None

    @property
    def nbytes(self) -> int:
        """How much memory they take."""
        arrays = {id(array): array for array in vars(self).values() if array is not None}
        return sum(array.nbytes for array in arrays.values())

    @property
    def counts(self) -> _Indices:
        """How many values are NaN, +Inf and −Inf, as ``non_finite``: zeros where all are finite."""
        if self.non_finite is None:
            return np.zeros((3, len(self.sums)), np.int64)
        return self.non_finite

    def __getitem__(self, which: slice | _Indices) -> Aggregates:
        return self._each(lambda values, _: values[..., which])

    def joined(self, other: Aggregates) -> Aggregates:
        """Returns these parts and others behind them."""
        both = (self, other)
        sums = np.concatenate([one.sums for one in both])
        shared = all(one.sizes is one.sums for one in both)
        finite = all(one.non_finite is None for one in both)
        return Aggregates(
            np.concatenate([one.minimum for one in both]),
            np.concatenate([one.maximum for one in both]),
            sums,
            sums if shared else np.concatenate([one.sizes for one in both]),
            None if finite else np.concatenate([one.counts for one in both], axis=1),
        )

    def merged(self, starts: _Indices) -> Aggregates:
        """Returns the figures of parts taken together, from each of ``starts`` to the next."""
        return self._each(lambda values, merge: merge.reduceat(values, starts, axis=-1))

    def _each(self, change: Callable[[npt.NDArray[Any], np.ufunc], npt.NDArray[Any]]) -> Aggregates:
        """Changes each figure; ``change`` is given it and what two parts' figures make of one."""
        sums = change(self.sums, np.add)
        return Aggregates(
            change(self.minimum, np.minimum),
            change(self.maximum, np.maximum),
            sums,
            sums if self.sizes is self.sums else change(self.sizes, np.add),
            None if self.non_finite is None else change(self.non_finite, np.add),
        )


def aggregate(values: npt.NDArray[np.float32], starts: _Indices) -> Aggregates:
    """Aggregates float32 ``[n]`` values by parts, of which one begins at each of ``starts``."""
    minimum = np.minimum.reduceat(values, starts)
    maximum = np.maximum.reduceat(values, starts)
    non_finite = None
    # NaN and infinities come through, so this is one look at the parts instead of every value.
    if not (np.isfinite(minimum).all() and np.isfinite(maximum).all()):
        finite = np.isfinite(values)
        kinds = np.stack([np.isnan(values), values == np.inf, values == -np.inf])
        non_finite = np.add.reduceat(kinds, starts, axis=1, dtype=np.int64)
        minimum = np.minimum.reduceat(np.where(finite, values, np.float32(np.inf)), starts)
        maximum = np.maximum.reduceat(np.where(finite, values, np.float32(-np.inf)), starts)
        values = np.where(finite, values, np.float32(0))
    sums = np.add.reduceat(values, starts, dtype=np.float64)
    sizes = sums
    if not (minimum >= 0).all():
        sizes = np.add.reduceat(np.abs(values), starts, dtype=np.float64)
    return Aggregates(minimum, maximum, sums, sizes, non_finite)


class Digests:
    """What is known of one recording's rows. Safe to use from threads.

    It is of the rows themselves, so each table of a recording that only grows can use it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Those of sums of several columns: the one that was asked for last is the last.
        self._blocks: OrderedDict[ColumnSum, Aggregates] = OrderedDict()
        # How many rows were looked through, and the first that is what is looked for.
        self._first: dict[Hashable, tuple[int, int | None]] = {}
        # Likewise, and by column the first row that is not finite.
        self._not_finite: tuple[int, dict[int, int]] = 0, {}
        self._kept: dict[Hashable, list[Any]] = {}

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        with self._lock:
            return sum(blocks.nbytes for blocks in self._blocks.values())

    def blocks(self, table: Table, column_sum: ColumnSum) -> Aggregates:
        """Returns the aggregates of a sum's blocks, at least ``block_count(table)`` of them."""
        with self._lock:
            known = self._blocks.get(column_sum)
            have, want = 0 if known is None else len(known.sums), block_count(table)
            if known is None or have < want:
                values = evaluate(table, column_sum, have * BLOCK, want * BLOCK)
                new = aggregate(values, np.arange(0, len(values), BLOCK))
                known = new if known is None else known.joined(new)
                self._blocks[column_sum] = known
            if not column_sum.is_column:
                self._blocks.move_to_end(column_sum)
                sums = [one for one in self._blocks if not one.is_column]
                for one in sums[:-_MAX_SUMS]:
                    del self._blocks[one]
            return known

    def size(
        self, table: Table, column_sum: ColumnSum, first: int, stop: int
    ) -> tuple[bool, float]:
        """Returns how large a sum is over rows: whether it is infinite, and its mean size."""
        low, high = -(-first // BLOCK), min(stop // BLOCK, block_count(table))
        edges = [(first, low * BLOCK), (high * BLOCK, stop)] if low < high else [(first, stop)]
        values = np.concatenate([np.abs(evaluate(table, column_sum, *edge)) for edge in edges])
        total, non_finite = float(values.sum(dtype=np.float64)), 0
        # A sum in float64 is finite where all values are, and costs less than looking at each.
        if not np.isfinite(total):
            finite = np.isfinite(values)
            total = float(values[finite].sum(dtype=np.float64))
            non_finite = len(values) - int(finite.sum())
        if low < high:
            blocks = self.blocks(table, column_sum)
            total += float(blocks.sizes[low:high].sum())
            if blocks.non_finite is not None:
                non_finite += int(blocks.non_finite[:, low:high].sum())
        lengths = np.diff(np.clip(table.stretches, first, stop))
        gaps = stop - first - int(lengths[recorded_in(table, column_sum)].sum())
        return non_finite > gaps, total / max(stop - first - non_finite, 1)

    def first_non_finite(self, table: Table, column_sum: ColumnSum) -> int | None:
        """Returns the first row in which a sum was recorded as NaN or an infinity."""
        columns = {*column_sum.added, *column_sum.subtracted, *column_sum.otherwise}
        start, rows = 0, len(table.steps)
        if len(columns) > 1:
            # A sum is finite where all of its columns are, up to an overflow of float32.
            firsts = self._columns_not_finite(table)
            start = min((firsts[i] for i in firsts.keys() & columns), default=rows)
        return self._find(
            column_sum, table, start, lambda seen: first_non_finite(table, column_sum, seen, rows)
        )

    def _columns_not_finite(self, table: Table) -> dict[int, int]:
        """Returns the columns that are not finite everywhere, each with the first such row."""
        with self._lock:
            seen, firsts = self._not_finite
            if seen < len(table.steps):
                firsts = columns_not_finite(table, seen) | firsts
                self._not_finite = len(table.steps), firsts
            return firsts

    def has_significant_residual(self, table: Table) -> bool:
        """Whether the residual is anywhere beyond the rounding of float32 sums."""
        search = functools.partial(first_significant_residual, table)
        return self._find("residual", table, 0, search) is not None

    def kept(self, what: Hashable, count: int, make: Callable[[int], Any]) -> list[Any]:
        """Returns what is made of each of so many parts of the rows, each of them once."""
        with self._lock:
            known = self._kept.setdefault(what, [])
            known.extend(make(i) for i in range(len(known), count))
            return known[:count]

    def _find(
        self, what: Hashable, table: Table, start: int, search: Callable[[int], int | None]
    ) -> int | None:
        """Returns the row that ``search`` finds, which looks only at rows that are new."""
        with self._lock:
            seen, first = self._first.get(what, (start, None))
            if first is None and seen < len(table.steps):
                first = search(seen)
                self._first[what] = len(table.steps), first
        return first if first is not None and first < len(table.steps) else None


def block_count(table: Table) -> int:
    """Returns how many blocks of a table have aggregates."""
    rows = len(table.steps)
    return rows // (BLOCK * _BATCH) * _BATCH if rows >= _MIN_ROWS else 0


def first_non_finite(table: Table, column_sum: ColumnSum, first: int, stop: int) -> int | None:
    """Returns the first of some rows in which a sum was recorded as NaN or an infinity."""
    cuts = np.minimum(np.maximum(table.stretches, first), stop)
    for is_recorded, low, high in chunks(recorded_in(table, column_sum), cuts):
        if is_recorded:
            finite = np.isfinite(evaluate(table, column_sum, low, high))
            if not finite.all():
                return low + int(finite.argmin())
    return None


def columns_not_finite(table: Table, first: int) -> dict[int, int]:
    """Returns the columns with a recorded NaN or infinity from a row on, and its row in each."""
    found: dict[int, int] = {}
    for recorded, low, high in chunks(table.recorded, np.maximum(table.stretches, first)):
        for i in np.flatnonzero(recorded).tolist():
            finite = np.isfinite(table.values[i, low:high])
            if not finite.all():
                found.setdefault(i, low + int(finite.argmin()))
    return found


class Aggregator:
    """Aggregates sums over buckets: from the rows where these are few, else from their blocks.

    Bounds are those of ``axis.bucket_bounds``, of at least one bucket.
    """

    def __init__(self, table: Table, bounds: _Indices, digests: Digests | None) -> None:
        self._table = table
        self._first, self._stop = int(bounds[0]), int(bounds[-1])
        self._starts = bounds[:-1]
        self._blocks = block_count(table)
        few = self._stop - self._first <= _FEW_ROWS * len(self._starts)
        self._digests = None if few or not self._blocks else digests
        if self._digests is not None:
            self._cut(bounds, self._blocks)

    def of(self, column_sum: ColumnSum) -> Aggregates:
        """Returns a sum's figures, by bucket."""
        if self._digests is None:
            values = evaluate(self._table, column_sum, self._first, self._stop)
            return aggregate(values, self._starts - self._first)
        blocks = self._digests.blocks(self._table, column_sum)[: self._blocks]
        values = evaluate_at(self._table, column_sum, self._rows, self._pick)
        pieces = aggregate(values, self._piece_starts)
        # Every other range is what lies between those asked for.
        pieces = blocks.merged(self._ranges)[::2].joined(pieces)
        return pieces[self._order].merged(self._bucket_starts)

    def _cut(self, bounds: _Indices, blocks: int) -> None:
        """Cuts buckets into ranges of whole blocks, and pieces of the blocks that a bound cuts."""
        tail = int(np.clip(blocks * BLOCK, self._first, self._stop))
        inside = np.unique(bounds[bounds % BLOCK > 0] // BLOCK)
        self._cut_blocks = inside[inside < blocks]
        self._tail = slice(tail, self._stop)
        # The cut blocks' rows, and those that no block has.
        rows = self._cut_blocks[:, np.newaxis] * BLOCK + np.arange(BLOCK)
        self._rows = np.concatenate([rows.ravel(), np.arange(tail, self._stop)])
        begins = self._cut_blocks * BLOCK
        cuts = np.unique(np.concatenate([bounds, begins, begins + BLOCK, [tail]]))
        starts, stops = cuts[:-1], cuts[1:]
        whole = (starts % BLOCK == 0) & (stops % BLOCK == 0) & (stops <= blocks * BLOCK)
        asked = (self._first <= starts) & (stops <= self._stop)
        taken = whole & asked
        ranges = np.column_stack([starts, stops])[taken].ravel() // BLOCK
        # A reduction up to the end needs no cut there.
        self._ranges = ranges[:-1] if len(ranges) and ranges[-1] == blocks else ranges
        self._piece_starts = np.searchsorted(self._rows, starts[~whole])
        place = np.empty(len(starts), np.int64)
        place[taken] = np.arange(taken.sum())
        place[~whole] = taken.sum() + np.arange((~whole).sum())
        self._order = place[asked]
        self._bucket_starts = np.searchsorted(starts[asked], self._starts)
        self._picked: dict[int, npt.NDArray[np.float32]] = {}

    def _pick(self, column: int) -> npt.NDArray[np.float32]:
        # Kept, since sums of columns need most columns, and there are several of them.
        if column not in self._picked:
            values = self._table.values[column]
            whole = values[: self._blocks * BLOCK].reshape(-1, BLOCK)
            # By the block, which is quicker than by the row.
            cut = whole.take(self._cut_blocks, axis=0).ravel()
            self._picked[column] = np.concatenate([cut, values[self._tail]])
        return self._picked[column]
