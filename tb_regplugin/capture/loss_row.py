"""The row that a Keras step puts into the recording."""

from __future__ import annotations

from typing import Any

from tb_regplugin.capture import keras_terms, weight_decay
from tb_regplugin.capture.loss_capture import CapturedLoss
from tb_regplugin.terms import Term


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
    columns = [Term("total", role="total")]
    columns += keras_terms.with_distinct_names(Term(name, role="data") for name, _ in loss.data)
    columns += keras_terms.describe_losses(loss.model, loss.entries)
    values = [loss.total, *(value for _, value in loss.data), *loss.values]
    strength = weight_decay.strength_of(loss.model.optimizer)
    if strength is not None:
        variables = weight_decay.decayed_variables(loss.model)
        columns += keras_terms.describe_weight_decay(loss.model, variables, strength)
        values += [weight_decay.equivalent_loss(v, strength / replicas) for v in variables]
    return columns, values


def count_columns(model: Any) -> int:
    """How many columns a model's row will have, generously guessed."""
    return (
        1
        + len(getattr(model, "outputs", None) or [None])
        + len(weight_decay.decayed_variables(model))
        + keras_terms.count_regularized_variables(model)
        + keras_terms.count_possible_own_losses(model)
    )
