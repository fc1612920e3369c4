"""What is looked for in a recording's columns: sums, single terms, and what changed at a step.

Each rule yields what it finds; ``catalogue`` has their texts and thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tb_regplugin.finding import Finding
from tb_regplugin.findings.catalogue import Thresholds, found
from tb_regplugin.findings.curves import Curves, PerRow
from tb_regplugin.findings.forms import listed, number, percent
from tb_regplugin.findings.spikes import spiked
from tb_regplugin.terms import Term

# So many steps, over which the penalties moved by this part of their size, show whether the
# residual moves with them; and so near to one another are multiples that are the same.
_ENOUGH_TO_COMPARE = 10
_MOVES = 0.05
_SAME_MULTIPLE = 0.01


def not_finite(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds the step at which the first number was NaN or infinite, and which it was."""
    firsts: dict[int, list[int]] = {}
    for place in curves.places("data", "penalty", "unexplained") + curves.places("total"):
        row = _first_non_finite(curves, place)
        # A total is not finite where a part isn't: it counts only where it was first.
        is_total = curves.terms[place].role == "total"
        if row is not None and not (is_total and row >= min(firsts, default=row + 1)):
            firsts.setdefault(row, []).append(place)
    if not firsts:
        return
    first, *later = sorted(firsts)
    step = int(curves.steps[first])
    form = "NaN" if np.isnan(curves.values[firsts[first], first]).any() else "infinite"
    sentence = f"{_parts_named(curves, firsts[first])} became {form} at step {step:,}"
    if first > 0:
        sentence += f", after {first:,} finite step{'s' * (first > 1)}"
    if later:
        then = _parts_named(curves, firsts[later[0]])
        sentence += f"; {then} followed at step {int(curves.steps[later[0]]):,}"
    # Not capitalize(): a term's name stays as it is.
    if sentence.startswith("the "):
        sentence = "T" + sentence[1:]
    names = curves.names([place for row in sorted(firsts) for place in firsts[row]])
    yield found("not_finite", sentence + ".", names, step)


def _first_non_finite(curves: Curves, place: int) -> int | None:
    values = curves.values[place]
    # A sum over float64 is finite where all values are, and costs a tenth of looking at each.
    if np.isfinite(values.sum(dtype=np.float64)):
        return None
    rows = np.flatnonzero(~np.isfinite(values) & curves.recorded(place))
    return int(rows[0]) if len(rows) else None


def _parts_named(curves: Curves, places: Sequence[int]) -> str:
    data = curves.names([i for i in places if curves.terms[i].role == "data"])
    others = curves.names([i for i in places if curves.terms[i].role != "data"])
    if not data:
        return listed(others)
    if others:
        return f"the data loss and, at the same step, {listed(others)}"
    return "the data loss" if len(data) == 1 else f"the data losses {listed(data)}"


