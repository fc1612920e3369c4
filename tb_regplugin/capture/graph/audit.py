"""Finds the mistakes that people make on the way from a penalty to the loss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.graph.decompose import Decomposition, decompose
from tb_regplugin.capture.graph.operations import strip
from tb_regplugin.capture.graph.sources import Reaches, ancestors, operands
from tb_regplugin.capture.graph.structure import CollectedEntry
from tb_regplugin.finding import Finding, at_least, worst_first
from tb_regplugin.findings.catalogue import found
from tb_regplugin.findings.forms import listed, number
from tb_regplugin.notices import warn
from tb_regplugin.terms import Term

# Names of penalties by how often each is added, and by what that multiplies it, where it is known.
_Alike = dict[tuple[int, str | None], list[str]]


# AutoGraph would translate all that it calls.
@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def audit(
    total_loss: Any, *, collection: Iterable[Any] | None = None, variables: Iterable[Any] = ()
) -> list[Finding]:
    """Says what is wrong with the way penalties reach a loss.

    For graphs of TF1, and inside a ``tf.function`` while it is traced. Penalties that were
    collected and forgotten, scaled by λ again, counted twice, applied to each other, or collected
    as bare variables are found by walking the loss itself: 1,000 layers take some 0.3 s. It adds
    nothing to the graph.

    Args:
      total_loss: The loss that the optimiser minimises: a scalar ``tf.Tensor`` of a graph, of any
        float type. Of one that is no scalar, the collection alone is judged.
      collection: The penalties that are meant to be in it, scalar tensors such as
        ``model.losses``; the graph's REGULARIZATION_LOSSES when left out.
      variables: The variables that a ``tf.function`` uses, of TensorFlow or Keras, to name them.
        TF1 graphs need none.

    Returns:
      Findings, worst first; empty where all is well. ``docs/findings.md`` lists their codes.

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
      not_in_loss w was collected in REGULARIZATION_LOSSES but is not in the loss.
    """
    if not hasattr(total_loss, "op"):
        raise TypeError(
            "audit() needs a graph: call it with a tensor of a tf.Graph, or inside a tf.function. "
            "In eager code, record total_loss along with its parts: the findings then say whether "
            "they add up."
        )
    collected = None if collection is None else list(collection)
    return _findings(decompose(total_loss, collected, variables))


def audit_and_warn(decomposition: Decomposition) -> tuple[Finding, ...]:
    """Says in warnings what is wrong with a loss, once, and returns it to be recorded.

    It never raises: no graph of a user's may stop a training.
    """
    if decomposition.warning:
        warn(f"tb_regplugin: {decomposition.warning}", UserWarning)
    try:
        findings = _findings(decomposition)
    except Exception:  # noqa: BLE001 - what it cannot judge, it does not judge
        return ()
    for finding in at_least(findings, "warning"):
        warn(f"tb_regplugin: {finding.sentence} {finding.fix}", UserWarning)
    return tuple(findings)


def counted_twice(
    decomposition: Decomposition, terms: Mapping[str, Term], replicas: int
) -> tuple[Finding, ...]:
    """Finds penalties that a Keras step adds to a loss which has them already.

    ``terms`` says what the loss' entries are, data losses among them, by their names.
    """
    audited = _Audited(decomposition)
    # Accumulated batches bring their penalties and data losses as often.
    data = [entry for entry in audited.entries if terms[entry.name].role == "data"]
    most = max([1.0, *(entry.uses / entry.times_collected for entry in data)])
    factors = audited.common_factors | {entry.coefficient for entry in data}
    alike: _Alike = {}
    for entry in audited.entries:
        times, coefficient = entry.times_collected, entry.coefficient
        if (
            terms[entry.name].role == "penalty"
            and entry.uses > most * times
            and (coefficient is None or coefficient not in factors)
        ):
            factor = None if coefficient is None else number(coefficient * replicas / times)
            alike.setdefault((entry.uses // times, factor), []).append(terms[entry.name].name)
    return tuple(_added(alike, keras=True))


def _added(alike: _Alike, keras: bool) -> Iterator[Finding]:
    for (times, factor), names in alike.items():
        which = "it" if len(names) == 1 else "each"
        makes = "" if factor is None else f", which multiplies {which} by {factor}"
        sentence = f"{_are(names)} added to the loss {times} times{makes}."
        yield found("counted_twice", sentence, names, keras=keras)


def _findings(decomposition: Decomposition) -> list[Finding]:
    audited = _Audited(decomposition)
    return worst_first([finding for rule in _RULES for finding in rule(audited)])


class _Audited:
    """A loss that was taken apart, by what the rules ask of it."""

    def __init__(self, decomposition: Decomposition) -> None:
        self.decomposition = decomposition
        self.entries = decomposition.collected.entries
        self.structure = decomposition.collected.structure
        # Such as model.losses.
        self.is_given = decomposition.collected.is_given
        self.collection = "the collection" if self.is_given else "REGULARIZATION_LOSSES"
        self._terms: defaultdict[str | None, list[Term]] = defaultdict(list)
        for part in decomposition.parts:
            self._terms[part.term.entry].append(part.term)
        # What the whole loss is multiplied with, such as a loss scale, says nothing of penalties.
        self.common_factors = {1.0} | {
            constant
            for part in decomposition.parts
            if part.term.role == "data"
            for addend in part.addends
            for constant in addend.weight.values()
        }

    def names(self, entries: Iterable[CollectedEntry]) -> list[str]:
        """Returns what the entries' columns are called."""
        return [
            name
            for entry in entries
            for name in [term.name for term in self._terms[entry.name]] or [entry.name]
        ]

    def strengths(self, entry: CollectedEntry) -> set[float]:
        """Returns the strengths that were written into an entry, as far as they are known."""
        strengths = (term.strength for term in self._terms[entry.name])
        each = (s if isinstance(s, tuple) else (s,) for s in strengths)
        return {strength for strength in chain(*each) if strength is not None}

    def expression(self, entry: CollectedEntry) -> int:
        """Returns the number of the expression that an entry is."""
        return self.structure.key(entry.tensor)[0]


