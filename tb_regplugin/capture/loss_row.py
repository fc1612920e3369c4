"""The row that a Keras step puts into the recording."""

from __future__ import annotations

from typing import Any

from tb_regplugin.capture import keras_terms
from tb_regplugin.capture.loss_capture import CapturedLoss
from tb_regplugin.terms import Term


def of(loss: CapturedLoss) -> tuple[list[Term], list[Any]]:
    """Returns the columns and values of a step whose loss was captured; call it in the step."""
    if not loss.entries:
        # A compute_loss of the user's own, perhaps: say what it could have added.
        for entry in loss.model.losses:
            loss.add_entry(entry, loss.model._aggregate_additional_loss(entry))
    columns = [Term("total", role="total")]
    values = [loss.total]
    if loss.data is not None:
        columns.append(Term("data", role="data"))
        values.append(loss.data)
    columns += keras_terms.describe_losses(loss.model, loss.entries)
    values += loss.values
    return columns, values


def count_columns(model: Any) -> int:
    """How many columns a model's row will have, generously guessed."""
    return (
        2
        + keras_terms.count_regularized_variables(model)
        + keras_terms.count_possible_own_losses(model)
    )
