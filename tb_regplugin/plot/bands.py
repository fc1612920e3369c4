"""What the stacked figure shows: means over buckets, in the dashboard's order. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.axis import bucket_bounds
from tb_regplugin.reading.buckets import fill_buckets
from tb_regplugin.reading.composition import Column, keep_largest
from tb_regplugin.reading.smoothing import smooth_sums
from tb_regplugin.reading.store import Contents
from tb_regplugin.terms import GRADIENT_ROLES, Term

# More bands cannot be told apart.
TOP = 12
# Why a term is no part of the stack.
OUTSIDE = {
    "implicit": "not in the loss: the optimiser applies it",
    "unused": "not in the loss",
    "inside": "in the loss, but not as a summand: its share is unknown",
}

_Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Band:
    """One term over buckets of steps.

    Attributes:
      term: What it is.
      is_rest: Whether it stands for all penalties that are too small for a band of their own.
      mean: ``[buckets]``: its mean, or where asked for its average; NaN where nothing was recorded.
      part: ``[buckets]``: what it adds to the total's mean. That is less than the mean where a
        bucket has rows without it.
      minimum: ``[buckets]``, the smallest value.
      maximum: ``[buckets]``, the largest value.
    """

    term: Term
    is_rest: bool
    mean: _Values
    part: _Values
    minimum: _Values
    maximum: _Values


@dataclass(frozen=True, eq=False)
class Bands:
    """What a recording's figure is made of.

    Attributes:
      x: ``[buckets]``: the middle of each bucket's steps.
      summands: From bottom to top: penalties, the largest lowest, then data loss and the residual.
      beside: What is recorded beside the loss.
      total: The whole, if it is known.
      non_finite: ``[buckets]``: whether any value is NaN or infinite.
    """

    x: _Values
    summands: tuple[Band, ...]
    beside: tuple[Band, ...]
    total: Band | None
    non_finite: npt.NDArray[np.bool_]

    @property
    def all(self) -> tuple[Band, ...]:
        """All bands, the total last."""
        return (*self.summands, *self.beside, *([self.total] if self.total else []))


def choose_bands(
    contents: Contents,
    *,
    terms: str | None = None,
    steps: tuple[int | None, int | None] | None = None,
    smoothing: float = 0,
    max_buckets: int = 1000,
) -> Bands:
    """Reduces a recording to what is drawn; see ``plot.stack``."""
    table = contents.table
    first_step, last_step = steps or (None, None)
    bounds = bucket_bounds(table.steps, first_step, last_step, max_buckets)
    if len(bounds) < 2:
        raise ValueError("Nothing was recorded in these steps: widen or omit steps.")
    if any(term.role in GRADIENT_ROLES for term in table.columns):
        raise ValueError("This is a recording of gradients; figures show recordings of losses.")
    columns = _kept(contents, int(bounds[0]), int(bounds[-1]), terms)
    sums = [column.sum for column in columns]
    filled = fill_buckets(table, sums, bounds, contents.digests)
    means = filled.mean
    weights = filled.rows / np.maximum(filled.rows.max(axis=0), 1)
    if smoothing:
        # Averages are of the single steps, and add up as they are.
        means = smooth_sums(table, sums, smoothing, bounds[1:] - 1)
        weights = np.ones(weights.shape)
    values = np.where(filled.rows > 0, means, np.nan).astype(np.float64)
    bands = [
        Band(
            column.term,
            column.rest,
            values[i],
            values[i] * weights[i],
            filled.minimum[i].astype(np.float64),
            filled.maximum[i].astype(np.float64),
        )
        for i, column in enumerate(columns)
    ]
    return Bands(
        (filled.first_step + filled.last_step) / 2,
        tuple(band for role in ("penalty", "data", "unexplained") for band in _of(bands, role)),
        tuple(band for role in OUTSIDE for band in _of(bands, role)[:TOP]),
        next(iter(_of(bands, "total")), None),
        np.asarray(filled.non_finite.any(axis=0)),
    )


def shares(summands: Sequence[Band]) -> list[_Values]:
    """Returns each band's part of what all make together; NaN where they make nothing.

    Raises:
      ValueError: A part is negative.
    """
    for band in summands:
        if (band.part < 0).any():
            raise ValueError(
                f"100 % needs parts that are never negative, but {band.term.name} reaches "
                f"{np.nanmin(band.part):.4g}. Leave it out with terms, or use view='stack'."
            )
    whole = np.sum([np.nan_to_num(band.part) for band in summands], axis=0)
    whole = np.where(whole > 0, whole, np.nan)
    return [band.part / whole for band in summands]


def stacked(parts: Iterable[_Values]) -> list[list[tuple[_Values, _Values]]]:
    """Puts parts on one another: positive ones upwards from zero, negative ones downwards.

    Returns:
      For each its areas as lower and upper edge: one above zero, one below where it has any.
    """
    areas = []
    top = bottom = np.zeros(())
    for part in parts:
        known = np.nan_to_num(part)
        gap = np.where(np.isnan(part), np.nan, 0.0)
        above, below = top + np.maximum(known, 0), bottom + np.minimum(known, 0)
        edges = [(top + gap, above + gap)]
        if (known < 0).any():
            edges.append((below + gap, bottom + gap))
        areas.append(edges)
        top, bottom = above, below
    return areas


def _kept(contents: Contents, first: int, stop: int, terms: str | None) -> list[Column]:
    """Returns the columns that are drawn, with the smallest penalties as one."""
    table, digests = contents.table, contents.digests
    try:
        pattern = re.compile(terms or "")
    except re.error as error:
        raise ValueError(f"terms is no regular expression: {terms!r}, {error}.") from error
    columns = [
        column
        for column in contents.columns
        if (column.term.role == "total" or pattern.search(column.term.name))
        and not (column.is_residual and not digests.has_significant_residual(table))
    ]
    penalties = sum(column.term.role == "penalty" for column in columns)
    # A band that stands for one more term would take as much room as the term itself.
    top = TOP if penalties > TOP + 1 else 0
    return list(keep_largest(columns, lambda each: digests.size(table, each.sum, first, stop), top))


def _of(bands: Iterable[Band], role: str) -> list[Band]:
    """Returns the bands of a role, the largest first and the rest last."""
    found = [band for band in bands if band.term.role == role]
    return sorted(found, key=lambda band: (band.is_rest, -np.nan_to_num(np.abs(band.part)).mean()))
