"""Whether the parts add up to the total, and whether they are numbers at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tb_regplugin.findings.curves import Curves, Rows
from tb_regplugin.findings.finding import Finding, found, listed, number, percent
from tb_regplugin.findings.thresholds import Thresholds

# So many steps, over which the penalties moved by this part of their size, show whether the
# residual moves with them; and so near to one another are multiples that are the same.
_ENOUGH_TO_COMPARE = 10
_MOVES = 0.05
_SAME_MULTIPLE = 0.01


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
    # Not capitalize(): a term's name stays as it is.
    if sentence.startswith("the "):
        sentence = "T" + sentence[1:]
    return [found("not_finite", sentence + ".", names, step)]


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
    if len(rows) == len(off):
        when = "at every step"
    elif len(rows) == len(off) - rows[0]:
        when = f"since step {first:,}"
    else:
        when = f"at {len(rows):,} steps, the first of them step {first:,}"
    sentence = (
        f"The total is {number(abs(middle))} {more} than the sum of its recorded parts "
        f"({percent(typical)} of the loss), {when}{_likely_cause(curves, residual[rows], rows)}."
    )
    return [found("does_not_add_up", sentence, curves.names(totals), first, last)]


def _likely_cause(curves: Curves, residual: Rows, rows: npt.NDArray[np.intp]) -> str:
    """Says so where the residual is always the same multiple of all penalties."""
    penalty = curves.penalty[rows]
    if len(rows) < _ENOUGH_TO_COMPARE or not penalty.all():
        return ""
    multiples = 1 + residual / penalty
    multiple = float(np.median(multiples))
    # Penalties that hardly move are a multiple of anything that doesn't.
    moves = np.ptp(penalty) > _MOVES * np.abs(penalty).max()
    if not moves or np.abs(multiples - multiple).max() > _SAME_MULTIPLE * max(1.0, abs(multiple)):
        return ""
    if abs(multiple) < _SAME_MULTIPLE:
        return ": the penalties are not in the total"
    return f": the penalties are in the total {number(multiple)} times"


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
