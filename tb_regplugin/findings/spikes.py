"""What is looked for at single steps: values that stick out between their neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tb_regplugin.finding import Finding, Severity
from tb_regplugin.findings.catalogue import Thresholds, found
from tb_regplugin.findings.curves import Curves
from tb_regplugin.findings.forms import listed, number

# Of so many rows is the level that a value is compared with.
_SURROUNDINGS = 100
# The first losses are of weights that have hardly moved: they may be anything.
_START = 20
# What sticks out more often is noise, or comes round with every epoch.
_MOST_SPIKES = 5


class _Spike(NamedTuple):
    """A column's value at a row and its neighbours, and by how much it leaves their range."""

    place: int
    before: float
    value: float
    after: float
    height: float


def spiked(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds the few steps at which a part of the loss sticks out; or the total, if no part does."""
    explained = {row for row, *_ in curves.changes()}
    spikes: dict[int, list[_Spike]] = {}
    for place in curves.places("data", "penalty", "unexplained") + curves.places("total"):
        for row, spike in _spikes(curves, place, limits):
            # A total sticks out where a part of it does, and a layout may last for one step.
            is_told = curves.terms[place].role == "total" and row in spikes
            if not is_told and explained.isdisjoint((row, row + 1)):
                spikes.setdefault(row, []).append(spike)
    heights = {row: sum(spike.height for spike in spikes[row]) for row in spikes}
    for row in sorted(sorted(spikes, key=lambda row: -heights[row])[:_MOST_SPIKES]):
        share = heights[row] / max(heights[row], abs(curves.total[row]))
        # False where the total is not finite.
        if not share > limits.negligible_share:
            continue
        places, *values, _ = zip(*spikes[row], strict=True)
        before, value, after = (number(sum(parts)) for parts in values)
        step, names = int(curves.steps[row]), curves.names(places)
        sentence = (
            f"{listed(names)} {'is' if len(names) == 1 else 'are together'} {value} at step "
            f"{step:,} only ({before} just before, {after} just after)."
        )
        severity: Severity = "warning" if share > limits.dominating_share else "info"
        yield found("spike", sentence, names, step, severity=severity)


def _spikes(curves: Curves, place: int, limits: Thresholds) -> Iterator[tuple[int, _Spike]]:
    """Yields the few rows whose values stick out much further than those of all others."""
    values = curves.values[place]
    rows = None
    # As in ``not_finite``: a sum is the quickest look at all values.
    if not np.isfinite(values.sum(dtype=np.float64)):
        rows = np.flatnonzero(np.isfinite(values))
        values = values[rows]
    if len(values) < max(limits.min_rows, 2 * _SURROUNDINGS):
        return
    # On a slope this is zero, at a step too: noise and spikes alone leave their neighbours' range.
    low, high = np.minimum(values[:-2], values[2:]), np.maximum(values[:-2], values[2:])
    heights = np.maximum(values[1:-1] - high, low - values[1:-1])
    bounds = np.linspace(0, len(values), len(values) // _SURROUNDINGS + 1).astype(np.intp)
    starts, lengths = bounds[:-1], np.diff(bounds)
    levels = np.add.reduceat(np.abs(values), starts, dtype=np.float64) / lengths
    # What is zero but for some steps has no usual level.
    levels[np.add.reduceat(values != 0, starts, dtype=int) < lengths / 2] = np.inf
    if not heights.max() > limits.spike_of_level * levels.min():
        return
    sizes = heights / np.repeat(levels, lengths)[1:-1]
    sizes[:_START] = 0
    largest = np.argpartition(sizes, -1 - _MOST_SPIKES)[-1 - _MOST_SPIKES :]
    largest = largest[np.argsort(-sizes[largest])]
    gaps = sizes[largest[:-1]] > limits.spike * np.maximum(sizes[largest[1:]], 0)
    few = np.flatnonzero(gaps & (sizes[largest[:-1]] > limits.spike_of_level))
    at = np.sort(largest[: few[-1] + 1]) if len(few) else largest[:0]
    # The same batch of every epoch, in a recording of few epochs.
    if len(at) > 2 and np.ptp(np.diff(at)) <= 1:
        return
    for i in at.tolist():
        # At a step of the curve, what is beside a spike leaves its neighbours' range, too.
        if any(abs(i - j) == 1 and sizes[j] > sizes[i] for j in at.tolist()):
            continue
        row = i + 1 if rows is None else int(rows[i + 1])
        before, value, after = values[i : i + 3].tolist()
        yield row, _Spike(place, before, value, after, float(heights[i]))
