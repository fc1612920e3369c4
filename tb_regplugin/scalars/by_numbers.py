"""Parts that add up to a total, as they are or with weights: told by numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tb_regplugin.scalars import least_squares, sums
from tb_regplugin.scalars.candidates import Candidates, allies
from tb_regplugin.scalars.composition import (
    WITH_THESE_WEIGHTS,
    Composition,
    Part,
    Weight,
    judged,
    logged_tags,
    weighted,
)
from tb_regplugin.scalars.tags import Tag

_MOST_IN_SUM = 15


def by_numbers(candidates: Candidates) -> Composition | None:
    """Finds parts that add up to a total, as they are or with weights."""
    total, pools, factors, values, _, series = candidates
    column = candidates.column
    if not len(column):
        return None
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
    wide = [*(allies(pool, total) for pool in pools), nameless]
    for pool in (pool for i, pool in enumerate(wide) if pool not in wide[:i]):
        if parts := _with_fitting_weights(column, distinct(pool, values), factors, values):
            off = sums.error(column, weighted(parts, values))
            note = _note_of_twins(parts, pool, values)
            return Composition(total.name, parts, WITH_THESE_WEIGHTS, off, note=note)
    return None


def _note_of_twins(
    parts: Sequence[Part], pool: Sequence[Tag], values: Mapping[str, sums.Column]
) -> str:
    """Says which losses are others of the parts times a constant; empty where none are."""
    names = {part.tag for part in parts}
    twins = {
        tag.name: part.tag
        for tag, part in itertools.product(pool, parts)
        if tag.name not in names
        and tag.is_part
        and least_squares.multiples([values[part.tag], values[tag.name]])
    }
    return " ".join(
        f"{name} is {other} times a constant, so the weight may be that of both."
        for name, other in twins.items()
    )


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
    players = {tag.player for tag in chosen} | {""}
    places = {tag.place for tag in chosen}
    zero = {
        tag.name
        for tag in pool
        if tag not in some and tag.is_part and tag.player in players and tag.place in places
    }
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


def distinct(pool: Sequence[Tag], values: Mapping[str, sums.Column]) -> list[Tag]:
    """Returns a pool without multiples of others, and without the sums of others."""
    again = {j for _, j in least_squares.multiples([values[tag.name] for tag in pool])}
    kept = [tag for i, tag in enumerate(pool) if i not in again]
    if len(kept) < 3 or least_squares.are_independent([values[tag.name] for tag in kept]):
        return kept
    for tag in list(kept):
        rest = [other for other in kept if other is not tag]
        if len(rest) > 1 and _exact(values[tag.name], rest, values):
            kept = rest
    return kept
