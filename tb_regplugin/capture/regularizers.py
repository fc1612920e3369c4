"""What regularisers and weight decay compute, in either Keras. Imports neither."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tb_regplugin.capture import internals
from tb_regplugin.terms import Kind, as_written


class RegularizerForm(NamedTuple):
    """What a regulariser computes, as far as it is known."""

    kind: Kind
    strength: float | tuple[float, float] | None = None
    coefficient: float | None = None


def form_of(regularizer: Any, regularizers: Any) -> RegularizerForm:
    """Reads a weight regulariser's form; a callable that Keras doesn't know is ``"custom"``.

    Args:
      regularizer: What a layer was given, or made of a string.
      regularizers: ``keras.regularizers``, of either Keras.

    Example:
      >>> import keras
      >>> form_of(keras.regularizers.L2(0.01), keras.regularizers)
      RegularizerForm(kind='l2', strength=0.01, coefficient=0.01)
    """
    # A subclass that computes something else has a __call__ of its own.
    call = getattr(type(regularizer), "__call__", None)  # noqa: B004
    try:
        if call is regularizers.L1.__call__:
            strength = as_written(regularizer.l1)
            return RegularizerForm("l1", strength, strength)
        if call is regularizers.L2.__call__:
            strength = as_written(regularizer.l2)
            return RegularizerForm("l2", strength, strength)
        if call is regularizers.L1L2.__call__:
            return RegularizerForm(
                "l1_l2", (as_written(regularizer.l1), as_written(regularizer.l2))
            )
        if call is regularizers.OrthogonalRegularizer.__call__:
            return RegularizerForm("orthogonal", as_written(regularizer.factor))
    except (TypeError, ValueError, AttributeError, RuntimeError):
        # Its strength can't be read, such as a tensor of a graph that is gone.
        pass
    return RegularizerForm("custom")


def weight_decay_of(optimizer: Any) -> float | None:
    """Returns an optimiser's decoupled weight decay; None where it has none.

    Example:
      >>> import keras
      >>> weight_decay_of(keras.optimizers.AdamW())
      0.004
      >>> weight_decay_of(keras.optimizers.Adam())
    """
    # Where the loss is scaled, an optimiser is around the one that decays.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    try:
        strength = float(optimizer.weight_decay)
    except (AttributeError, TypeError, ValueError):
        return None
    return strength if strength and math.isfinite(strength) else None


def decayed_variables(model: Any) -> list[Any]:
    """Returns the variables that a model's optimiser decays, beside the loss."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if weight_decay_of(optimizer) is None:
        return []
    return internals.decayed_by(optimizer, model.trainable_variables)
