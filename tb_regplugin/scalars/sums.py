"""Which of some columns add up to another one: numbers only, no names.

Columns are float64 arrays over the same steps, all of them finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tb_regplugin.scalars import least_squares
from tb_regplugin.scalars.least_squares import Column as Column

# float32 sums of a dozen numbers are exact to 1e-6; means over an epoch, to a few times that.
EXACT = 1e-4
# Free weights take up most of what is missing where losses fall smoothly: where they are right,
# only rounding is left.
_FITTED = 1e-6
# A logger's medians of 20 steps miss their sum by 3 %.
_ROUGH, _ROUGH_AT_MOST = 0.05, 0.5
# What comes this close may miss it to one side.
_NEAR = 0.01
# It misses them to either side, now and then: two smooth curves that cross do so once.
_TURNS, _LEAST_ROUGH_STEPS = 0.1, 10
# Weights make parts this much smaller or larger than their share.
_OF_SIZE = 30.0
# What moves a total by less than half of its own moves, with so many standard deviations to spare,
# has a smaller weight than 1.
_LEAST_WEIGHT, _DEVIATIONS = 0.5, 5.0
# Of the squares of a total's moves, which share may be left to what is steady.
_STEADY = 1e-5
# How exactly weights are told, at least; and what float32 rounds to.
_WEIGHTS_TOLD, _FLOAT32 = 1e-4, 6e-8
MOST_SUMS = 2**15
# Of so many rows are sums compared first: the few that agree there are compared in all of them.
_FIRST_ROWS = 4
_MOST_COMPARED = 64
# How likely two unrelated numbers are taken for equal at a step (more than they are), and how
# likely that may be at all steps, over all sums that were tried.
_CHANCE, _CHANCE_AT_ALL = 1e-3, 1e-6
# Values that are whole steps apart, but for this part of one, are of few that there are.
_ON_GRID = 1e-3
# What differs less is rounding: of such sums the finest counts.
_ROUNDING = 1e-6


class Sum(NamedTuple):
    """A choice of one option for each of several places.

    Attributes:
      choice: Which option; 0 for none of them.
      error: See ``error``.
    """

    choice: tuple[int, ...]
    error: float


def error(total: Column, columns: Sequence[Column]) -> float:
    """Returns by how much columns miss a total: the largest relative error over the steps.

    At a step that is ``|total - sum| / max(|total|, sum of |column|)``: where parts of both signs
    cancel, their sizes are what their rounding is relative to.
    """
    return float(errors(total, columns).max(initial=0.0))


def errors(total: Column, columns: Sequence[Column]) -> Column:
    """Returns the relative error at each step."""
    scale = np.maximum(np.abs(total), sum(map(np.abs, columns), np.zeros(len(total))))
    missed = np.abs(rest(total, columns))
    return np.divide(missed, scale, out=np.zeros_like(missed), where=scale > 0)


def rest(total: Column, columns: Sequence[Column]) -> Column:
    """Returns what columns leave of a total at each step."""
    return np.asarray(total - sum(columns, np.zeros(len(total))))


def is_chance(total: Column, tried: int) -> bool:
    """Whether one of so many sums may well be equal to a total that says so little.

    Steps count at which the total has another value than before: a constant is met by chance. So
    are whole numbers and the like, of which there are few.
    """
    told = np.unique(np.round(total / (10 * EXACT * (np.abs(total).max(initial=0) or 1)))).size
    likely, values = _CHANCE, np.unique(total)
    if len(values) > 2:
        levels = (values - values[0]) / np.diff(values).min()
        if np.abs(levels - np.round(levels)).max() < _ON_GRID:
            likely = max(likely, float(1 / (1 + levels[-1])))
    return bool(tried * likely**told > _CHANCE_AT_ALL)


def choose(total: Column, options: Sequence[Sequence[Column]]) -> Sum | None:
    """Finds the sum, of at most one option for each place, that is equal to a total.

    Of equal sums the one of most columns is taken. None where there is no such sum of two columns
    or more, where chance would explain it, or where there are too many to try.
    """
    counts = [len(each) + 1 for each in options]
    tried = math.prod(counts)
    if len(options) < 2 or tried > MOST_SUMS or not len(total) or is_chance(total, tried):
        return None
    rows = np.unique(np.linspace(0, len(total) - 1, _FIRST_ROWS).astype(np.intp))
    sums, sizes = np.zeros((1, len(rows))), np.abs(total[rows])
    for each in options:
        columns = np.array([np.zeros(len(rows)), *(column[rows] for column in each)])
        sums = (sums[:, np.newaxis] + columns).reshape(-1, len(rows))
        sizes = sizes + np.abs(columns).max(axis=0)
    near = np.flatnonzero((np.abs(sums - total[rows]) <= EXACT * sizes).all(axis=1))
    missed = np.abs(sums[near] - total[rows]).max(axis=1)
    found = []
    for number in near[np.argsort(missed, kind="stable")[:_MOST_COMPARED]]:
        choice = tuple(int(i) for i in np.unravel_index(number, counts))
        columns_of = [each[i - 1] for each, i in zip(options, choice, strict=True) if i]
        if len(columns_of) > 1 and (off := error(total, columns_of)) <= EXACT:
            found.append(Sum(choice, off))
    if not found:
        return None
    bound = max(5 * min(each.error for each in found), _ROUNDING)
    equal = [each for each in found if each.error <= bound]
    return max(equal, key=lambda each: (np.count_nonzero(each.choice), -sum(each.choice)))


def choose_of_many(total: Column, columns: Sequence[Column]) -> Sum | None:
    """Finds such a sum among more columns than can be tried: where they are independent.

    The weights that fit best are then the only ones that fit, and must be 0 and 1.
    """
    if len(total) < 2 * len(columns):
        return None
    weights = least_squares.fit(total, columns)
    if weights is None or is_chance(total, 1):
        return None
    chosen = np.round(weights)
    if not np.isin(chosen, (0, 1)).all() or np.abs(weights - chosen).max() > 0.05:
        return None
    off = error(total, [column for column, one in zip(columns, chosen, strict=True) if one])
    return Sum(tuple(chosen.astype(int).tolist()), off) if off <= EXACT else None


def is_rough(total: Column, columns: Sequence[Column]) -> bool:
    """Whether columns add up to a total but for what smoothing does.

    It errs to both sides; only what comes close may err to one.
    """
    off, left = errors(total, columns), rest(total, columns)
    turns = np.count_nonzero(np.diff(np.sign(left)))
    enough = len(columns) > 1 and len(total) >= max(2 * len(columns), _LEAST_ROUGH_STEPS)
    errs_to_both = turns >= _TURNS * len(total) and off.max(initial=0) <= _ROUGH_AT_MOST
    # By less than any of the columns counts, lest it is there by chance, or with another weight.
    least = min((np.abs(column).max(initial=0) for column in columns), default=0.0)
    is_near = off.max(initial=0) <= _NEAR and 10 * np.abs(left).max(initial=0) < least
    return bool(enough and (errs_to_both or is_near) and np.median(off) <= _ROUGH)


def leaves_rest(total: Column, columns: Sequence[Column]) -> bool:
    """Whether columns never exceed a total, and so can be parts of it beside others.

    Negative ones would leave a rest of anything.
    """
    if any((column < 0).any() for column in columns):
        return False
    scale = np.maximum(np.abs(total), sum(map(np.abs, columns), np.zeros(len(total))))
    exceeds = (rest(total, columns) < -EXACT * scale).any()
    return bool(len(total) and not exceeds and _counts_as_logged(total, columns))


def weights_with_a_steady_rest(total: Column, columns: Sequence[Column]) -> list[float] | None:
    """Returns positive weights with which columns make a total move as it does; None if none do.

    What is left of it is never negative, and hardly moves from step to step: as a penalty that
    nobody logged.
    """
    if len(columns) < 2 or len(total) < 2 * len(columns) + _LEAST_ROUGH_STEPS:
        return None
    weights, deviations, unexplained = least_squares.weights_of_moves(total, columns)
    if unexplained > _STEADY:
        return None
    # Somebody chose them: what fits with many digits only is drawn by where the rest goes.
    for digits in (1, 2):
        rounded = [float(f"{weight:.{digits}g}") for weight in weights]
        left = rest(total, _weighted(rounded, columns))
        off = np.abs(np.array(rounded) - weights)
        if min(rounded) > 0 and left.min() >= 0 and (off <= _DEVIATIONS * deviations).all():
            return rounded
    return None


def _counts_as_logged(total: Column, columns: Sequence[Column]) -> bool:
    """Whether a total may well move as much as each of its columns, from step to step.

    What it has a small weight for moves it by less. What else is in the total only hides that: it
    moves with the columns, if at all.
    """
    if not columns or len(total) <= len(columns) + _LEAST_ROUGH_STEPS:
        return True
    weights, deviations, _ = least_squares.weights_of_moves(total, columns)
    return bool((weights + _DEVIATIONS * deviations > _LEAST_WEIGHT).all())


def are_of_size(total: Column, columns: Sequence[Column]) -> bool:
    """Whether columns come to some part of a total, or some times as much, in the median step."""
    sizes = sum(map(np.abs, columns), np.zeros(len(total)))
    ratio = np.median(np.divide(sizes, np.abs(total), out=np.zeros_like(total), where=total != 0))
    return bool(1 / _OF_SIZE <= ratio <= _OF_SIZE)


def fitting_weights(total: Column, columns: Sequence[Column]) -> list[float] | None:
    """Returns the constant weights with which columns add up to a total; None if none do.

    Of the weights that fit, these are the ones of the fewest columns: the others have 0, and the
    few have positive ones, or negative ones if they are never positive. There are more than twice
    as many steps as columns: with fewer, some weights always fit.
    """
    if len(columns) < 2 or len(total) < 2 * len(columns) + 3 or is_chance(total, 1):
        return None
    kept = [i for i, column in enumerate(columns) if column.any()]
    # What is never positive may have either sign: that of the best weights of all.
    signs = least_squares.signs(total, columns)
    columns = [sign * column for sign, column in zip(signs, columns, strict=True)]
    sizes, products = least_squares.scaled_products([*columns, total])
    found: list[float] | None = None
    while len(kept) > 1:
        # Where columns are sums of others there are many such weights: then the least.
        shares = np.linalg.lstsq(products[np.ix_(kept, kept)], products[kept, -1], rcond=None)[0]
        weights = [0.0] * len(columns)
        for i, share in zip(kept, shares.tolist(), strict=True):
            weights[i] = float(share * sizes[-1] / sizes[i])
        if error(total, _weighted(weights, columns)) > _FITTED:
            break
        found = weights
        del kept[int(shares.argmin())]
    if found is None or min(found) < 0:
        return None
    off = max(error(total, _weighted(found, columns)), _FLOAT32)
    chosen = [column for weight, column in zip(found, columns, strict=True) if weight]
    # Other weights would do as well, by as much as this is of what the columns differ by.
    if off > least_squares.independence(chosen) * _WEIGHTS_TOLD:
        return None
    rounded = ([float(f"{weight:.{digits}g}") for weight in found] for digits in range(1, 7))
    # Somebody chose them: the roundest that do as well.
    as_well = (each for each in rounded if error(total, _weighted(each, columns)) <= 2 * off)
    return [sign * weight for sign, weight in zip(signs, next(as_well, found), strict=True)]


def _weighted(weights: Sequence[float], columns: Sequence[Column]) -> list[Column]:
    return [weight * column for weight, column in zip(weights, columns, strict=True) if weight]
