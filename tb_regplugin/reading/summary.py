"""Smallest, largest and sum of values over parts of them, and how many are not finite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Summary:
    """Figures of parts. What can be summarised in pieces can be added up.

    Attributes:
      minimum: float32 ``[parts]``, over the finite values; +Inf where there is none.
      maximum: Likewise; −Inf where there is none.
      sums: float64 ``[parts]``, of the finite values.
      sizes: float64 ``[parts]``, sums of their absolute values.
      nan: int64 ``[parts]``: how many values are NaN.
      positive_infinity: Likewise.
      negative_infinity: Likewise.
    """

    minimum: npt.NDArray[np.float32]
    maximum: npt.NDArray[np.float32]
    sums: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.float64]
    nan: npt.NDArray[np.int64]
    positive_infinity: npt.NDArray[np.int64]
    negative_infinity: npt.NDArray[np.int64]

    def __getitem__(self, which: slice) -> Summary:
        return Summary(*(getattr(self, name)[which] for name in FIELDS))


FIELDS = tuple(field.name for field in fields(Summary))


def nothing(parts: int) -> Summary:
    """Returns the figures of parts without values."""
    return Summary(
        np.full(parts, np.inf, np.float32),
        np.full(parts, -np.inf, np.float32),
        np.zeros(parts),
        np.zeros(parts),
        np.zeros(parts, np.int64),
        np.zeros(parts, np.int64),
        np.zeros(parts, np.int64),
    )


def summarise(values: npt.NDArray[np.float32], starts: npt.NDArray[np.int64]) -> Summary:
    """Summarises values.

    Args:
      values: float32 ``[n]``.
      starts: Where each part begins; the next part begins behind it.
    """
    if not len(starts):
        return nothing(0)
    minimum = np.minimum.reduceat(values, starts)
    maximum = np.maximum.reduceat(values, starts)
    # NaN and infinities come through, so this is one look at the parts instead of every value.
    if not (np.isfinite(minimum).all() and np.isfinite(maximum).all()):
        return _summarise_with_gaps(values, starts)
    sums = np.add.reduceat(values, starts, dtype=np.float64)
    none = np.zeros(len(starts), np.int64)
    sizes = _sizes(values, starts, minimum, maximum, sums)
    return Summary(minimum, maximum, sums, sizes, none, none, none)


def summarise_ranges(
    values: npt.NDArray[np.float32], starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
) -> Summary:
    """Summarises ranges of values, each of which holds a value and begins behind the last one."""
    return summarise(values, _cuts(starts, stops, len(values)))[::2]


def merge_ranges(
    parts: Mapping[str, npt.NDArray[Any]],
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
) -> Summary:
    """Adds up ranges of parts, as ``summarise_ranges`` does.

    Args:
      parts: A summary's fields. Counts may be missing for none, and sizes for those of the sums.
      starts: The first part of each range.
      stops: The part behind its last one.
    """
    cuts = _cuts(starts, stops, len(parts["minimum"]))
    out = nothing(len(starts))
    for name in FIELDS:
        how = {"minimum": np.minimum, "maximum": np.maximum}.get(name, np.add)
        merged = getattr(out, name)
        if name in parts:
            merged[:] = how.reduceat(parts[name], cuts, dtype=merged.dtype)[::2]
        elif name == "sizes":
            merged[:] = np.add.reduceat(np.abs(parts["sums"]), cuts, dtype=merged.dtype)[::2]
    return out


def spread(summary: Summary, where: npt.NDArray[np.bool_]) -> Summary:
    """Puts figures of some parts where they belong among all of them."""
    if where.all():
        return summary
    out = nothing(len(where))
    for name in FIELDS:
        getattr(out, name)[where] = getattr(summary, name)
    return out


def add(one: Summary, other: Summary) -> Summary:
    """Returns the figures of both pieces of each part together."""
    return Summary(
        np.minimum(one.minimum, other.minimum),
        np.maximum(one.maximum, other.maximum),
        *(
            getattr(one, name) + getattr(other, name)
            for name in FIELDS
            if name not in ("minimum", "maximum")
        ),
    )


def _cuts(
    starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64], size: int
) -> npt.NDArray[np.int64]:
    """Returns where parts begin, every second of which is one of the ranges."""
    cuts = np.column_stack([starts, stops]).ravel()
    return cuts[:-1] if len(cuts) and cuts[-1] == size else cuts


def _summarise_with_gaps(values: npt.NDArray[np.float32], starts: npt.NDArray[np.int64]) -> Summary:
    finite = np.isfinite(values)
    minimum = np.minimum.reduceat(np.where(finite, values, np.float32(np.inf)), starts)
    maximum = np.maximum.reduceat(np.where(finite, values, np.float32(-np.inf)), starts)
    zeroed = np.where(finite, values, np.float32(0))
    sums = np.add.reduceat(zeroed, starts, dtype=np.float64)
    return Summary(
        minimum,
        maximum,
        sums,
        np.add.reduceat(np.abs(zeroed), starts, dtype=np.float64),
        _count(np.isnan(values), starts),
        _count(values == np.inf, starts),
        _count(values == -np.inf, starts),
    )


def _sizes(
    values: npt.NDArray[np.float32],
    starts: npt.NDArray[np.int64],
    minimum: npt.NDArray[np.float32],
    maximum: npt.NDArray[np.float32],
    sums: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Returns the sums of absolute values, which are the sums where no part changes its sign."""
    if (minimum >= 0).all():
        return sums
    if (maximum <= 0).all():
        return -sums
    sizes: npt.NDArray[np.float64] = np.add.reduceat(np.abs(values), starts, dtype=np.float64)
    return sizes


def _count(mask: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    counts: npt.NDArray[np.int64] = np.add.reduceat(mask, starts, dtype=np.int64)
    return counts
