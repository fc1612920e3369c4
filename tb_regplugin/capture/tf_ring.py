"""A ring of rows in TensorFlow variables, for the steps of tf_keras models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.recorded_step import RingRows, take_rows


class TfRing:
    """The last rows of a training, and the number of its next step.

    Make it in the scope of the model's strategy: there, rows become the sum over the replicas.

    Args:
      rows: How many rows it holds.
      columns: How many values fit into a row.

    Attributes:
      read_up_to: The number of the first step that ``drain`` has not seen yet.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.rows = rows
        self.columns = columns
        self.read_up_to = 0
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
        self.read_up_to = next_step

    def push(self, label: int, values: Sequence[Any]) -> None:
        """Adds the row of one step. Call it once a step, inside of the step.

        Args:
          label: Any small number, to find out later what the values are.
          values: Tensors, at most ``columns``; of those that are no scalars, the sums.
        """
        step, every = self._next_step.read_value(), self._every.read_value()
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

    def drain(self, replicas: int) -> RingRows:
        """Takes out the rows that came since the last call.

        Args:
          replicas: Over how many replicas the rows are summed.
        """
        next_step = int(self._next_step.numpy())
        read_up_to, self.read_up_to = self.read_up_to, next_step
        every = int(self._every.numpy())
        return take_rows(self._buffer.numpy(), read_up_to, next_step, every, replicas)
