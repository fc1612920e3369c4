"""What the losses of a run of scalars are made of: pure functions over its tags and values."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace

from tb_regplugin.scalars import sums, vocabulary
from tb_regplugin.scalars.by_numbers import by_numbers, distinct
from tb_regplugin.scalars.candidates import Candidates, allies, candidates_of
from tb_regplugin.scalars.composition import (
    ADDS_UP,
    LEAVES_REST,
    ROUGHLY,
    Composition,
    Part,
    Series,
    judged,
)
from tb_regplugin.scalars.pools import is_within
from tb_regplugin.scalars.tags import Tag, parse, parse_all
from tb_regplugin.scalars.trainers import trainer_of
from tb_regplugin.scalars.without_total import without_total

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
            candidates = candidates_of(total, tags, series)
            composition = by_numbers(candidates)
            if composition is None:
                unexplained.append(candidates)
            else:
                found.append(composition)
    heads: list[Composition] = []
    weights = [tag for tag in tags if tag.is_weight]
    for head, family in _heads(tags):
        if head.name not in taken | _names(found + heads):
            composition = by_numbers(candidates_of(head, [head, *family, *weights], series))
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


def _by_names(candidates: Candidates, details: Container[str]) -> Composition | None:
    """Says what holds of the parts that names alone propose, without details of other parts."""
    total, pools, _, values, is_one_part, series = candidates
    if is_one_part or sums.is_chance(candidates.column, 1):
        return None
    offers = []
    for each in pools[:2]:
        pool = [
            tag
            for tag in _family(total, distinct(allies(each, total), values))
            if tag.name not in details
            and (tag.is_part or values[tag.name].any())
            and tag.words[-1] not in vocabulary.PLACES_OF_WEIGHTS
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
    # One data loss that exceeds the total is no part of it; nor are those of another size.
    columns = [values[tag.name] for tag in pool]
    is_single = len(parts) == 1 and parts[0].role == "data"
    is_likely = not is_single and not any(tag.is_one_of_several for tag in pool)
    if not is_likely or not sums.are_of_size(candidates.column, columns):
        return None
    return replace(plain, note=_note_of_rest(candidates.column, pool, columns))


def _note_of_rest(total: sums.Column, pool: Sequence[Tag], columns: Sequence[sums.Column]) -> str:
    """Says with which weights parts would leave a steady rest; empty where they leave none."""
    weights = sums.weights_with_a_steady_rest(total, columns)
    if weights is None:
        return ""
    left = sums.rest(
        total, [weight * column for weight, column in zip(weights, columns, strict=True)]
    )
    parts = " + ".join(
        f"{weight:g} × {tag.name}" for weight, tag in zip(weights, pool, strict=True)
    )
    return (
        f"With {parts} it would leave a steady rest of {left.min():.3g} to {left.max():.3g}, such "
        "as a penalty that nobody logged."
    )


def _family(total: Tag, pool: Sequence[Tag]) -> Sequence[Tag]:
    """Returns those that are called after a total, if some are, as tot_kl is of tot_loss."""
    own = set(total.words) - {"loss", "total"}
    family = [tag for tag in pool if own <= set(tag.words)]
    return family if len(family) > 1 else pool


def _heads(tags: Sequence[Tag]) -> Iterator[tuple[Tag, list[Tag]]]:
    """Yields losses that may be totals though nothing calls them so, and what may be their parts.

    These are the losses whose names begin with theirs, as of loss_G that of loss_G_GAN; or, if
    there are none, the others beside them, where these are few.
    """
    heads = [
        tag
        for tag in tags
        if not (tag.is_total or tag.is_metric)
        and (tag.may_be_part or not {"total", "tot"}.isdisjoint(tag.words))
    ]
    for head in heads:
        below = [
            tag
            for tag in tags
            if tag is not head and tag.goes_with(head) and is_within(tag, head) and not tag.is_total
        ]
        beside = [tag for tag in below if tag.may_be_part]
        nameless = [tag for tag in below if not tag.is_metric]
        family = [
            tag
            for tag in beside
            if set(head.words) < set(tag.words) and tag.namespace == head.namespace
        ]
        if head.is_part and len(family) > 1:
            yield head, family
        elif 1 < len(nameless) <= _MOST_BESIDE:
            yield head, nameless
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
