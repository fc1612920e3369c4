"""A loss of a Keras model, taken apart by its graph and described by what Keras knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.graph.audit import counted_twice
from tb_regplugin.capture.graph.decompose import Decomposition, Part, build_row, decompose
from tb_regplugin.capture.row import CapturedLoss, Row
from tb_regplugin.terms import OUTSIDE_OF_LOSS, Role, Term, as_written, with_distinct_names


def take_apart(total: Any, losses: Sequence[CapturedLoss]) -> Row:
    """Returns what a loss adds up, total first: it may hold entries and data losses of these."""
    replicas = losses[0].replicas
    known: dict[str, tuple[Any, Term, int]] = {}
    for loss in losses:
        # A replica's data loss is its share, an entry all of it. The loss may hold a multiple of an
        # output, so that nothing is said of its chance level.
        outputs = [(value, Term(name, role="data"), 1) for name, value, _ in loss.named_data]
        entries = zip(loss.entries, loss.terms, [replicas] * len(loss.terms), strict=True)
        for tensor, term, divisor in (*outputs, *entries):
            # Those of a loop or function within the step can't be looked at from here.
            if tf.is_symbolic_tensor(tensor) and tensor.graph is total.graph:
                known[tensor.op.name] = tensor, term, divisor
    # Keras 3 wraps those of TensorFlow.
    variables = [v if hasattr(v, "handle") else v.value for v in losses[0].model.variables]
    found = decompose(total, [tensor for tensor, *_ in known.values()], variables)
    findings = counted_twice(found, {name: term for name, (_, term, _) in known.items()}, replicas)
    parts = _as_keras_has_them(found.parts, {name: facts for name, (_, *facts) in known.items()})
    row = build_row(Decomposition(found.total, parts, found.hyperparameters))
    columns, values = losses[0].decay
    return Row([*row.layout.columns, *columns], tf.unstack(row.values) + values, findings)


def _as_keras_has_them(parts: Iterable[Part], known: Mapping[str, list[Any]]) -> list[Part]:
    """Describes parts that are known by what is known: it knows more than the graph.

    What is known by one name, such as the data losses of several batches, becomes one part. First
    come data and entries, as in other models, then what is in none of them. ``known`` has terms by
    names of the graph, each with what a replica's value is divided by.
    """
    merged: dict[tuple[Term, Role], Part] = {}
    data: list[Part] = []
    others: list[Part] = []
    for part in parts:
        term, divisor = known.get(part.term.entry or "", (None, 1))
        if term is None:
            part.term = replace(part.term, entry=None)
            (data if part.term.role == "data" else others).append(part)
            continue
        role = term.role if part.term.role == "penalty" else part.term.role
        # As the total has it, which may hold half of it, or it twice.
        coefficient = part.term.coefficient if term.coefficient is not None else None
        if role in OUTSIDE_OF_LOSS:
            # The replicas' values are added up, and none divides it.
            for addend in part.addends:
                addend.weight = {key: f / divisor for key, f in addend.weight.items()}
        elif coefficient is not None:
            coefficient = as_written(coefficient * divisor)
        part.term = replace(term, role=role, coefficient=coefficient, note=part.term.note)
        before = merged.setdefault((term, role), part)
        if before is not part:
            before.addends += part.addends
            one, other = before.term.coefficient, coefficient
            both = None if one is None or other is None else as_written(one + other)
            before.term = replace(before.term, coefficient=both)
    own = [
        part
        for (term, role), part in merged.items()
        # Not what another pass of the step had, or what this one has.
        if role != "unused" or not (term.role == "data" or (term, term.role) in merged)
    ]
    own_data = [part for part in own if part.term.role == "data"]
    if len(data) == 1 and any(part.term.name == data[0].term.name for part in own):
        # Beside the model's own data loss, another one is called what it is.
        data[0].term = replace(data[0].term, name=data[0].addends[0].tensor.op.name)
    entries = [part for part in own if part.term.role != "data"]
    found = [*own_data, *data, *entries, *others]
    names = with_distinct_names(part.term for part in found)
    for part, term in zip(found, names, strict=True):
        part.term = term
    return found
