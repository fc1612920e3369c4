"""What is looked for in how penalties and data loss develop.

These rules need some steps, and penalties; most need a data loss. They speak of sizes only:
influence is in the gradients.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tb_regplugin.finding import Finding
from tb_regplugin.findings.catalogue import Thresholds, found
from tb_regplugin.findings.curves import Curves, PerRow
from tb_regplugin.findings.forms import listed, number, percent
from tb_regplugin.terms import Layout

# How near to ln k a data loss must be to be called that, and up to which k neighbouring
# logarithms are far enough apart for it to mean something.
_LOGARITHM_TOLERANCE = 0.005
_MOST_CLASSES = 50
# Levels are compared between fifths of a recording: long enough for noise to average out.
_PARTS = 5
# Rows on either side of a jump whose levels must differ too, so that a spike isn't one.
_AROUND_JUMP = 5
# More than these few are noise.
_MOST_JUMPS = 5
# Kinds that are functions of weights alone. What depends on data jumps from batch to batch.
_OF_WEIGHTS = frozenset({"l1", "l2", "l1_l2", "orthogonal", "weight_decay"})


def collapse(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds weights that were driven to zero before the data loss could improve."""
    start, end = curves.start(curves.penalty), curves.end(curves.penalty)
    share = float(curves.share[0])
    gone = limits.collapsed_penalty * start
    if not _is_stuck(curves, limits) or share <= limits.dominating_share or not end <= gone > 0:
        return
    level = curves.end(curves.data)
    level_told = f"{number(level)}{_guessing(curves, level)}"
    first = curves.step(_settled(curves.data[curves.finite], level, limits.settled_band))
    last_standing = int(np.flatnonzero(curves.penalty[curves.finite] > gone)[-1])
    since = curves.step(min(last_standing + 1, len(curves.finite) - 1))
    kinds = {curves.terms[place].kind for place in curves.places("penalty")}
    what = "what they penalise" if kinds & {"activity", "add_loss"} else "the weights"
    sentence = (
        f"The penalties, {percent(share)} of the loss at first, drove {what} to zero: they fell "
        f"from {number(start)} to {number(end)}, and stay below "
        f"{percent(limits.collapsed_penalty)} of their start from step {since:,} on. From step "
        f"{first:,} on the data loss stays at {level_told}; it started at "
        f"{number(curves.start(curves.data))}."
    )
    names = curves.names(curves.places("data", "penalty"))
    yield found("collapse", sentence, names, first, int(curves.steps[-1]))


