"""A ``compute_loss`` of the user's own: what it adds up, found in the graph that it made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras

from tb_regplugin.capture.loss_capture import CapturedLoss
from tb_regplugin.terms import Term


def is_users(model: Any) -> bool:
    """Whether a model's ``compute_loss`` is not Keras' own."""
    return not type(model).compute_loss.__module__.startswith("keras.")


def take_apart(loss: CapturedLoss, terms: Sequence[Term]) -> tuple[list[Term], list[Any]] | None:
    """Returns the columns and values of a loss, total first; call it in the step.

    Args:
      loss: What was captured.
      terms: What its entries are.

    Returns:
      None where there is no graph: on other backends than TensorFlow, and in eager steps.
    """
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if not tf.is_symbolic_tensor(loss.total):
        return None
    from tb_regplugin.capture.graph.decompose import build_row, decompose

    data = [(value, Term(name, role="data")) for name, value in loss.data]
    known = {
        tensor.op.name: (tensor, term)
        for tensor, term in (*data, *zip(loss.entries, terms, strict=True))
        if tf.is_symbolic_tensor(tensor)
    }
    collection = [tensor for tensor, _ in known.values()]
    variables = [variable.value for variable in loss.model.variables]
    row = build_row(decompose(loss.total, collection, variables))
    columns = _as_keras_has_them(
        row.layout.columns, {name: term for name, (_, term) in known.items()}
    )
    # As in other models: total, data, entries; then what is in none of them.
    order = sorted(range(len(columns)), key=lambda at: _rank(columns[at], row.layout.columns[at]))
    values = tf.unstack(row.values)
    return [columns[at] for at in order], [values[at] for at in order]


def _rank(column: Term, found: Term) -> int:
    ranks = {"total": 0, "data": 1}
    return ranks.get(column.role, 2 if found.entry is not None else 3)


def _as_keras_has_them(columns: Sequence[Term], known: Mapping[str, Term]) -> list[Term]:
    """Describes columns that are an entry each by the entry: it knows more than the graph."""
    counts = Counter(column.entry for column in columns)
    described = []
    for column in columns:
        term = known.get(column.entry or "")
        if term is None or counts[column.entry] > 1:
            described.append(replace(column, entry=None))
            continue
        role = term.role if column.role == "penalty" else column.role
        # As the total has it, which may hold half of it.
        coefficient = column.coefficient if term.coefficient is not None else None
        described.append(replace(term, role=role, coefficient=coefficient, note=column.note))
    return described
