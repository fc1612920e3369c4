"""What may be parts of a total, and their weights: by names, places and steps."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tb_regplugin.scalars import least_squares, sums
from tb_regplugin.scalars.composition import Series, aligned
from tb_regplugin.scalars.pools import contained, is_below, is_within
from tb_regplugin.scalars.tags import Tag


class Candidates(NamedTuple):
    """What may be parts of a total.

    Attributes:
      total: The total.
      pools: Names propose them, from the most to the least likely; in the last one, whatever they
        are called.
      factors: What may be their weights.
      values: All of these at the steps that they share.
      is_one_part: Whether the total is one of the losses times a constant: all else has no weight.
      series: The run's scalars.
    """

    total: Tag
    pools: Sequence[Sequence[Tag]]
    factors: Sequence[Tag]
    values: Mapping[str, sums.Column]
    is_one_part: bool
    series: Mapping[str, Series]

    @property
    def column(self) -> sums.Column:
        """The total's values."""
        return self.values[self.total.name]


def candidates_of(total: Tag, tags: Sequence[Tag], series: Mapping[str, Series]) -> Candidates:
    """Returns what may be parts of a total, of a run with these tags."""
    fitting = [tag for tag in tags if tag.name != total.name and tag.goes_with(total)]
    others = [tag for tag in fitting if tag.may_be_part]
    near = [
        tag for tag in others if tag.is_part and is_below(tag, total) and tag.split == total.split
    ]
    nameless = [tag for tag in fitting if not tag.is_metric and is_within(tag, total)]
    weights = [tag for tag in tags if tag.is_weight and tag.split in ("", total.split)]
    pools = [contained(total, pool, series) for pool in (near, others, nameless)]
    factors = contained(total, weights, series)
    names = [tag.name for tag in (*itertools.chain(*pools), *factors)]
    values = aligned(total.name, names, series)
    kept = [_without_second_totals(values[total.name], pool, values) for pool in pools]
    is_one_part = any(tag not in kept[0] and not tag.is_total for tag in pools[0])
    return Candidates(total, kept, factors, values, is_one_part, series)


def allies(pool: Sequence[Tag], total: Tag) -> list[Tag]:
    """Returns what is not of another player's loss."""
    own = total.player
    return [
        tag
        for tag in pool
        if not tag.is_total and tag.player in ((own, "") if own else ("", "generator"))
    ]


def _without_second_totals(
    total: sums.Column, pool: Sequence[Tag], values: Mapping[str, sums.Column]
) -> list[Tag]:
    """Returns a pool without the total under another name, or normalised.

    The only part of a loss that is not zero, as of a penalty of strength 0, is equal to it, too.
    """
    again = [tag for tag in pool if least_squares.multiples([total, values[tag.name]])]
    others = [tag for tag in pool if tag not in again]
    is_only = len(again) == 1 and again[0].is_part and not again[0].is_total
    if others and is_only and not any(values[tag.name].any() for tag in others):
        return list(pool)
    return others
