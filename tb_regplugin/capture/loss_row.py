"""The row that a Keras step puts into the recording."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from keras import ops

from tb_regplugin.capture import keras_terms, own_loss, weight_decay
from tb_regplugin.capture.loss_capture import CapturedLoss
from tb_regplugin.capture.term_names import with_distinct_names
from tb_regplugin.terms import Term

_UNSEEN = (
    "Calculated beside the training step, which does not call compute_loss: whether its loss "
    "holds this term is not known."
)


def of(loss: CapturedLoss, replicas: int) -> tuple[list[Term], list[Any]]:
    """Returns the columns and values of a step whose loss was captured; call it in the step.

    Args:
      loss: What was captured.
      replicas: Over how many replicas the values will be added up.
    """
    if not loss.entries:
        # A compute_loss of the user's own, perhaps: say what it could have added.
        for entry in loss.model.losses:
            loss.add_entry(entry, loss.model._aggregate_additional_loss(entry))
    terms = keras_terms.describe_losses(loss.model, loss.entries)
    found = own_loss.take_apart(loss, terms) if own_loss.is_users(loss.model) else None
    if found is None:
        data = with_distinct_names(Term(name, role="data") for name, _ in loss.data)
        columns = [Term("total", role="total"), *data, *terms]
        values = [loss.total, *(value for _, value in loss.data), *loss.values]
    else:
        columns, values = found
        columns = with_distinct_names(columns)
    decay_columns, decay_values = _weight_decay(loss.model, replicas)
    return columns + decay_columns, values + decay_values


def of_weights(model: Any, replicas: int) -> tuple[list[Term], list[Any]]:
    """Returns what can be said of a step that keeps its loss to itself: the weights' penalties.

    Args:
      model: The model, with the weights that the step begins with.
      replicas: Over how many replicas the values will be added up.
    """
    variables = keras_terms.regularized_variables(model)
    columns = [
        replace(term, note=_UNSEEN) for term in keras_terms.describe_variables(model, variables)
    ]
    values = [ops.sum(variable.regularizer(variable)) / replicas for variable in variables]
    decay_columns, decay_values = _weight_decay(model, replicas)
    return columns + decay_columns, values + decay_values


def _weight_decay(model: Any, replicas: int) -> tuple[list[Term], list[Any]]:
    strength = weight_decay.strength_of(model.optimizer)
    if strength is None:
        return [], []
    variables = weight_decay.decayed_variables(model)
    return (
        keras_terms.describe_weight_decay(model, variables, strength),
        [weight_decay.equivalent_loss(variable, strength / replicas) for variable in variables],
    )


def count_columns(model: Any) -> int:
    """How many columns a model's row will have, generously guessed."""
    return (
        1
        + len(getattr(model, "outputs", None) or [None])
        + len(weight_decay.decayed_variables(model))
        + keras_terms.count_regularized_variables(model)
        + keras_terms.count_possible_own_losses(model)
    )
