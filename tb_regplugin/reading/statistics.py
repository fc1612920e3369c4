"""A term's figures over a range of rows. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.buckets import fill_buckets
from tb_regplugin.reading.composition import PARTS, Column
from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.digests import first_non_finite
from tb_regplugin.reading.summariser import summariser
from tb_regplugin.terms import OUTSIDE_OF_LOSS


@dataclass(frozen=True)
class Statistics:
    """One column over a range of rows.

    Attributes:
      last: Of the last row in which it was recorded, as recorded; None where there is none.
      minimum: Over the finite values; None where there is none.
      maximum: Likewise.
      mean: Likewise.
      share: Its sum over the sum of the total. None where it has no meaning: a part or the total
        is negative or not finite somewhere, the total is 0, or it is no part of the loss.
      rows: In how many rows it was recorded.
      non_finite: How many of these values are NaN or an infinity.
      first_non_finite_row: The first of them, by its place in the table.
    """

    last: float | None
    minimum: float | None
    maximum: float | None
    mean: float | None
    share: float | None
    rows: int
    non_finite: int
    first_non_finite_row: int | None


def statistics(
    contents: Contents, columns: Sequence[Column], first: int, stop: int
) -> list[Statistics]:
    """Returns the figures of columns.

    Args:
      contents: The rows.
      columns: What to describe: the contents' columns, or groups of them.
      first: The first row.
      stop: The row behind the last one.
    """
    if first >= stop:
        return [Statistics(None, None, None, None, None, 0, 0, None) for _ in columns]
    bounds = np.array([first, stop])
    table, digests = contents.table, contents.digests
    filled = fill_buckets(table, [column.series for column in columns], bounds, digests)
    whole = _total_is_a_whole(contents, bounds)
    bad = filled.nan + filled.positive_infinity + filled.negative_infinity
    finite = filled.rows - bad
    summarise_one = summariser(table, bounds, digests)
    sums = [float(summarise_one(column.series).sums[0]) for column in columns]
    total = next((i for i, column in enumerate(columns) if column.term.role == "total"), None)
    total_sum = 0.0 if total is None else sums[total]
    figures = []
    for i, column in enumerate(columns):
        share = None
        is_part = column.term.role not in OUTSIDE_OF_LOSS
        if whole and total_sum > 0 and is_part and not bad[i, 0] and finite[i, 0]:
            share = sums[i] / total_sum
            share = share if filled.minimum[i, 0] >= 0 else None
        rows = int(filled.rows[i, 0])
        figures.append(
            Statistics(
                last=float(filled.last[i, 0]) if rows else None,
                minimum=float(filled.minimum[i, 0]) if finite[i, 0] else None,
                maximum=float(filled.maximum[i, 0]) if finite[i, 0] else None,
                mean=sums[i] / int(finite[i, 0]) if finite[i, 0] else None,
                share=share,
                rows=rows,
                non_finite=int(bad[i, 0]),
                first_non_finite_row=first_non_finite(table, column.series, first, stop)
                if bad[i, 0]
                else None,
            )
        )
    return figures


def _total_is_a_whole(contents: Contents, bounds: npt.NDArray[np.int64]) -> bool:
    """Whether total and parts are finite and nowhere negative, so that shares have a meaning."""
    roles = ("total", *PARTS)
    series = [column.series for column in contents.columns if column.term.role in roles]
    filled = fill_buckets(contents.table, series, bounds, contents.digests)
    bad = (filled.nan + filled.positive_infinity + filled.negative_infinity).any()
    recorded = filled.rows > 0
    return not bad and bool((filled.minimum[recorded] >= 0).all())
