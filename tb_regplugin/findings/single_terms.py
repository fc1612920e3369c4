"""What can be said of one term by itself."""

from __future__ import annotations

from collections.abc import Iterable

from tb_regplugin.findings.curves import Curves
from tb_regplugin.findings.finding import Finding, found, listed, number
from tb_regplugin.findings.thresholds import Thresholds
from tb_regplugin.terms import Term


def dead_or_constant_term(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds terms that are zero at every step, and others that never change."""
    dead, constant = [], []
    for place in curves.places("data", "penalty"):
        values = curves.only_recorded(place)
        if len(values) < thresholds.min_rows or not (values == values[0]).all():
            continue
        if values[0] != 0:
            constant.append(place)
        elif not _meant_to_be_zero(curves.terms[place]):
            dead.append(place)
    findings = []
    if dead:
        sentence = f"{_subject(curves, dead)} zero at every step."
        findings.append(found("dead_term", sentence, curves.names(dead)))
    if constant:
        levels = listed([number(float(curves.only_recorded(i)[0])) for i in constant])
        sentence = f"{_subject(curves, constant)} the same at every step ({levels})."
        findings.append(found("constant_term", sentence, curves.names(constant)))
    return findings


def decoupled_decay(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Says that weight decay acts which the loss doesn't hold."""
    places = curves.places("implicit")
    if not places:
        return []
    sentence = (
        f"The optimiser shrinks weights by decoupled weight decay ({_strengths(curves, places)}), "
        "which is not in the loss and not in its curves."
    )
    return [found("decoupled_decay", sentence, curves.names(places))]


def not_in_loss(curves: Curves, thresholds: Thresholds) -> list[Finding]:
    """Finds penalty terms that were collected and never reach the loss."""
    places = curves.places("unused")
    if not places:
        return []
    names = curves.names(places)
    verb = "was" if len(names) == 1 else "were"
    sentence = f"{listed(names)} {verb} collected for the loss and never added to it."
    return [found("not_in_loss", sentence, names)]


def _meant_to_be_zero(term: Term) -> bool:
    strengths = term.strength if isinstance(term.strength, tuple) else (term.strength,)
    return all(strength == 0 for strength in strengths)


def _subject(curves: Curves, places: list[int]) -> str:
    return f"{listed(curves.names(places))} {'is' if len(places) == 1 else 'are'}"


def _strengths(curves: Curves, places: Iterable[int]) -> str:
    strengths = sorted({str(curves.terms[place].strength or "of unknown size") for place in places})
    return listed(strengths)
