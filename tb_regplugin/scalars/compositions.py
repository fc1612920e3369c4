"""What the losses of a run of scalars are made of: pure functions over its tags and values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tb_regplugin.scalars import sums
from tb_regplugin.scalars.composition import (
    ADDS_UP,
    LEAVES_REST,
    ROUGHLY,
    WITH_LOGGED_WEIGHTS,
    WITH_THESE_WEIGHTS,
    Composition,
    Part,
    Series,
    Weight,
    aligned,
    judged,
    weighted,
)
from tb_regplugin.scalars.pools import contained, is_below
from tb_regplugin.scalars.tags import Tag, parse
from tb_regplugin.scalars.trainers import trainer_of
from tb_regplugin.scalars.without_total import without_total

_MOST_IN_SUM = 15
_BY_NUMBERS = (ADDS_UP, WITH_LOGGED_WEIGHTS, WITH_THESE_WEIGHTS)


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
    tags = [parse(name) for name, (steps, _) in series.items() if len(steps)]
    kept = [judged(series, composition) for composition in stored]
    taken = {part.tag for each in kept for part in each.parts} | {each.total for each in kept}
    found: list[Composition] = []
    for total in _totals(tags, series):
        composition = None if total.name in taken else _of_total(total, tags, series)
        if composition is not None:
            found.append(composition)
    for head, family in _heads(tags):
        if head.name not in taken.union(*({p.tag for p in each.parts} for each in found)):
            composition = _of_total(head, [head, *family], series)
            # Its name alone doesn't make it a total.
            if composition is not None and composition.status in _BY_NUMBERS:
                found.append(composition)
    told = [parse(str(each.total)) for each in found + kept if each.total]
    inside = taken.union(*({part.tag for part in each.parts} for each in found))
    free = [tag for tag in tags if tag.name not in inside]
    outermost = [each for each in found if not _is_inside(each, found)]
    return [*kept, *outermost, *without_total(free, series, told)]


def _of_total(total: Tag, tags: Sequence[Tag], series: Mapping[str, Series]) -> Composition | None:
    """Finds the parts of a total. Names propose them, from the most to the least likely."""
    fitting = [tag for tag in tags if tag.name != total.name and tag.goes_with(total)]
    others = [tag for tag in fitting if tag.may_be_part]
    near = [
        tag for tag in others if tag.is_part and is_below(tag, total) and tag.split == total.split
    ]
    # Whatever they are called.
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
    column = values[total.name]
    *pools, nameless = [_without_second_totals(column, pool, values) for pool in pools]
    if pools[1] == pools[0]:
        del pools[1]
    for pool in pools:
        if parts := _exact(column, pool, values):
            return judged(series, Composition(total.name, parts))
    for pool in pools:
        if parts := _with_logged_weights(column, pool, factors, values):
            return judged(series, Composition(total.name, parts))
    if nameless not in pools and (parts := _exact(column, nameless, values)):
        return judged(series, Composition(total.name, parts))
    # Weights are told by numbers, whoever a name may speak of.
    pools = [*(_allies(pool, total) for pool in pools), pools[-1]]
    return _inexact(total, [_distinct(pool, values) for pool in pools], values, series)


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
    products = [
        (first.name, *(other.name for other in second))
        for first, *second in [
            *([factor] for factor in factors),
            *itertools.combinations(factors, 2),
        ]
    ]
    if not products or len(some) < 2:
        return ()
    for by_name in (True, False):
        options: list[list[Weight]] = [
            [
                1.0,
                *(
                    product
                    for product in products
                    if not by_name or (len(product) == 1 and _is_weight_of(product[0], tag))
                ),
            ]
            for tag in some
        ]
        if math.prod(1.0 + len(weights) for weights in options) > sums.MOST_SUMS:
            continue
        columns = [
            [weighted([Part(tag.name, weight)], values)[0] for weight in weights]
            for tag, weights in zip(some, options, strict=True)
        ]
        if found := sums.choose(total, columns):
            return tuple(
                Part(tag.name, weights[place - 1], tag.role)
                for tag, weights, place in zip(some, options, found.choice, strict=True)
                if place
            )
    return ()


def _inexact(
    total: Tag,
    pools: Sequence[Sequence[Tag]],
    values: Mapping[str, sums.Column],
    series: Mapping[str, Series],
) -> Composition | None:
    """Says what else holds of the parts that names propose; weights may also fit a wider pool."""
    pool = pools[0]
    parts = tuple(Part(tag.name, role=tag.role) for tag in pool)
    columns = [values[tag.name] for tag in pool]
    if sums.is_chance(values[total.name], 1):
        return None
    plain = judged(series, Composition(total.name, parts))
    if plain.status in (ADDS_UP, ROUGHLY):
        return plain
    for each in pools:
        fitting = sums.fitting_weights(values[total.name], [values[tag.name] for tag in each])
        if fitting is not None:
            offered = tuple(
                Part(tag.name, weight, tag.role) for tag, weight in zip(each, fitting, strict=True)
            )
            off = sums.error(values[total.name], weighted(offered, values))
            return Composition(total.name, offered, WITH_THESE_WEIGHTS, off)
    if not any(column.any() for column in columns):
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
    # One part that exceeds the total is no part of it.
    return plain if plain.status == LEAVES_REST or len(parts) > 1 else None


def _heads(tags: Sequence[Tag]) -> list[tuple[Tag, list[Tag]]]:
    """Returns losses whose names begin those of others, such as loss_G of loss_G_GAN: and these."""
    found = []
    for head in tags:
        if head.is_part and not head.is_total:
            place = head.split, head.aggregation, head.namespace
            family = [
                tag
                for tag in tags
                if set(head.words) < set(tag.words)
                and place == (tag.split, tag.aggregation, tag.namespace)
            ]
            if len(family) > 1:
                found.append((head, family))
    return found


def _totals(tags: Sequence[Tag], series: Mapping[str, Series]) -> list[Tag]:
    """Returns what is called a total, each series once: the plainest of its names first."""
    totals = sorted((tag for tag in tags if tag.is_total), key=lambda tag: "total" not in tag.words)
    kept: dict[bytes, Tag] = {}
    for tag in totals:
        steps, values = series[tag.name]
        kept.setdefault(steps.tobytes() + values.tobytes() + tag.split.encode(), tag)
    return list(kept.values())


def _is_inside(composition: Composition, others: Sequence[Composition]) -> bool:
    """Whether another composition holds this one's parts beside others."""
    own = {part.tag for part in composition.parts}
    return any(
        own < {part.tag for part in other.parts}
        or composition.total in {part.tag for part in other.parts}
        for other in others
        if other is not composition
    )


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


def _is_weight_of(factor: str, tag: Tag) -> bool:
    return not set(parse(factor).words[:-1]).isdisjoint(tag.words)
