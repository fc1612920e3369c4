"""Whether penalties and data loss are in balance. Sizes only: influence is in the gradients."""

from __future__ import annotations

import math

import numpy as np

from tb_regplugin.findings.curves import WINDOWS, Curves, Rows
from tb_regplugin.findings.finding import Finding, found, number, percent
from tb_regplugin.findings.thresholds import Thresholds

# How near to ln k a data loss must be to be called that, and up to which k neighbouring
# logarithms are far enough apart for it to mean something.
_LOGARITHM_TOLERANCE = 0.005
_MOST_CLASSES = 50


def collapse(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds weights that were driven to zero before the data loss could improve."""
    if not is_stuck(curves, thresholds):
        return []
    start, end = curves.start(curves.penalty), curves.end(curves.penalty)
    if curves.share[0] <= thresholds.dominating_share or not (
        end <= thresholds.collapsed_penalty * start
    ):
        return []
    level = curves.end(curves.data)
    row = _settled(curves.data[curves.finite], level, thresholds.settled_band)
    first, last = curves.step(row), int(curves.steps[-1])
    standing = np.flatnonzero(curves.penalty[curves.finite] > thresholds.collapsed_penalty * start)
    gone = curves.step(min(int(standing[-1]) + 1, len(curves.finite) - 1))
    sentence = (
        f"The data loss stays at {number(level)}{_guessing(level)} from step {first:,} on, no "
        f"better than its {number(curves.start(curves.data))} at the start, while the penalties, "
        f"{percent(float(curves.share[0]))} of the loss at first, fell from {number(start)} to "
        f"{number(end)}, below {percent(thresholds.collapsed_penalty)} of that from step {gone:,} "
        f"on: they drove {_penalised(curves)} to zero."
    )
    names = curves.names(curves.places("data", "penalty"))
    return [found("collapse", sentence, names, first, last)]


def penalty_dominates(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds penalties that are most of the loss for long, over a data loss that doesn't improve."""
    if not is_stuck(curves, thresholds) or collapse(curves, thresholds):
        return []
    dominated = np.flatnonzero(curves.share > thresholds.dominating_share)
    if len(dominated) < thresholds.dominating_rows * len(curves.finite):
        return []
    first, last = curves.step(int(dominated[0])), curves.step(int(dominated[-1]))
    sentence = (
        f"The penalties are {percent(float(np.median(curves.share[dominated])))} of the loss over "
        f"{len(dominated):,} of {len(curves.finite):,} steps, and the data loss went from "
        f"{number(curves.start(curves.data))} to {number(curves.end(curves.data))}."
    )
    return [found("penalty_dominates", sentence, curves.names(penalties(curves)), first, last)]


def penalty_negligible(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds penalties that are meant to act and never show in the loss's value."""
    if not enough(curves, thresholds):
        return []
    largest = float(curves.share.max())
    if not 0 < largest < thresholds.negligible_share:
        return []
    sentence = f"The penalties together never exceed {percent(largest)} of the loss."
    return [found("penalty_negligible", sentence, curves.names(penalties(curves)))]


def one_term_carries(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds a term that is most of all penalties, and not because its variable is the largest."""
    places = penalties(curves)
    if len(places) < 3 or not enough(curves, thresholds):
        return []
    if float(np.median(curves.share)) < thresholds.negligible_share:
        return []
    means = np.array([np.abs(curves.values[place, curves.finite]).mean() for place in places])
    if not np.isfinite(means).all():
        # Terms that came or went: their sizes can't be compared.
        return []
    largest = int(means.argmax())
    share = float(means[largest] / means.sum())
    if share < thresholds.one_term_share:
        return []
    sizes = [curves.terms[place].size for place in places]
    if None not in sizes:
        of_parameters = (sizes[largest] or 0) / max(1, sum(size or 0 for size in sizes))
        if of_parameters >= thresholds.one_term_share:
            return []
    name = curves.terms[places[largest]].name
    sentence = f"{name} is {percent(share)} of all {len(places)} penalties, averaged over all steps"
    if None not in sizes:
        sentence += f", with {percent(of_parameters)} of the penalised parameters"
    return [found("one_term_carries", sentence + ".", [name])]


def penalties(curves: Curves) -> list[int]:
    """Returns the columns that are penalties in the loss."""
    return curves.places("penalty")


def enough(curves: Curves, thresholds: Thresholds) -> bool:
    """Whether there is enough to judge how the curves develop, and penalties to speak of."""
    rows = max(thresholds.min_rows, WINDOWS)
    return len(curves.finite) >= rows and bool(penalties(curves))


def is_stuck(curves: Curves, thresholds: Thresholds) -> bool:
    """Whether the data loss ends hardly lower than it began."""
    if not enough(curves, thresholds):
        return False
    start, end = curves.start(curves.data), curves.end(curves.data)
    return start - end < thresholds.stuck_improvement * abs(start)


def _settled(values: Rows, level: float, band: float) -> int:
    """Returns the first row from which a curve's running mean stays near a level."""
    width = max(5, len(values) // 100)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means = (sums[width:] - sums[:-width]) / width
    away = np.flatnonzero(np.abs(means - level) > band * abs(level))
    return int(away[-1]) + 1 if len(away) else 0


def _penalised(curves: Curves) -> str:
    kinds = {curves.terms[place].kind for place in penalties(curves)}
    return "what they penalise" if kinds & {"activity", "add_loss"} else "the weights"


def _guessing(level: float) -> str:
    """Says which number of classes a model guesses among that pays so much."""
    if level <= 0 or level > math.log(_MOST_CLASSES):
        return ""
    classes = round(math.exp(level))
    if classes < 2 or abs(math.log(classes) - level) > _LOGARITHM_TOLERANCE * level:
        return ""
    return f" (ln {classes} = {number(math.log(classes))}: guessing among {classes} classes)"
