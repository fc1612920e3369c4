"""Whether the parts add up to the total, and whether they are numbers at all."""

from __future__ import annotations

import numpy as np

from tb_regplugin.findings.curves import Curves
from tb_regplugin.findings.finding import Finding, found, listed, number, percent
from tb_regplugin.findings.thresholds import Thresholds


def not_finite(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds the step at which the first number was NaN or infinite, and which it was."""
    firsts: dict[int, list[int]] = {}
    for place in curves.places("data", "penalty", "unexplained"):
        row = _first_non_finite(curves, place)
        if row is not None:
            firsts.setdefault(row, []).append(place)
    for place in curves.places("total"):
        row = _first_non_finite(curves, place)
        # A total is not finite where a part isn't; that is no news.
        if row is not None and row < min(firsts, default=len(curves.steps)):
            firsts.setdefault(row, []).append(place)
    if not firsts:
        return []
    first, *later = sorted(firsts)
    step = int(curves.steps[first])
    sentence = (
        f"{_described(curves, firsts[first])} became {_form(curves, firsts[first], first)} at "
        f"step {step:,}"
    )
    if first > 0:
        sentence += f", after {first:,} recorded steps without one"
    if later:
        then = firsts[later[0]]
        sentence += f"; {_described(curves, then)} followed at step {int(curves.steps[later[0]]):,}"
    names = curves.names([place for row in sorted(firsts) for place in firsts[row]])
    return [found("not_finite", sentence[0].upper() + sentence[1:] + ".", names, step)]


def does_not_add_up(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds by how much the recorded parts miss the recorded total, and since when."""
    totals = curves.places("total")
    parts = curves.places("data", "penalty", "unexplained")
    if not totals or not parts or not curves.places("data"):
        return []
    total = curves.sum(totals)
    with np.errstate(invalid="ignore"):
        residual = total - curves.sum(parts)
        scale = np.maximum(np.abs(total), curves.sum(parts, absolute=True))
        # False where any of them is NaN or infinite.
        off = (np.abs(residual) > thresholds.residual_share * scale) & np.isfinite(residual)
    off &= curves.rows_of(totals[0])
    rows = np.flatnonzero(off)
    if len(rows) <= thresholds.residual_rows * len(curves.steps):
        return []
    middle = float(np.median(residual[rows]))
    typical = float(np.median(np.abs(residual[rows]) / scale[rows]))
    more = "more" if middle > 0 else "less"
    first, last = int(curves.steps[rows[0]]), int(curves.steps[rows[-1]])
    since = "at every step" if len(rows) == len(off) else f"since step {first:,}"
    if since != "at every step" and len(rows) < len(off) - rows[0]:
        since = f"at {len(rows):,} steps, the first of them step {first:,}"
    sentence = (
        f"The total is {number(abs(middle))} {more} than the sum of its recorded parts "
        f"({percent(typical)} of the loss), {since}."
    )
    return [found("does_not_add_up", sentence, curves.names(totals), first, last)]


def _first_non_finite(curves: Curves, place: int) -> int | None:
    values = curves.values[place]
    # A sum over float64 is finite where all values are, and costs a tenth of looking at each.
    if np.isfinite(values.sum(dtype=np.float64)):
        return None
    rows = np.flatnonzero(~np.isfinite(values) & curves.rows_of(place))
    return int(rows[0]) if len(rows) else None


def _described(curves: Curves, places: list[int]) -> str:
    data = [i for i in places if curves.terms[i].role == "data"]
    if not data:
        return listed(curves.names(places))
    if len(data) == len(places):
        return (
            "the data loss" if len(data) == 1 else f"the data losses {listed(curves.names(data))}"
        )
    others = [i for i in places if i not in data]
    return f"the data loss and, at the same step, {listed(curves.names(others))}"


def _form(curves: Curves, places: list[int], row: int) -> str:
    return "NaN" if np.isnan(curves.values[places, row]).any() else "infinite"
