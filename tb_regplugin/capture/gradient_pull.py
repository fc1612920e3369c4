"""How hard each penalty pulls at its variable, beside the data loss.

The gradient of a penalty is known in closed form: of ``l2 * sum(w**2)`` it is ``2 * l2 * w``, of
``l1 * sum(abs(w))`` it is ``l1 * sign(w)`` (``keras.regularizers``). What the optimiser was given
minus that is the gradient of everything else in the loss, without a second backward pass. The
step computes sums alone; what they amount to is calculated when rows leave the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from tb_regplugin.capture import keras_terms
from tb_regplugin.terms import GRADIENT_ROLES, Term


def pulled_variables(model: Any) -> list[Any]:
    """Returns the variables whose penalty's gradient is known in closed form."""
    return [v for v in keras_terms.regularized_variables(model) if _slopes(v.regularizer)]


def describe(model: Any, variables: Sequence[Any]) -> list[Term]:
    """Returns the columns of these variables: three each, in the order of ``GRADIENT_ROLES``."""
    return [
        replace(term, role=role)
        for term in keras_terms.describe_variables(model, variables)
        for role in GRADIENT_ROLES
    ]


def factors(variables: Sequence[Any]) -> tuple[float, ...]:
    """Returns by which number each variable's direction is multiplied to be its gradient."""
    return tuple(2 * float(v.regularizer.l2) if _is_plain_l2(v) else 1.0 for v in variables)


def measure(variables: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
    """Returns what the step must compute for these variables' columns.

    Args:
      variables: The variables, as they were when the loss was computed.
      gradients: Of the whole loss, one a variable.

    Returns:
      Three scalars a variable: half the squared length of the penalty's direction, half that of
      the gradient of the rest of the loss, and the product of the two vectors.
    """
    return [
        value
        for variable, gradient in zip(variables, gradients, strict=True)
        for value in _measure(variable, ops.cast(gradient, "float32"))
    ]


def finish(measured: npt.NDArray[np.float32], factors: Sequence[float]) -> npt.NDArray[np.float32]:
    """Returns the columns of rows that were measured.

    Args:
      measured: float32 ``[rows, 3 * variables]``, as ``measure`` returned them.
      factors: Of these variables.

    Returns:
      float32 ``[rows, 3 * variables]``: the norm of the penalty's gradient, that of the gradient
      of the rest of the loss, and their cosine, NaN where one of the norms is zero.
    """
    halves = measured.astype(np.float64).reshape(len(measured), len(factors), 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        length, data = np.sqrt(2 * halves[..., 0]), np.sqrt(2 * halves[..., 1])
        columns = [length * np.array(factors), data, halves[..., 2] / (length * data)]
    return np.stack(columns, axis=2).reshape(measured.shape).astype(np.float32)


def _measure(variable: Any, gradient: Any) -> tuple[Any, Any, Any]:
    weights = ops.cast(variable, "float32")
    if _is_plain_l2(variable):
        direction, penalty = weights, weights * (2 * variable.regularizer.l2)
    else:
        l1, l2 = _slopes(variable.regularizer) or (0.0, 0.0)
        direction = penalty = l1 * ops.sign(weights) + 2 * l2 * weights
    # From the difference itself: one of products would lose it where the penalty is much larger.
    data = gradient - penalty
    return _half_square(direction), _half_square(data), ops.sum(direction * data)


def _half_square(vector: Any) -> Any:
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # A third of the time: it makes no vector of squares.
        return tf.nn.l2_loss(vector)
    return ops.sum(ops.square(vector)) / 2


def _is_plain_l2(variable: Any) -> bool:
    """Whether the penalty is L2 alone, of a strength that stays: most are."""
    l1, l2 = _slopes(variable.regularizer) or (None, None)
    return isinstance(l1, float) and l1 == 0.0 and isinstance(l2, int | float)


def _slopes(regularizer: Any) -> tuple[Any, Any] | None:
    """The strengths of L1 and L2, as the loss uses them; None where the form is not known."""
    match keras_terms.describe_regularizer(regularizer).kind:
        case "l1":
            return regularizer.l1, 0.0
        case "l2":
            return 0.0, regularizer.l2
        case "l1_l2":
            return regularizer.l1, regularizer.l2
        case _:
            return None
