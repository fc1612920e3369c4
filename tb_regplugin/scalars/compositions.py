"""What the losses of a run of scalars are made of: pure functions over its tags and values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tb_regplugin.scalars import sums
from tb_regplugin.scalars.composition import (
    ADDS_UP,
    LEAVES_REST,
    ROUGHLY,
    WITH_THESE_WEIGHTS,
    Composition,
    Part,
    Series,
    Weight,
    aligned,
    judged,
    logged_tags,
    weighted,
)
from tb_regplugin.scalars.pools import contained, is_below
from tb_regplugin.scalars.tags import Tag, parse, parse_all
from tb_regplugin.scalars.trainers import trainer_of
from tb_regplugin.scalars.without_total import without_total

_MOST_IN_SUM = 15
# Of a loss that nothing calls a total.
_MOST_BESIDE = 10


def find_compositions(
    series: Mapping[str, Series], stored: Sequence[Composition] = ()
) -> list[Composition]:
    """Finds what the losses of a run are made of.

    Args:
      series: The run's scalars by tag, as they were logged or as TensorBoard sampled them.
      stored: Compositions that take the place of what is found of their totals and parts.

    Returns:
      Those that were stored, with what the numbers say of them, then those that were found.

    Example:
      >>> import numpy as np
      >>> steps = np.arange(100)
      >>> data, penalty = 1 + 1 / (1 + steps), 0.5 - 0.001 * steps
      >>> (found,) = find_compositions(
      ...     {
      ...         "train/loss": (steps, data + penalty),
      ...         "train/data_loss": (steps, data),
      ...         "train/l2_loss": (steps, penalty),
      ...     }
      ... )
      >>> found.status, [part.role for part in found.parts]
      ('adds up', ['data', 'penalty'])
    """
    tags = parse_all(name for name, (steps, _) in series.items() if len(steps))
    kept = [judged(series, composition) for composition in stored]
    taken = _names(kept)
    found: list[Composition] = []
    unexplained = []
    for total in _totals(tags, series):
        if total.name not in taken:
            candidates = _candidates(total, tags, series)
            composition = _by_numbers(candidates)
            if composition is None:
                unexplained.append(candidates)
            else:
                found.append(composition)
    heads: list[Composition] = []
    weights = [tag for tag in tags if tag.is_weight]
    for head, family in _heads(tags):
        if head.name not in taken | _names(found + heads):
            composition = _by_numbers(_candidates(head, [head, *family, *weights], series))
            # Its name alone doesn't make it a total.
            if composition is not None:
                heads.append(composition)
    # What adds up is told by its parts, what needs weights by its sum.
    details = {part.tag for each in heads if each.status != ADDS_UP for part in each.parts}
    by_names = [_by_names(candidates, details) for candidates in unexplained]
    found += [composition for composition in by_names if composition is not None]
    found += heads
    outermost = [each for i, each in enumerate(found) if not _is_inside(each, found[:i], found)]
    told = [parse(str(each.total)) for each in outermost + kept if each.total]
    inside = taken | _names(found)
    free = [tag for tag in tags if tag.name not in inside or tag.is_total]
    return [*kept, *outermost, *without_total(free, series, told)]


class _Candidates(NamedTuple):
    """What may be parts of a total.

    Attributes:
      total: The total.
      pools: Names propose them, from the most to the least likely; in the last one, whatever they
        are called.
      factors: What may be their weights.
      values: All of these at the steps that they share.
      series: The run's scalars.
    """

    total: Tag
    pools: Sequence[Sequence[Tag]]
    factors: Sequence[Tag]
    values: Mapping[str, sums.Column]
    series: Mapping[str, Series]

    @property
    def column(self) -> sums.Column:
        """The total's values."""
        return self.values[self.total.name]


def _candidates(total: Tag, tags: Sequence[Tag], series: Mapping[str, Series]) -> _Candidates:
    fitting = [tag for tag in tags if tag.name != total.name and tag.goes_with(total)]
    others = [tag for tag in fitting if tag.may_be_part]
    near = [
        tag for tag in others if tag.is_part and is_below(tag, total) and tag.split == total.split
    ]
    nameless = [tag for tag in fitting if not tag.is_metric and is_below(tag, total)]
    weights = [
        tag
        for tag in tags
        if tag.is_weight and tag.split in ("", total.split) and not tag.may_be_part
    ]
    pools = [contained(total, pool, series) for pool in (near, others, nameless)]
    factors = contained(total, weights, series)
    names = [tag.name for tag in (*itertools.chain(*pools), *factors)]
    values = aligned(total.name, names, series)
    pools = [_without_second_totals(values[total.name], pool, values) for pool in pools]
    return _Candidates(total, pools, factors, values, series)


