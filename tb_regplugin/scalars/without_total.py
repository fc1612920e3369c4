"""Losses of which the parts were logged and no total."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from tb_regplugin.scalars import least_squares
from tb_regplugin.scalars.composition import Composition, Part, Series, aligned
from tb_regplugin.scalars.pools import SAME_STEPS, is_below, overlap
from tb_regplugin.scalars.tags import Tag, groups_alone, parse


def without_total(
    tags: Sequence[Tag], series: Mapping[str, Series], told: Sequence[Tag]
) -> Iterator[Composition]:
    """Yields the parts of losses of which no total was logged: of one split, place and player."""
    sparse = {tag for tag in tags if _has_only_sparser_parts(tag, tags, series)}
    told = [
        *told,
        *(tag for tag in tags if (tag.is_total or tag.is_bare) and tag not in sparse),
    ]
    above: set[tuple[str, str]] = set()
    for group in sorted(groups_alone(tags, sparse), key=lambda group: len(group[0].namespace)):
        split, namespace = group[0].place
        player = group[0].player
        has_total = any(
            total.split in (split, split or "train")
            and is_below(group[0], total)
            # A generator's loss may hold what is nobody's.
            and (not total.is_bare or total.player == (player or "generator"))
            for total in told
        )
        is_detail = any(
            split == other and namespace != place and namespace.startswith(place)
            for other, place in above
        )
        is_sum = any("elbo" in tag.words for tag in group)
        if has_total or is_detail or is_sum:
            continue
        used = _of_one_aggregation(group)
        names = [tag.name for tag in used]
        repeated = _repeated(names, [tag.name for tag in tags if tag.split == split], series)
        parts = [tag for tag in used if tag.name not in repeated]
        first = parts[0].name if parts else ""
        together = all(
            max(overlap(first, tag.name, series), overlap(tag.name, first, series)) >= SAME_STEPS
            for tag in parts
        )
        if len(parts) > 1 and together:
            yield Composition(None, tuple(Part(tag.name, role=tag.role) for tag in parts))
            above.add((split, namespace))


def _of_one_aggregation(group: Sequence[Tag]) -> list[Tag]:
    """Returns a group without what it has twice, by step and by epoch."""
    kept: dict[tuple[str, ...], Tag] = {}
    for tag in group:
        kept.setdefault(tag.words, tag)
    return list(kept.values())


def _repeated(
    names: Sequence[str], others: Sequence[str], series: Mapping[str, Series]
) -> set[str]:
    """Returns which of these are called penalties, and are another one before it was weighted."""
    raw = [name for name in names if not {"penalty", "raw"}.isdisjoint(parse(name).words)]
    found = set()
    for name, other in itertools.product(raw, others):
        if name != other and parse(other).is_part and overlap(name, other, series) > SAME_STEPS:
            values = aligned(name, [other], series)
            if least_squares.multiples([values[name], values[other]]):
                found.add(name)
    return found


def _has_only_sparser_parts(total: Tag, tags: Sequence[Tag], series: Mapping[str, Series]) -> bool:
    """Whether all else of a total's place was logged at some of its steps only: lazily."""
    siblings = [
        tag
        for tag in tags
        if tag.is_part and not tag.is_total
        and tag.goes_with(total) and tag.namespace == total.namespace
    ]  # fmt: skip
    return bool(siblings) and all(
        overlap(total.name, tag.name, series) < SAME_STEPS
        and overlap(tag.name, total.name, series) >= SAME_STEPS
        for tag in siblings
    )
