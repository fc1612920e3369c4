"""A tf_keras model's training step that also records its losses."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tb_regplugin.capture.recorded_step import RecordedStep, StepKind
from tb_regplugin.capture.rows import DRAIN_ROWS, SPARE_COLUMNS, Ring
from tb_regplugin.capture.tf_keras import internals
from tb_regplugin.capture.tf_keras.loss import CapturedLoss, LossCapture, count_columns, row_of


class TfKerasStep(RecordedStep):
    """A ``RecordedStep`` of a tf_keras model.

    Args:
      model: A compiled model.
      original: Its own function.
      kind: Which of its functions: that of training.
      min_columns: How many values a row must have room for.
    """

    def __init__(self, model: Any, original: Any, kind: StepKind, min_columns: int = 0) -> None:
        strategy = model.distribute_strategy
        steps = internals.steps_per_execution(model)
        columns = max(count_columns(model) + SPARE_COLUMNS, min_columns)
        with strategy.scope():
            variables = RingVariables(DRAIN_ROWS + steps, columns)
        super().__init__(original, Ring(variables, strategy.num_replicas_in_sync), steps, strategy)
        self._capture = LossCapture(functools.partial(self.ring.attempt, self._record))
        with self._capture.installed(model):
            self._inner = internals.new_train_function(model)

    def fits(self, model: Any, *options: Any) -> bool:
        """Whether a new one for this model would be the same."""
        return self.steps_per_execution == internals.steps_per_execution(model)

    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's own function does, and records."""
        with self._capture.installed(model):
            return self._inner(*args)

    def _record(self, model: Any, loss: CapturedLoss) -> None:
        self.ring.push(*row_of(model, loss, self.ring.replicas))


class RingVariables:
    """The last rows of a training, and the number of its next step: a ``rows.Storage``.

    Make it in the scope of the model's strategy: there, rows become the sum over the replicas.

    Args:
      rows: How many rows it holds.
      columns: How many values fit into a row.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.rows = rows
        self.columns = columns
        aggregation = tf.VariableAggregation
        # One row more: steps that are not kept go there, so that no step branches. One column
        # more: the label.
        self._buffer = _variable(tf.zeros([rows + 1, columns + 1]), aggregation.SUM)
        self._next_step, self._every = (
            _variable(tf.zeros([], tf.int64), aggregation.ONLY_FIRST_REPLICA) for _ in range(2)
        )

    def start(self, next_step: int, every: int) -> None:
        """Empties it, outside of the step. Steps are kept that ``every`` divides."""
        self._buffer.assign(tf.zeros_like(self._buffer))
        self._next_step.assign(next_step)
        self._every.assign(every)

    def write(self, label: int, values: Sequence[Any], step: Any = None) -> None:
        """Writes the row of a step, inside of it, and counts the step."""
        every = self._every.read_value()
        step = self._next_step.read_value() if step is None else step
        row = tf.stack([tf.constant(float(label)), *map(_float32_sum, values)])
        row = tf.pad(tf.stop_gradient(row), [[0, self.columns - len(values)]])
        slot = tf.where(step % every == 0, (step // every) % self.rows, self.rows)
        self._buffer.assign(
            tf.tensor_scatter_nd_update(
                self._buffer.read_value(), tf.reshape(slot, [1, 1]), row[tf.newaxis]
            )
        )
        self._next_step.assign(step + 1)

    def add_up(self, values: Sequence[Any]) -> Any:
        """Returns the float32 sum of scalars, inside of the step."""
        return tf.add_n([_float32_sum(value) for value in values])

    def weigh(self, values: Sequence[Any], samples: Any, replicas: int) -> list[Any]:
        """Returns ``samples``, and each value times ``samples * replicas``, in float32."""
        samples = tf.cast(samples, tf.float32)
        return [samples, *(_float32_sum(value) * samples * replicas for value in values)]

    def read(self) -> tuple[npt.NDArray[np.float32], int, int]:
        """Returns the buffer ``[rows + 1, 1 + columns]``, the next step's number, and ``every``."""
        return self._buffer.numpy(), int(self._next_step.numpy()), int(self._every.numpy())


def _variable(value: Any, aggregation: Any) -> Any:
    return tf.Variable(
        value,
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=aggregation,
    )


def _float32_sum(value: Any) -> Any:
    return tf.reduce_sum(tf.cast(value, tf.float32))