def _by_numbers(candidates: _Candidates) -> Composition | None:
    """Finds parts that add up to a total, as they are or with weights."""
    total, pools, factors, values, series = candidates
    column = candidates.column
    *named, nameless = pools
    named = [pool for i, pool in enumerate(named) if pool not in pools[:i]]
    for pool in named:
        if parts := _exact(column, pool, values):
            return judged(series, Composition(total.name, parts))
    for pool in named:
        if parts := _with_logged_weights(column, pool, factors, values):
            return judged(series, Composition(total.name, parts))
    if nameless not in named and (parts := _exact(column, nameless, values)):
        return judged(series, Composition(total.name, parts))
    # Weights are told by numbers, whoever a name may speak of.
    wide = [*(_allies(pool, total) for pool in pools), nameless]
    for pool in (pool for i, pool in enumerate(wide) if pool not in wide[:i]):
        if parts := _with_fitting_weights(column, _distinct(pool, values), factors, values):
            off = sums.error(column, weighted(parts, values))
            return Composition(total.name, parts, WITH_THESE_WEIGHTS, off)
    return None


def _exact(
    total: sums.Column, pool: Sequence[Tag], values: Mapping[str, sums.Column]
) -> tuple[Part, ...]:
    """Returns parts that add up to a total, together with those that are zero all the time."""
    some = [tag for tag in pool if values[tag.name].any()]
    columns = [values[tag.name] for tag in some]
    is_sum = len(pool) > 1 and bool(some) and sums.error(total, columns) <= sums.EXACT
    if is_sum and not sums.is_chance(total, 1):
        chosen = some
    else:
        small = len(columns) <= _MOST_IN_SUM
        found = (
            sums.choose(total, [[column] for column in columns])
            if small
            else sums.choose_of_many(total, columns)
        )
        if found is None:
            return ()
        chosen = [tag for tag, one in zip(some, found.choice, strict=True) if one]
    taken = {tag.name for tag in chosen}
    zero = {tag.name for tag in pool if tag not in some and tag.is_part}
    return tuple(Part(tag.name, role=tag.role) for tag in pool if tag.name in taken | zero)


def _with_logged_weights(
    total: sums.Column,
    pool: Sequence[Tag],
    factors: Sequence[Tag],
    values: Mapping[str, sums.Column],
) -> tuple[Part, ...]:
    """Returns parts that add up times logged scalars: those of their names, or else any."""
    some = [tag for tag in pool if values[tag.name].any()]
    if not factors or len(some) < 2:
        return ()
    products = [*((each,) for each in factors), *itertools.combinations(factors, 2)]
    for options in (
        [_parts_with(tag, [(each,) for each in _weights_of(tag, factors)]) for tag in some],
        [_parts_with(tag, products) for tag in some],
    ):
        if math.prod(1.0 + len(each) for each in options) > sums.MOST_SUMS:
            continue
        columns = [weighted(each, values) for each in options]
        if found := sums.choose(total, columns):
            return tuple(
                each[place - 1] for each, place in zip(options, found.choice, strict=True) if place
            )
    return ()


def _parts_with(tag: Tag, products: Iterable[Sequence[Tag]]) -> list[Part]:
    """Returns a part as it is, and with each of some products for its weight."""
    weights: list[Weight] = [1.0, *(tuple(each.name for each in product) for product in products)]
    if tag.may_be_bonus:
        weights = [_times(-1.0, weight) for weight in weights] + weights
    return [Part(tag.name, weight, tag.role) for weight in weights]


def _weights_of(tag: Tag, factors: Sequence[Tag]) -> list[Tag]:
    """Returns the weights that are called after a part."""
    return [factor for factor in factors if not set(factor.words[:-1]).isdisjoint(tag.words)]


def _with_fitting_weights(
    total: sums.Column,
    pool: Sequence[Tag],
    factors: Sequence[Tag],
    values: Mapping[str, sums.Column],
) -> tuple[Part, ...]:
    """Returns parts that add up with constant weights, times logged ones of their names."""
    varying = [factor for factor in factors if np.ptp(values[factor.name])]
    parts = [
        part
        for tag in pool
        for part in _parts_with(tag, [(each,) for each in _weights_of(tag, varying)])
    ]
    fitting = sums.fitting_weights(total, weighted(parts, values)) or [0.0] * len(parts)
    found = [
        replace(part, weight=_times(weight, part.weight))
        for part, weight in zip(parts, fitting, strict=True)
        if weight
    ]
    # A part that would be there twice, as it is and weighted, is not understood.
    return tuple(found) if len({part.tag for part in found}) == len(found) else ()


def _times(number: float, weight: Weight) -> Weight:
    """Returns a weight times a number."""
    if not isinstance(weight, tuple):
        return number * weight
    number = math.prod((number, *(each for each in weight if isinstance(each, float))))
    return (*(() if number == 1 else (number,)), *logged_tags(weight))


