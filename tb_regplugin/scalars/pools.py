"""Which scalars may be parts of the same loss, by their places, players and steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tb_regplugin.scalars.composition import Series
from tb_regplugin.scalars.tags import Tag

# Of a total's steps, how many a part must have: sparser ones are not contained in it.
SAME_STEPS = 0.9
# How many times more often than the total a part may be logged.
_MORE_STEPS = 2.0


def contained(total: Tag, tags: Sequence[Tag], series: Mapping[str, Series]) -> list[Tag]:
    """Returns what was logged at a total's steps, and, but for weights, not much more often."""
    most = _MORE_STEPS * len(series[total.name][0])
    finite = {tag.name: np.isfinite(series[tag.name][1]).sum() for tag in (total, *tags)}
    return [
        tag
        for tag in tags
        if (tag.is_weight or len(series[tag.name][0]) <= most)
        and finite[tag.name] >= SAME_STEPS * finite[total.name]
        and overlap(total.name, tag.name, series) >= SAME_STEPS
    ]


def overlap(name: str, other: str, series: Mapping[str, Series]) -> float:
    """Returns which share of a series' steps another one has, too."""
    own, others = series[name][0], series[other][0]
    if own is others or np.array_equal(own, others):
        return 1.0
    return float(np.isin(own, others).mean())


def is_within(tag: Tag, total: Tag) -> bool:
    """Whether it is below it, or in a namespace that is called as it is: generator/l1."""
    return is_below(tag, total) or tag.namespace == "_".join(total.words)


def is_below(tag: Tag, total: Tag) -> bool:
    """Whether a tag's namespace is a total's, or below it, or begins with it: d/total, d_real/0."""
    return tag.namespace.startswith(total.namespace)