def _not_in_loss(audited: _Audited) -> Iterator[Finding]:
    unused = [entry for entry in audited.entries if not entry.uses and not entry.is_others]
    if not unused:
        return
    total, visited = audited.decomposition.total, audited.structure.visited
    audited.structure.key(total)
    numbers = {visited[op] for op in ancestors(total.op) if op in visited}
    missing = [entry for entry in unused if audited.expression(entry) not in numbers]
    if missing:
        names = audited.names(missing)
        was, verb = ("was", "is") if len(names) == 1 else ("were", "are")
        collected = f"{was} collected in {audited.collection} but {verb}"
        sentence = f"{listed(names)} {collected} not in the loss."
        yield found("not_in_loss", sentence, names, keras=audited.is_given)


def _scaled_again(audited: _Audited) -> Iterator[Finding]:
    by_factor: dict[float, list[CollectedEntry]] = {}
    for entry in audited.entries:
        if not entry.uses or entry.uses > entry.times_collected or entry.coefficient is None:
            continue
        factor = float(number(entry.coefficient / entry.uses))
        # With a strength of 1, the factor is the strength.
        if factor not in audited.common_factors and audited.strengths(entry) - {0.0, 1.0}:
            by_factor.setdefault(factor, []).append(entry)
    for factor, entries in by_factor.items():
        names = audited.names(entries)
        strengths = sorted(set().union(*map(audited.strengths, entries)) - {0.0})
        whose = "regulariser's strength" if len(strengths) == 1 else "regularisers' strengths"
        written, acting = (
            listed([number(strength * times) for strength in strengths]) for times in (1, factor)
        )
        sentence = (
            f"{_are(names)} multiplied by {number(factor)} before being added to the loss, on "
            f"top of the {whose}: {written} {'acts' if len(strengths) == 1 else 'act'} as {acting}."
        )
        yield found("scaled_again", sentence, names)


def _counted_twice(audited: _Audited) -> Iterator[Finding]:
    # A collected sum of entries brings each of them once more: duplicate_entry says so.
    sums = sum(entry.times_collected for entry in audited.entries if entry.holds_entries)
    alike: _Alike = {}
    for entry in audited.entries:
        coefficient = entry.coefficient
        if entry.uses > entry.times_collected + sums and (
            coefficient is None or coefficient not in audited.common_factors
        ):
            factor = None if coefficient is None else number(coefficient)
            alike.setdefault((entry.uses, factor), []).extend(audited.names([entry]))
    yield from _added(alike, keras=audited.is_given)


def _raw_variable(audited: _Audited) -> Iterator[Finding]:
    names = audited.decomposition.collected.raw_variables
    if names:
        what = "the variable" if len(names) == 1 else "the variables"
        which = audited.collection[0].upper() + audited.collection[1:]
        sentence = f"{which} contains {what} {listed(names)} instead of a penalty."
        yield found("raw_variable", sentence, names)


def _penalty_of_penalty(audited: _Audited) -> Iterator[Finding]:
    numbers = {audited.expression(entry) for entry in audited.entries}
    contains_entry = Reaches(lambda op: audited.structure.visited.get(op) in numbers)
    names = audited.names(
        entry
        for entry in audited.entries
        # Not the sums of others.
        if not entry.holds_entries and any(map(contains_entry, operands(strip(entry.tensor).op)))
    )
    if names:
        verb = "is a penalty" if len(names) == 1 else "are penalties"
        sentence = f"{listed(names)} {verb} on other penalties, not on weights."
        yield found("penalty_of_penalty", sentence, names)


def _duplicate_entry(audited: _Audited) -> Iterator[Finding]:
    again = [
        entry
        for entry in audited.entries
        if entry.holds_entries or (entry.times_collected > 1 and entry.uses != 1)
    ]
    if again:
        names = audited.names(again)
        sentence = f"{_are(names)} in {audited.collection} more than once."
        yield found("duplicate_entry", sentence, names)


def _uncollected_penalty(audited: _Audited) -> Iterator[Finding]:
    terms = [part.term for part in audited.decomposition.parts if part.term.role == "penalty"]
    by_hand = [term for term in terms if term.entry is None and term.kind not in (None, "custom")]
    # Only graphs of TF1 have the collection; in a function nobody expects penalties in it.
    if not by_hand or audited.decomposition.total.graph.building_function:
        return
    collected = {term.variable for term in terms if term.entry is not None}
    if both := [term for term in by_hand if term.variable in collected]:
        variables = _are([str(term.variable) for term in both])
        sentence = f"{variables} penalised by hand and by a collected term."
        names = [term.name for term in both]
        yield found("uncollected_penalty", sentence, names, severity="warning")
        return
    names = [term.name for term in by_hand]
    sentence = (
        f"{_are(names)} added to the loss by hand, so REGULARIZATION_LOSSES does not "
        f"contain {'it' if len(names) == 1 else 'them'}."
    )
    yield found("uncollected_penalty", sentence, names)


def _are(names: list[str]) -> str:
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'}"


_RULES: tuple[Callable[[_Audited], Iterator[Finding]], ...] = (
    _not_in_loss,
    _scaled_again,
    _counted_twice,
    _raw_variable,
    _penalty_of_penalty,
    _duplicate_entry,
    _uncollected_penalty,
)
