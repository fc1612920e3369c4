"""How penalties and data loss move together."""

from __future__ import annotations

import itertools

import numpy as np

from tb_regplugin.findings.balance import collapse, enough, penalties, penalty_dominates
from tb_regplugin.findings.curves import Curves, Rows
from tb_regplugin.findings.finding import Finding, found, number, percent
from tb_regplugin.findings.thresholds import Thresholds

# Levels are compared between fifths of a recording: long enough for noise to average out.
_PARTS = 5


def total_falls_by_penalty(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds a total that looks like progress, and is none on the data."""
    if not enough(curves, thresholds):
        return []
    start, end = curves.start(curves.total), curves.end(curves.total)
    fall = start - end
    if fall < thresholds.falling_total * abs(start):
        return []
    learned = curves.start(curves.data) - curves.end(curves.data)
    if learned > thresholds.flat_data * fall:
        return []
    # Those say the same, and more.
    if collapse(curves, thresholds) or penalty_dominates(curves, thresholds):
        return []
    sentence = (
        f"The total fell from {number(start)} to {number(end)} ({percent(fall / abs(start))}); the "
        f"data loss went from {number(curves.start(curves.data))} to "
        f"{number(curves.end(curves.data))}, so only the penalties fell."
    )
    first, last = curves.step(0), curves.step(-1)
    names = curves.names(penalties(curves))
    return [found("total_falls_by_penalty", sentence, names, first, last)]


def penalty_rises_with_data(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds a stretch to the recording's end over which both parts of the loss get worse."""
    if not enough(curves, thresholds):
        return []
    data, penalty = curves.data[curves.finite], curves.penalty[curves.finite]
    bounds = np.linspace(0, len(data), _PARTS + 1).astype(int)
    means = [float(data[low:high].mean()) for low, high in itertools.pairwise(bounds)]
    best = int(np.argmin(means[:-1]))
    since, until = slice(bounds[best], bounds[best + 1]), slice(bounds[-2], bounds[-1])
    for rows in (data, penalty):
        if not _rises(rows, since, until, thresholds):
            return []
    first, last = curves.step(int(bounds[best])), curves.step(-1)
    before, after = float(penalty[since].mean()), float(penalty[until].mean())
    sentence = (
        f"Since step {first:,} the data loss rose from {number(means[best])} to "
        f"{number(means[-1])} and the penalties from {number(before)} to {number(after)}."
    )
    names = curves.names(curves.places("data", "penalty"))
    return [found("penalty_rises_with_data", sentence, names, first, last)]


def _rises(rows: Rows, since: slice, until: slice, thresholds: Thresholds) -> bool:
    low, high = float(rows[since].mean()), float(rows[until].mean())
    errors = [float(rows[part].std() / np.sqrt(len(rows[part]))) for part in (since, until)]
    rise = high - low
    return rise > thresholds.rise * abs(low) and rise > thresholds.rise_in_deviations * max(errors)
