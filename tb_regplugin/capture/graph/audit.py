"""Finds the mistakes that people make on the way from a penalty to the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tb_regplugin.capture.graph.collected import CollectedEntry
from tb_regplugin.capture.graph.decompose import decompose
from tb_regplugin.capture.graph.nested_entries import NestedEntries
from tb_regplugin.capture.graph.parts import Decomposition, Part
from tb_regplugin.finding import Finding, worst_first
from tb_regplugin.findings.catalogue import found
from tb_regplugin.findings.forms import listed, number

_Rule = Callable[["_Audited"], list[Finding]]


def audit(
    total_loss: Any, *, collection: Iterable[Any] | None = None, variables: Iterable[Any] = ()
) -> list[Finding]:
    """Says what is wrong with the way penalties reach a loss.

    For graphs of TF1, and inside a ``tf.function`` while it is traced. Penalties that were
    collected and forgotten, scaled by λ again, counted twice, applied to each other, or collected
    as bare variables are found by walking the loss itself. It adds nothing to the graph.

    Args:
      total_loss: What the optimiser minimises: a scalar tensor.
      collection: The penalties that are meant to be in it, such as ``model.losses``; the graph's
        REGULARIZATION_LOSSES when left out.
      variables: The variables that a ``tf.function`` uses, to name them. TF1 graphs need none.

    Returns:
      Findings, worst first; empty where all is well.

    Raises:
      TypeError: ``total_loss`` is no tensor of a graph: what was calculated eagerly cannot be
        walked.

    Example:
      >>> import tensorflow as tf
      >>> from tb_regplugin import audit
      >>> tf1 = tf.compat.v1
      >>> with tf.Graph().as_default():
      ...     l2 = lambda w: 0.1 * tf.nn.l2_loss(w)
      ...     w = tf1.get_variable("w", [3], regularizer=l2)
      ...     loss = tf.reduce_mean(w * tf1.placeholder(tf.float32, [3]))
      ...     for finding in audit(loss):
      ...         print(finding.code, finding.sentence)
      not_in_loss w was collected in REGULARIZATION_LOSSES and is not in the loss.
    """
    if not hasattr(total_loss, "op"):
        raise TypeError(
            "audit() walks a graph: call it with a tensor of a tf.Graph, or inside a tf.function. "
            "For what was calculated eagerly, record total_loss along with its parts: findings on "
            "the curves say whether they add up."
        )
    collected = None if collection is None else list(collection)
    return audit_decomposition(decompose(total_loss, collected, variables))


def audit_decomposition(decomposition: Decomposition) -> list[Finding]:
    """Says what is wrong with the way penalties reach a loss that was taken apart."""
    audited = _Audited(decomposition)
    return worst_first([finding for rule in _RULES for finding in rule(audited)])


class _Audited:
    """A loss that was taken apart, by what the rules ask of it."""

    def __init__(self, decomposition: Decomposition) -> None:
        self.decomposition = decomposition
        self.entries = decomposition.entries
        self.nested = NestedEntries(decomposition.total, self.entries)
        self._parts: dict[str, list[Part]] = {}
        for part in decomposition.parts:
            if part.entry is not None:
                self._parts.setdefault(part.entry, []).append(part)
        # What the whole loss is multiplied with, such as a loss scale, says nothing of penalties.
        self.common_factors = {1.0} | {
            constant
            for part in decomposition.parts
            if part.role == "data"
            for contribution in part.contributions
            for constant, _ in contribution.factors
        }

    def names(self, entries: Iterable[CollectedEntry]) -> list[str]:
        """Returns what the entries' columns are called."""
        return [name for entry in entries for name in self._names(entry)]

    def _names(self, entry: CollectedEntry) -> list[str]:
        parts = self._parts.get(entry.name)
        return [part.name for part in parts] if parts else [entry.name]

    def strengths(self, entry: CollectedEntry) -> set[float]:
        """Returns the strengths that were written into an entry, as far as they are known."""
        strengths: set[float] = set()
        for part in self._parts.get(entry.name, []):
            if isinstance(part.strength, tuple):
                strengths |= set(part.strength)
            elif part.strength is not None:
                strengths.add(part.strength)
        return strengths


def _not_in_loss(audited: _Audited) -> list[Finding]:
    missing = [
        entry for entry in audited.entries if not entry.uses and audited.nested.is_missing(entry)
    ]
    if not missing:
        return []
    names = audited.names(missing)
    verb = "was collected in REGULARIZATION_LOSSES and is"
    if len(names) > 1:
        verb = "were collected in REGULARIZATION_LOSSES and are"
    return [found("not_in_loss", f"{listed(names)} {verb} not in the loss.", names)]


