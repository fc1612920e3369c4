"""The row that a step of a tf_keras model puts into the recording."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from tb_regplugin.capture.regularizers import (
    as_written,
    decayed_variables,
    form_of,
    weight_decay_of,
)
from tb_regplugin.capture.tf_keras_capture import CapturedLoss
from tb_regplugin.terms import Term, with_distinct_names


def row_of(loss: CapturedLoss, replicas: int) -> tuple[list[Term], list[Any]]:
    """Returns the columns and values of a step whose loss was captured; call it in the step.

    Args:
      loss: What was captured.
      replicas: Over how many replicas the values will be added up.
    """
    model = loss.model
    entries = loss.entries or model.losses
    columns = [
        Term("total", role="total"),
        *with_distinct_names(Term(name, role="data") for name, _ in loss.data),
        *_describe_entries(model, len(entries)),
    ]
    values = [loss.total, *(value for _, value in loss.data)]
    values += [tf.cast(entry, tf.float32) / replicas for entry in entries]
    strength = weight_decay_of(model.optimizer)
    if strength is not None:
        variables = decayed_variables(model)
        columns += with_distinct_names(_describe_decay(model, v, strength) for v in variables)
        values += [tf.nn.l2_loss(tf.cast(v, tf.float32)) * (strength / replicas) for v in variables]
    return columns, values


def count_columns(model: Any) -> int:
    """How many columns a model's row will have, generously guessed."""
    layers = list(model._flatten_layers())
    if not model.built:
        # Nothing is known before the first step, which makes the variables and their penalties.
        return 1 + 16 * len(layers)
    losses = sum(4 + len(layer._callable_losses) for layer in layers)
    return 1 + losses + len(decayed_variables(model))


def _describe_entries(model: Any, count: int) -> list[Term]:
    """Names the entries of ``model.losses``, in the order in which Keras lists them."""
    terms = []
    for layer in model._flatten_layers():
        path = "" if layer is model else f"{layer.name}/"
        own = layer._eager_losses or layer._losses
        activity = getattr(layer, "_activity_regularizer", None)
        for number in range(1, len(own) + 1):
            # Keras adds a call's activity term after what the call itself added.
            if activity is not None and (number == len(own) or not _may_add_losses(layer)):
                strength = form_of(activity, tf_keras.regularizers).strength
                terms.append(Term(f"{path}activity", kind="activity", strength=strength))
            else:
                terms.append(Term(f"{path}add_loss", kind="add_loss"))
        terms += [_describe_callable(model, path, loss) for loss in layer._callable_losses]
    if len(terms) != count:
        terms = [Term(f"term {number}", kind="custom") for number in range(1, count + 1)]
    return with_distinct_names(terms)


def _may_add_losses(layer: Any) -> bool:
    return not type(layer).__module__.startswith("tf_keras.")


def _describe_callable(model: Any, path: str, loss: Any) -> Term:
    """Describes the penalty of a variable, which Keras keeps as a function."""
    try:
        # A partial of a partial of a function that closes over the regulariser.
        of_variable = loss.args[0]
        (variable,) = of_variable.args
        code, cells = of_variable.func.__code__, of_variable.func.__closure__
        closure = dict(zip(code.co_freevars, cells, strict=True))
        form = form_of(closure["regularizer"].cell_contents, tf_keras.regularizers)
        return _of_variable(model, variable, "", "penalty", form)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return Term(f"{path}add_loss", kind="add_loss")


def _describe_decay(model: Any, variable: Any, strength: float) -> Term:
    strength = as_written(strength)
    form = ("weight_decay", strength, strength / 2)
    return _of_variable(model, variable, " (weight decay)", "implicit", form)


def _of_variable(model: Any, variable: Any, suffix: str, role: Any, form: Sequence[Any]) -> Term:
    path = variable.name.partition(":")[0]
    shape = tuple(int(size) for size in variable.shape)
    kind, strength, coefficient = form
    # The model's own name, often a numbered one, would keep runs from lining up.
    name = path.removeprefix(f"{model.name}/") or path
    return Term(name + suffix, role, kind, strength, coefficient, path, shape, math.prod(shape))
