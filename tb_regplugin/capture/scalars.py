"""Scalars of any float type and shape as one vector, with as few operations as possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def stack_scalars(values: Sequence[Any]) -> Any:
    """Returns a float32 vector of tensors or numbers of one element each.

    It adds one operation for all scalars that are float32 already: with hundreds of terms, each
    operation more a term is felt.
    """
    return tf.stack([_float32_scalar(value) for value in values])


def _float32_scalar(value: Any) -> Any:
    if not tf.is_tensor(value) or value.dtype != tf.float32:
        value = tf.cast(value, tf.float32)
    return value if value.shape.rank == 0 else tf.reshape(value, ())
