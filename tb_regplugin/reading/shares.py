"""The data loss and the penalties' share of the total, row by row, and the largest share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.composition import chunks, evaluate, places
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.table import Table

# Parts that are more than the whole by more than float32 sums round off are not all in it: the
# line under a chart's title gives no shares then, either.
_ROUNDING = 1e-3

# Of so many rows at a time the largest share is kept, so that no question looks at all rows again.
_ROWS = 2**12


def parts(
    contents: Contents, start: int, stop: int | None = None
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Yields data loss and the penalties' share of the total over rows, some at a time.

    NaN where there was no data loss, and where a share is not known or has no meaning.
    """
    table = contents.table
    data_places, penalty_places = (places(table.columns, [role]) for role in ("data", "penalty"))
    totals = (column for column in contents.columns if column.term.role == "total")
    # Scalars that don't add up have no summands.
    is_sum = data_places or penalty_places or not contents.from_scalars
    total = next(totals, None) if is_sum else None
    cuts = np.clip(table.stretches, start, len(table.steps) if stop is None else stop)
    for recorded, low, high in chunks(table.recorded, cuts):
        data, penalties = (
            _Sum(table, [i for i in chosen if recorded[i]], low, high)
            for chosen in (data_places, penalty_places)
        )
        share = np.full(high - low, np.nan)
        if total is not None:
            whole = evaluate(table, total.sum, low, high).astype(np.float64)
            with np.errstate(invalid="ignore"):
                are_parts = data.values + penalties.values <= whole * (1 + _ROUNDING)
            # False where any of them is NaN or infinite.
            has_share = are_parts & (whole > 0) & np.isfinite(whole)
            has_share &= ~(data.is_negative | penalties.is_negative)
            share[has_share] = penalties.values[has_share] / whole[has_share]
        yield data.values if data.places else np.full(high - low, np.nan), share


class _Sum:
    """Columns added up over rows, and where any of them is negative."""

    def __init__(self, table: Table, summed: Sequence[int], low: int, high: int) -> None:
        self.places = summed
        self.values: npt.NDArray[np.float64] = np.zeros(high - low)
        self.is_negative: npt.NDArray[np.bool_] = np.zeros(high - low, bool)
        with np.errstate(invalid="ignore"):
            for i in summed:
                self.values += table.values[i, low:high]
                self.is_negative |= table.values[i, low:high] < 0


def largest_share(contents: Contents, first: int, stop: int) -> float | None:
    """Returns the largest share over rows; None where it is nowhere known."""
    low, high = -(-first // _ROWS), stop // _ROWS
    if low >= high:
        found = [_largest(contents, first, stop)]
    else:
        kept = contents.digests.kept(
            "largest_share", high, lambda i: _largest(contents, i * _ROWS, (i + 1) * _ROWS)
        )
        edges = (first, low * _ROWS), (high * _ROWS, stop)
        found = [*kept[low:], *(_largest(contents, *edge) for edge in edges)]
    return max((share for share in found if share is not None), default=None)


def _largest(contents: Contents, first: int, stop: int) -> float | None:
    shares = [share[~np.isnan(share)] for _, share in parts(contents, first, stop)]
    return max((float(share.max()) for share in shares if len(share)), default=None)