def _by_names(candidates: _Candidates, details: Container[str]) -> Composition | None:
    """Says what holds of the parts that names alone propose, without details of other parts."""
    total, pools, _, values, series = candidates
    if sums.is_chance(candidates.column, 1):
        return None
    offers = []
    for each in pools[:2]:
        pool = [
            tag
            for tag in _distinct(_allies(each, total), values)
            if tag.name not in details and (tag.is_part or values[tag.name].any())
        ]
        parts = tuple(Part(tag.name, role=tag.role) for tag in pool)
        offers.append((pool, judged(series, Composition(total.name, parts))))
    for _, offer in offers:
        if offer.status in (ADDS_UP, ROUGHLY):
            return offer
    # What may be a part is one where little of the rest is left with it.
    (pool, plain), (wider, wide) = offers
    if pool and wide.rest is not None and plain.rest is not None and wide.rest < plain.rest / 3:
        pool, plain = wider, wide
    parts = plain.parts
    if not any(values[tag.name].any() for tag in pool):
        return None
    known = {tag.name: trainer for tag in pool if (trainer := trainer_of(tag.name)) is not None}
    if any(trainer.weight != 1 for trainer in known.values()):
        name, trainer = next(iter(known.items()))
        parts = tuple(
            replace(part, weight=known[part.tag].weight) if part.tag in known else part
            for part in parts
        )
        note = f"{trainer.weight} is what {trainer.name} gives {name} by default."
        return judged(series, Composition(total.name, parts, note=note))
    if plain.status == LEAVES_REST:
        is_little = len(parts) == 1 and parts[0].role == "data" and (plain.rest or 0.0) > 0.5
        return None if is_little else plain
    # One part that exceeds the total is no part of it; nor are those of another size.
    columns = [values[tag.name] for tag in pool]
    is_likely = len(parts) > 1 and not any(tag.is_one_of_several for tag in pool)
    return plain if is_likely and sums.are_of_size(candidates.column, columns) else None


def _heads(tags: Sequence[Tag]) -> Iterator[tuple[Tag, list[Tag]]]:
    """Yields losses that may be totals though nothing calls them so, and what may be their parts.

    These are the losses whose names begin with theirs, as of loss_G that of loss_G_GAN; or, if
    there are none, the others beside them, where these are few.
    """
    losses = [tag for tag in tags if tag.may_be_part and not tag.is_total]
    for head in losses:
        beside = [
            tag for tag in losses if tag is not head and tag.goes_with(head) and is_below(tag, head)
        ]
        family = [
            tag
            for tag in beside
            if set(head.words) < set(tag.words) and tag.namespace == head.namespace
        ]
        if head.is_part and len(family) > 1:
            yield head, family
        elif 1 < len(beside) <= _MOST_BESIDE:
            yield head, beside


def _totals(tags: Sequence[Tag], series: Mapping[str, Series]) -> list[Tag]:
    """Returns what is called a total, each series once: the plainest of its names first."""
    totals = sorted(
        (tag for tag in tags if tag.is_total),
        key=lambda tag: ("total" not in tag.words, len(tag.words)),
    )
    kept: dict[bytes, Tag] = {}
    for tag in totals:
        steps, values = series[tag.name]
        kept.setdefault(steps.tobytes() + values.tobytes() + tag.split.encode(), tag)
    return list(kept.values())


def _names(compositions: Sequence[Composition]) -> set[str | None]:
    """Returns the tags of all totals and parts."""
    parts = {part.tag for each in compositions for part in each.parts}
    return parts | {each.total for each in compositions}


def _is_inside(
    composition: Composition, earlier: Sequence[Composition], others: Sequence[Composition]
) -> bool:
    """Whether another composition holds this one's parts beside others, or is the same earlier."""
    own = _parts(composition)
    return any(own == _parts(other) for other in earlier) or any(
        own < _parts(other) or composition.total in _parts(other)
        for other in others
        if other is not composition
    )


def _parts(composition: Composition) -> set[str]:
    return {part.tag for part in composition.parts}


def _distinct(pool: Sequence[Tag], values: Mapping[str, sums.Column]) -> list[Tag]:
    """Returns a pool without multiples of others, and without the sums of others."""
    again = {j for _, j in sums.multiples([values[tag.name] for tag in pool])}
    kept = [tag for i, tag in enumerate(pool) if i not in again]
    if len(kept) < 3 or sums.are_independent([values[tag.name] for tag in kept]):
        return kept
    for tag in list(kept):
        rest = [other for other in kept if other is not tag]
        if len(rest) > 1 and _exact(values[tag.name], rest, values):
            kept = rest
    return kept


def _allies(pool: Sequence[Tag], total: Tag) -> list[Tag]:
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
    again = [tag for tag in pool if sums.multiples([total, values[tag.name]])]
    others = [tag for tag in pool if tag not in again]
    is_only = len(again) == 1 and again[0].is_part and not again[0].is_total
    if others and is_only and not any(values[tag.name].any() for tag in others):
        return list(pool)
    return others