def does_not_add_up(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds by how much the recorded parts miss the recorded total, and since when."""
    totals = curves.places("total")
    parts = curves.places("data", "penalty", "unexplained")
    if not totals or not curves.places("data"):
        return
    total = curves.sum(totals)
    residual = total - curves.sum(parts)
    scale = np.maximum(np.abs(total), curves.sum(parts, absolute=True))
    # False where any of them is NaN or infinite.
    off = (np.abs(residual) > limits.residual_share * scale) & np.isfinite(residual)
    rows = np.flatnonzero(off & curves.recorded(totals[0]))
    if len(rows) <= limits.residual_rows * len(curves.steps):
        return
    middle = float(np.median(residual[rows]))
    share = percent(float(np.median(np.abs(residual[rows]) / scale[rows])))
    first, last = int(curves.steps[rows[0]]), int(curves.steps[rows[-1]])
    if len(rows) == len(off):
        when = "at every step"
    elif len(rows) == len(off) - rows[0]:
        when = f"from step {first:,} on"
    else:
        when = f"at {len(rows):,} steps, first at step {first:,}"
    sentence = (
        f"The total is {number(abs(middle))} {'more' if middle > 0 else 'less'} than the sum of "
        f"its recorded parts ({share} of the loss) {when}"
        f"{_likely_cause(residual[rows], curves.penalty[rows])}."
    )
    yield found("does_not_add_up", sentence, curves.names(totals), first, last)


def _likely_cause(residual: PerRow, penalty: PerRow) -> str:
    """Says so where the residual is always the same multiple of all penalties."""
    # Penalties that hardly move are a multiple of anything that doesn't.
    moves = np.ptp(penalty) > _MOVES * np.abs(penalty).max()
    if len(penalty) < _ENOUGH_TO_COMPARE or not penalty.all() or not moves:
        return ""
    multiples = 1 + residual / penalty
    multiple = float(np.median(multiples))
    if np.abs(multiples - multiple).max() > _SAME_MULTIPLE * max(1.0, abs(multiple)):
        return ""
    if abs(multiple) < _SAME_MULTIPLE:
        return ": the penalties are not in the total"
    return f": the total contains the penalties {number(multiple)} times"


def dead_or_constant_term(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds terms that are zero at every step, and others that never change."""
    dead, constant, levels = [], [], []
    for place in curves.places("data", "penalty"):
        term, values = curves.terms[place], curves.only_recorded(place)
        if len(values) < limits.min_rows or not (values == values[0]).all():
            continue
        if values[0] != 0:
            constant.append(term.name)
            levels.append(number(float(values[0])))
        # Where the strength is 0, so is the term.
        elif term.strength not in (0, (0, 0)):
            dead.append(term.name)
    if dead:
        yield found("dead_term", f"{_subject(dead, 'is', 'are')} zero at every step.", dead)
    if constant:
        subject = _subject(constant, "never changes", "never change")
        sentence = f"{subject} ({listed(levels)} at every step)."
        yield found("constant_term", sentence, constant)


def equal_terms(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds penalties that move as one, to the last bit."""
    alike: dict[bytes, list[int]] = {}
    for place in curves.places("penalty"):
        # Some rows tell nearly all columns apart.
        some = curves.values[place, :: 1 + len(curves.steps) // 32]
        if (some != some[0]).any():
            alike.setdefault(some.tobytes(), []).append(place)
    groups = []
    for first, *others in alike.values():
        values = curves.values[first]
        places = [first, *(i for i in others if curves.values[i].tobytes() == values.tobytes())]
        # Different variables can be equal for as long as nothing tells them apart.
        variables = {curves.terms[place].variable for place in places} - {None}
        if len(places) == 1 or len(variables) > 1:
            continue
        if np.count_nonzero(np.diff(values[np.isfinite(values)])) >= _ENOUGH_TO_COMPARE:
            groups.append(places)
    if not groups:
        return
    names, rows = curves.names(groups[0]), len(curves.only_recorded(groups[0][0]))
    sentence = (
        f"{listed(names)} are equal to the last bit at all {rows:,} steps, although "
        f"they change: probably one penalty instead of {len(names)}."
    )
    more = curves.names([place for places in groups[1:] for place in places])
    if more:
        which = "another group" if len(groups) == 2 else f"{len(groups) - 1:,} other groups"
        sentence += f" So it is in {which} of penalties: {listed(more)}."
    yield found("equal_terms", sentence, names + more)


def decoupled_decay(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Says that weight decay acts which the loss doesn't hold."""
    places = curves.places("implicit")
    if not places:
        return
    strengths = {str(curves.terms[place].strength or "of unknown strength") for place in places}
    sentence = (
        f"The optimiser applies decoupled weight decay ({listed(sorted(strengths))}), which is not "
        "in the loss."
    )
    yield found("decoupled_decay", sentence, curves.names(places))


def not_in_loss(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds penalty terms that were collected and never reach the loss."""
    places = curves.places("unused")
    if names := curves.names(places):
        subject = _subject(names, "was", "were")
        sentence = f"{subject} collected but never added to the loss."
        # Entries of a collection of TensorFlow 1 have their tensors' names.
        keras = all(curves.terms[place].entry is None for place in places)
        yield found("not_in_loss", sentence, names, keras=keras)


def _subject(names: Sequence[str], singular: str, plural: str) -> str:
    return f"{listed(names)} {singular if len(names) == 1 else plural}"


def strength_changed(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds the steps at which the recorded strengths changed."""
    for row, before, after in curves.changes():
        known = {(term.role, term.name): term for term in before}
        pairs = [(known.get((term.role, term.name), term), term) for term in after]
        changed = [(old, new) for old, new in pairs if old.strength != new.strength]
        if changed:
            step = int(curves.steps[row])
            how = [f"{new.name} from {_strength(old)} to {_strength(new)}" for old, new in changed]
            subject = "the strength" if len(changed) == 1 else "strengths"
            sentence = f"At step {step:,} {subject} changed: {listed(how)}."
            yield found("strength_changed", sentence, [new.name for _, new in changed], step)


def _strength(term: Term) -> str:
    return "unknown" if term.strength is None else str(term.strength)


def terms_came_or_went(curves: Curves, limits: Thresholds) -> Iterator[Finding]:
    """Finds the first step at which a term is recorded that wasn't before, or no longer is."""
    came: dict[int, list[str]] = {}
    went: dict[int, list[str]] = {}
    for row, *layouts in curves.changes():
        old, new = ({t.name for t in terms if t.role in ("data", "penalty")} for terms in layouts)
        if new - old:
            came[row] = sorted(new - old)
        if old - new:
            went[row] = sorted(old - new)
    for verb, rows in (("appeared", came), ("vanished", went)):
        if rows:
            row, names = next(iter(rows.items()))
            step = int(curves.steps[row])
            sentence = f"{listed(names)} {verb} at step {step:,}"
            if len(rows) > 1:
                sentence += f", the first of {len(rows):,} such steps"
            yield found(f"term_{verb}", sentence + ".", names, step)


RULES = (
    not_finite,
    not_in_loss,
    does_not_add_up,
    dead_or_constant_term,
    equal_terms,
    decoupled_decay,
    strength_changed,
    terms_came_or_went,
    spiked,
)
