"""How hard each penalty pulls at its variable, beside the data loss.

The gradient of a penalty is known in closed form: of ``l2 * sum(w**2)`` it is ``2 * l2 * w``, of
``l1 * sum(abs(w))`` it is ``l1 * sign(w)`` (``keras.regularizers``). What the optimiser was given
minus that is the gradient of everything else in the loss, without a second backward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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


def measure(variables: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
    """Returns the values of these variables' columns.

    Args:
      variables: The variables, as they were when the loss was computed.
      gradients: Of the whole loss, one a variable.

    Returns:
      Three scalars a variable: the norm of the penalty's gradient, the norm of the gradient of the
      rest of the loss, and the cosine of the two; NaN where one of the norms is zero.
    """
    return [
        value
        for variable, gradient in zip(variables, gradients, strict=True)
        for value in _measure(variable, gradient)
    ]


def _measure(variable: Any, gradient: Any) -> tuple[Any, Any, Any]:
    weights = ops.reshape(ops.cast(variable, "float32"), (-1,))
    gradient = ops.reshape(ops.cast(gradient, "float32"), (-1,))
    l1, l2 = _slopes(variable.regularizer) or (0.0, 0.0)
    # The direction that the penalty pulls in, and how far: of L2, no vector is made.
    if _is_zero(l1):
        direction, factor = weights, ops.cast(2 * l2, "float32")
    else:
        direction, factor = l1 * ops.sign(weights) + 2 * l2 * weights, 1.0
    # From the difference itself: one of products would lose it where the penalty is much larger.
    data = gradient - factor * direction
    length, data_norm = _norm(direction), _norm(data)
    # Divided one after the other: the product of two small norms would be zero.
    cosine = ops.dot(direction, data) / length / data_norm
    return length * factor, data_norm, cosine


def _norm(vector: Any) -> Any:
    # As a product of vectors it is one operation, and faster than the sum of squares.
    return ops.sqrt(ops.dot(vector, vector))


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


def _is_zero(strength: Any) -> bool:
    return isinstance(strength, float) and strength == 0.0
