"""What changed at one step: strengths, and which terms there are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tb_regplugin.findings.balance import enough
from tb_regplugin.findings.curves import Curves
from tb_regplugin.findings.finding import Finding, found, listed, number
from tb_regplugin.findings.thresholds import Thresholds
from tb_regplugin.terms import Term

# Rows on either side of a jump whose levels must differ too, so that a spike isn't one.
_AROUND_JUMP = 5
# More than these few are noise.
_MOST_JUMPS = 5
# Kinds that are functions of weights alone. What depends on data jumps from batch to batch.
_OF_WEIGHTS = frozenset({"l1", "l2", "l1_l2", "orthogonal", "weight_decay"})


def strength_changed(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds the steps at which the recorded strengths changed."""
    findings = []
    for row, before, after in _changes(curves):
        known = {(term.role, term.name): term for term in before}
        changed = [
            (known[term.role, term.name], term)
            for term in after
            if (term.role, term.name) in known
            and known[term.role, term.name].strength != term.strength
        ]
        if changed:
            step = int(curves.steps[row])
            how = listed(
                [f"{new.name} from {_written(old)} to {_written(new)}" for old, new in changed]
            )
            sentence = f"At step {step:,} the strength changed of {how}."
            names = [new.name for _, new in changed]
            findings.append(found("strength_changed", sentence, names, step))
    return findings


def terms_came_or_went(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds the first step at which a term is recorded that wasn't before, or no longer is."""
    came: dict[int, list[str]] = {}
    went: dict[int, list[str]] = {}
    for row, before, after in _changes(curves):
        old = {term.name for term in before if term.role in ("data", "penalty")}
        new = {term.name for term in after if term.role in ("data", "penalty")}
        if new - old:
            came.setdefault(row, sorted(new - old))
        if old - new:
            went.setdefault(row, sorted(old - new))
    findings = []
    for verb, rows in (("appeared", came), ("vanished", went)):
        if rows:
            row, names = next(iter(rows.items()))
            step = int(curves.steps[row])
            sentence = f"{listed(names)} {verb} at step {step:,}"
            if len(rows) > 1:
                sentence += f", the first of {len(rows):,} such steps"
            findings.append(found(f"term_{verb}", sentence + ".", names, step))
    return findings


def penalty_jumped(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds penalties on weights that changed by a factor from one step to the next."""
    if not enough(curves, thresholds):
        return []
    explained = {row for row, _, _ in _changes(curves)}
    places = [i for i in curves.places("penalty") if curves.terms[i].kind in _OF_WEIGHTS]
    jumps: dict[int, list[int]] = {}
    for place in places:
        for row in _jumps(curves.values[place], thresholds.jump):
            jumps.setdefault(row, []).append(place)
    findings = []
    for row, jumped in sorted(jumps.items()):
        # Steps that weren't recorded may hold what a jump looks like.
        if row in explained or curves.steps[row] - curves.steps[row - 1] > _usual_gap(curves):
            continue
        pair = np.abs(curves.values[jumped, row - 1 : row + 1]).sum(axis=0)
        if pair.max() < thresholds.negligible_share * abs(curves.total[row]):
            continue
        step = int(curves.steps[row])
        sentence = (
            f"{listed(curves.names(jumped))} jumped at step {step:,}, from "
            f"{number(float(pair[0]))} to {number(float(pair[1]))}."
        )
        findings.append(found("penalty_jumped", sentence, curves.names(jumped), step))
    return findings


def _changes(curves: Curves) -> Iterator[tuple[int, tuple[Term, ...], tuple[Term, ...]]]:
    """Yields the rows at which another layout begins, and both layouts."""
    for i in range(1, len(curves.layouts)):
        yield int(curves.stretches[i]), curves.layouts[i - 1], curves.layouts[i]


def _jumps(values: npt.NDArray[np.float32], factor: float) -> list[int]:
    """Returns the rows at which a curve leaves one level for another."""
    sizes = np.abs(values)
    before, after = sizes[:-1], sizes[1:]
    with np.errstate(invalid="ignore", over="ignore"):
        rows = 1 + np.flatnonzero((after > factor * before) | (before > factor * after))
    # What moves like that all the time doesn't jump.
    if len(rows) > _MOST_JUMPS * _AROUND_JUMP:
        return []
    jumps = []
    for row in rows.tolist():
        if row < _AROUND_JUMP or row + _AROUND_JUMP > len(sizes):
            continue
        old, new = sizes[row - _AROUND_JUMP : row], sizes[row : row + _AROUND_JUMP]
        if not np.isfinite(old).all() or not np.isfinite(new).all():
            continue
        if new.min() > factor * old.max() > 0 or old.min() > factor * new.max() > 0:
            jumps.append(row)
    return jumps


def _usual_gap(curves: Curves) -> float:
    return float(np.median(np.diff(curves.steps)))


def _written(term: Term) -> str:
    return "unknown" if term.strength is None else str(term.strength)