def penalty_dominates(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds penalties that are most of the loss for long, over a data loss that doesn't improve."""
    dominated = np.flatnonzero(curves.share > limits.dominating_share)
    few = len(dominated) < limits.dominating_rows * len(curves.finite)
    if few or not _is_stuck(curves, limits):
        return
    level = curves.end(curves.data)
    sentence = (
        f"The penalties are most of the loss at {len(dominated):,} of {len(curves.finite):,} steps "
        f"(median {percent(float(np.median(curves.share[dominated])))}), and the data loss went "
        f"from {number(curves.start(curves.data))} to {number(level)}{_guessing(curves, level)}."
    )
    first, last = curves.step(int(dominated[0])), curves.step(int(dominated[-1]))
    names = curves.names(curves.places("penalty"))
    yield found("penalty_dominates", sentence, names, first, last)


def _is_stuck(curves: Curves, limits: Thresholds) -> bool:
    """Whether the data loss ends hardly lower than it began."""
    start, end = curves.start(curves.data), curves.end(curves.data)
    return start - end < limits.stuck_improvement * abs(start)


def _settled(values: PerRow, level: float, band: float) -> int:
    """Returns the first row from which a curve's running mean stays near a level."""
    width = max(5, len(values) // 100)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means = (sums[width:] - sums[:-width]) / width
    away = np.flatnonzero(np.abs(means - level) > band * abs(level))
    return int(away[-1]) + 1 if len(away) else 0


def _guessing(curves: Curves, level: float) -> str:
    """Says that a model guesses that pays so much: by what was recorded, or else by ln k."""
    chance = Layout(curves.terms).chance_level
    if chance is not None:
        is_near = abs(chance - level) <= _LOGARITHM_TOLERANCE * abs(level)
        return f" (guessing gives {number(chance)})" if is_near else ""
    if level <= 0 or level > math.log(_MOST_CLASSES):
        return ""
    classes = round(math.exp(level))
    if classes < 2 or abs(math.log(classes) - level) > _LOGARITHM_TOLERANCE * level:
        return ""
    return f" (guessing among {classes} classes gives ln {classes} = {number(math.log(classes))})"


def penalty_negligible(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds penalties that are meant to act and never show in the loss's value."""
    largest = float(curves.share.max())
    if 0 < largest < limits.negligible_share:
        sentence = f"The penalties together never exceed {percent(largest)} of the loss."
        yield found("penalty_negligible", sentence, curves.names(curves.places("penalty")))


def one_term_carries(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds a term that is most of all penalties, and not because its variable is the largest."""
    places = curves.places("penalty")
    if len(places) < 3 or float(np.median(curves.share)) < limits.negligible_share:
        return
    means = np.array([np.abs(curves.values[place, curves.finite]).mean() for place in places])
    largest = int(means.argmax())
    # Terms that came or went have gaps: their sizes can't be compared.
    if not np.isfinite(means).all() or means[largest] < limits.one_term_share * means.sum():
        return
    term = curves.terms[places[largest]]
    share = percent(float(means[largest] / means.sum()))
    sentence = f"{term.name} makes up {share} of all {len(places)} penalties (mean over all steps)"
    sizes = [size for place in places if (size := curves.terms[place].size) is not None]
    if term.size is not None and len(sizes) == len(places):
        of_parameters = term.size / max(1, sum(sizes))
        if of_parameters >= limits.one_term_share:
            return
        sentence += f" with {percent(of_parameters)} of the penalised parameters"
    yield found("one_term_carries", sentence + ".", [term.name])


def total_falls_by_penalty(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds a total that looks like progress, and is none on the data."""
    start, end = curves.start(curves.total), curves.end(curves.total)
    data_start, data_end = curves.start(curves.data), curves.end(curves.data)
    fall = start - end
    # A total that starts at zero has no size to compare its fall with.
    if start == 0 or fall < limits.falling_total * abs(start):
        return
    share = (data_start - data_end) / fall
    if share > limits.flat_data:
        return
    part = f"{percent(share)} of that fall" if share > 0 else "no part of that fall"
    sentence = (
        f"The total fell from {number(start)} to {number(end)} ({percent(fall / abs(start))}); the "
        f"data loss, from {number(data_start)} to {number(data_end)}, is {part}."
    )
    names = curves.names(curves.places("penalty"))
    yield found("total_falls_by_penalty", sentence, names, curves.step(0), curves.step(-1))


def penalty_rises_with_data(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds a stretch to the recording's end over which both parts of the loss get worse."""
    data, penalty = curves.data[curves.finite], curves.penalty[curves.finite]
    bounds = np.linspace(0, len(data), _PARTS + 1).astype(int)
    parts = [slice(low, high) for low, high in itertools.pairwise(bounds.tolist())]
    best, last = parts[int(np.argmin([data[part].mean() for part in parts[:-1]]))], parts[-1]
    rises = []
    for curve in (data, penalty):
        low, high = float(curve[best].mean()), float(curve[last].mean())
        error = max(float(curve[part].std() / np.sqrt(len(curve[part]))) for part in (best, last))
        if high - low <= max(limits.rise * abs(low), limits.rise_in_deviations * error):
            return
        rises.append(f"from {number(low)} to {number(high)}")
    first = curves.step(best.start)
    sentence = f"Since step {first:,} the data loss rose {rises[0]} and the penalties {rises[1]}."
    names = curves.names(curves.places("data", "penalty"))
    yield found("penalty_rises_with_data", sentence, names, first, curves.step(-1))


def penalty_jumped(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds penalties on weights that changed by a factor from one step to the next."""
    explained = {row for row, *_ in curves.changes()}
    usual_gap = float(np.median(np.diff(curves.steps)))
    jumps: dict[int, list[int]] = {}
    for place in curves.places("penalty"):
        if curves.terms[place].kind in _OF_WEIGHTS:
            for row in _jumps(curves.values[place], limits.jump):
                jumps.setdefault(row, []).append(place)
    for row, jumped in sorted(jumps.items()):
        # Steps that weren't recorded may hold what a jump looks like.
        if row in explained or curves.steps[row] - curves.steps[row - 1] > usual_gap:
            continue
        before, after = np.abs(curves.values[jumped, row - 1 : row + 1]).sum(axis=0).tolist()
        if max(before, after) < limits.negligible_share * abs(curves.total[row]):
            continue
        step, names = int(curves.steps[row]), curves.names(jumped)
        subject = f"{listed(names)}{' together' * (len(names) > 1)}"
        sentence = f"{subject} jumped from {number(before)} to {number(after)} at step {step:,}."
        yield found("penalty_jumped", sentence, names, step)


def _jumps(values: npt.NDArray[np.float32], factor: float) -> list[int]:
    """Returns the rows at which a curve leaves one level for another."""
    sizes = np.abs(values)
    before, after = sizes[:-1], sizes[1:]
    rows = 1 + np.flatnonzero((after > factor * before) | (before > factor * after))
    # What moves like that all the time doesn't jump.
    if len(rows) > _MOST_JUMPS * _AROUND_JUMP:
        return []
    jumps = []
    for row in rows.tolist():
        around = sizes[row - _AROUND_JUMP : row + _AROUND_JUMP]
        # Shorter also where the slice begins before the first row.
        if len(around) < 2 * _AROUND_JUMP or not np.isfinite(around).all():
            continue
        old, new = around[:_AROUND_JUMP], around[_AROUND_JUMP:]
        if new.min() > factor * old.max() > 0 or old.min() > factor * new.max() > 0:
            jumps.append(row)
    return jumps


TREND_RULES = (one_term_carries, penalty_jumped)
# Of trainings that have a data loss.
BALANCE_RULES = (
    collapse,
    penalty_dominates,
    penalty_negligible,
    total_falls_by_penalty,
    penalty_rises_with_data,
)