def _scaled_again(audited: _Audited) -> list[Finding]:
    by_factor: dict[float, list[CollectedEntry]] = {}
    for entry in audited.entries:
        if not entry.uses or entry.uses > entry.times_collected or entry.coefficient is None:
            continue
        factor = float(number(entry.coefficient / entry.uses))
        # With a strength of 1, the factor is the strength.
        if factor not in audited.common_factors and audited.strengths(entry) - {0.0, 1.0}:
            by_factor.setdefault(factor, []).append(entry)
    findings = []
    for factor, entries in by_factor.items():
        names = audited.names(entries)
        verb = "is" if len(names) == 1 else "are"
        strength = max(audited.strengths(entries[0]))
        sentence = (
            f"{listed(names)} {verb} multiplied by {number(factor)} on the way into the loss, on "
            f"top of the strength in the regulariser: {number(strength)} acts as "
            f"{number(strength * factor)}."
        )
        findings.append(found("scaled_again", sentence, names))
    return findings


def _counted_twice(audited: _Audited) -> list[Finding]:
    # A collected sum of entries brings each of them once more: duplicate_entry says so.
    sums = sum(entry.times_collected for entry in audited.entries if entry.holds_entries)
    twice = [
        entry
        for entry in audited.entries
        if entry.uses > entry.times_collected + sums
        and (entry.coefficient is None or entry.coefficient not in audited.common_factors)
    ]
    if not twice:
        return []
    names = audited.names(twice)
    sentence = f"{listed(names)} {'is' if len(names) == 1 else 'are'} added to the loss "
    sentence += f"{twice[0].uses} times"
    if twice[0].coefficient is not None:
        sentence += f", which makes {number(twice[0].coefficient)} times the penalty"
    return [found("counted_twice", sentence + ".", names)]


def _raw_variable(audited: _Audited) -> list[Finding]:
    names = audited.decomposition.raw_variables
    if not names:
        return []
    what = "the variable" if len(names) == 1 else "the variables"
    sentence = f"REGULARIZATION_LOSSES holds {what} {listed(names)} in place of a penalty."
    return [found("raw_variable", sentence, names)]


def _nested(audited: _Audited) -> list[Finding]:
    findings = []
    of_penalties = [entry for entry in audited.entries if audited.nested.is_of_penalties(entry)]
    if of_penalties:
        names = audited.names(of_penalties)
        verb = "is a penalty" if len(names) == 1 else "are penalties"
        sentence = f"{listed(names)} {verb} on other penalties, not on weights."
        findings.append(found("penalty_of_penalty", sentence, names))
    again = [
        entry
        for entry in audited.entries
        if audited.nested.is_sum(entry) or (entry.times_collected > 1 and entry.uses != 1)
    ]
    if again:
        names = audited.names(again)
        verb = "is" if len(names) == 1 else "are"
        sentence = f"{listed(names)} {verb} in REGULARIZATION_LOSSES more than once."
        findings.append(found("duplicate_entry", sentence, names))
    return findings


def _uncollected_penalty(audited: _Audited) -> list[Finding]:
    parts = [part for part in audited.decomposition.parts if part.role == "penalty"]
    by_hand = [part for part in parts if part.entry is None and part.kind not in (None, "custom")]
    # Only graphs of TF1 have the collection; in a function nobody expects penalties in it.
    if not by_hand or hasattr(audited.decomposition.total.graph, "captures"):
        return []
    collected = {part.variable for part in parts if part.entry is not None}
    both = [part for part in by_hand if part.variable in collected]
    if both:
        names = [part.name for part in both]
        variables = listed([str(part.variable) for part in both])
        verb = "is" if len(both) == 1 else "are"
        sentence = f"{variables} {verb} penalised by hand and by a collected term."
        return [found("uncollected_penalty", sentence, names, severity="warning")]
    names = [part.name for part in by_hand]
    verb = "is" if len(names) == 1 else "are"
    sentence = (
        f"{listed(names)} {verb} penalised in the loss by hand, so REGULARIZATION_LOSSES does not "
        f"hold {'it' if len(names) == 1 else 'them'}."
    )
    return [found("uncollected_penalty", sentence, names)]


_RULES: tuple[_Rule, ...] = (
    _not_in_loss,
    _scaled_again,
    _counted_twice,
    _raw_variable,
    _nested,
    _uncollected_penalty,
)
