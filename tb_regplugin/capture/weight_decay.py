"""Decoupled weight decay: what an optimiser shrinks beside the loss."""

from __future__ import annotations

import math
from typing import Any


def strength_of(optimizer: Any) -> float | None:
    """Returns an optimiser's weight decay; None where it has none.

    Example:
      >>> import keras
      >>> strength_of(keras.optimizers.AdamW())
      0.004
      >>> strength_of(keras.optimizers.Adam())
    """
    # Where the loss is scaled, an optimiser is around the one that decays.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    try:
        strength = float(optimizer.weight_decay)
    except (AttributeError, TypeError, ValueError):
        return None
    return strength if strength and math.isfinite(strength) else None


def decayed_variables(model: Any) -> list[Any]:
    """Returns the variables that a model's optimiser decays."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if strength_of(optimizer) is None or not hasattr(optimizer, "_use_weight_decay"):
        return []
    return [v for v in model.trainable_variables if optimizer._use_weight_decay(v)]


def equivalent_loss(variable: Any, strength: float) -> Any:
    """Returns the loss whose gradient is what decay subtracts, before the learning rate."""
    import keras
    from keras import ops

    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # One operation a variable instead of three: there may be hundreds.
        return tf.nn.l2_loss(ops.cast(variable, "float32")) * strength
    weights = ops.stop_gradient(ops.cast(variable, "float32"))
    return ops.sum(ops.square(weights)) * (strength / 2)
