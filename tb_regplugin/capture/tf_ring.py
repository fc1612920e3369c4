"""A ring's TensorFlow variables, for the steps of tf_keras models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf


class TfRing:
    """The last rows of a training, and the number of its next step: a ``rows.Storage``.

    Make it in the scope of the model's strategy: there, rows become the sum over the replicas.

    Args:
      rows: How many rows it holds.
      columns: How many values fit into a row.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.rows = rows
        self.columns = columns
        # One row more: steps that are not to be recorded go there, so that no step branches.
        # One column more: the label.
        self._buffer = tf.Variable(
            tf.zeros([rows + 1, columns + 1]),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )
        self._next_step, self._every = (
            tf.Variable(
                tf.zeros([], tf.int64),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for _ in range(2)
        )

    def start(self, next_step: int, every: int) -> None:
        """Empties the ring. Call it outside of the step.

        Args:
          next_step: The number of the step that comes next.
          every: Of which steps rows are kept: those that it divides.
        """
        self._buffer.assign(tf.zeros_like(self._buffer))
        self._next_step.assign(next_step)
        self._every.assign(every)

    def write(self, label: int, values: Sequence[Any], step: Any = None) -> None:
        """Writes the row of a step, inside of it, and counts the step.

        Args:
          label: A small number.
          values: Tensors, at most ``columns``; of those that are no scalars, the sums.
          step: The number of the step; counted where it is None.
        """
        every = self._every.read_value()
        if step is None:
            step = self._next_step.read_value()
        scalars = [tf.reduce_sum(tf.cast(value, tf.float32)) for value in values]
        row = tf.stack([tf.constant(float(label)), *scalars])
        row = tf.pad(tf.stop_gradient(row), [[0, self.columns - len(scalars)]])
        slot = tf.where(step % every == 0, (step // every) % self.rows, self.rows)
        self._buffer.assign(
            tf.tensor_scatter_nd_update(
                self._buffer.read_value(), tf.reshape(slot, [1, 1]), row[tf.newaxis]
            )
        )
        self._next_step.assign(step + 1)

    def add_up(self, values: Sequence[Any]) -> Any:
        """Returns the float32 sum of values, inside of the step."""
        return tf.add_n([tf.reduce_sum(tf.cast(value, tf.float32)) for value in values])

    def weigh(self, values: Sequence[Any], samples: Any, replicas: int) -> list[Any]:
        """Returns ``samples``, and each value times ``samples * replicas``, in float32."""
        samples = tf.cast(samples, tf.float32)
        factor = samples * replicas
        return [samples, *(tf.cast(value, tf.float32) * factor for value in values)]

    def read(self) -> tuple[npt.NDArray[np.float32], int, int]:
        """Returns the buffer ``[rows + 1, 1 + columns]``, the next step's number, and ``every``."""
        next_step, every = int(self._next_step.numpy()), int(self._every.numpy())
        return self._buffer.numpy(), next_step, every
