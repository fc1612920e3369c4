"""A tf_keras model's training step that also records its losses."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tb_regplugin.capture.ineffective import find_ineffective
from tb_regplugin.capture.recorded_step import RecordedStep, StepKind
from tb_regplugin.capture.ring import DRAIN_ROWS, SPARE_COLUMNS, Ring
from tb_regplugin.capture.tf_keras import internals
from tb_regplugin.capture.tf_keras.loss import LossCapture, count_columns, describe_regularizer
from tb_regplugin.finding import Finding
from tb_regplugin.terms import Term


class TfKerasStep(RecordedStep):
    """A ``RecordedStep`` of a tf_keras model, which ``of`` makes."""

    def __init__(
        self, model: Any, original: Any, kind: StepKind, min_columns: int, steps: int
    ) -> None:
        strategy = model.distribute_strategy
        columns = max(count_columns(model) + SPARE_COLUMNS, min_columns)
        ring = RingVariables(DRAIN_ROWS + steps, columns, strategy)
        self._capture = LossCapture(ring)
        super().__init__(original, ring, steps, strategy, self._capture)
        with self._capture.installed(model):
            self._inner = internals.new_train_function(model)

    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's own function does, and records."""
        with self._capture.installed(model):
            return self._inner(*args)

    def audit(self, model: Any, columns: Sequence[Term]) -> tuple[Finding, ...]:
        """Finds penalties that count twice, and regularisers that reach no loss."""

        def acting_on(layer: Any, variable: Any) -> Any:
            known = filter(None, map(internals.regularized_by, internals.weight_losses(layer)))
            return next((regularizer for of, regularizer in known if of is variable), None)

        ineffective = find_ineffective(model, columns, describe_regularizer, acting_on)
        return super().audit(model, columns) + ineffective


class RingVariables(Ring):
    """A ring in variables of TensorFlow: its rows become the sum over a strategy's replicas."""

    def __init__(self, rows: int, columns: int, strategy: Any) -> None:
        super().__init__(rows, columns, strategy.num_replicas_in_sync)
        aggregations = tf.VariableAggregation
        variable = functools.partial(
            tf.Variable, trainable=False, synchronization=tf.VariableSynchronization.ON_READ
        )
        with strategy.scope():
            self._buffer = variable(tf.zeros([rows + 1, columns + 1]), aggregation=aggregations.SUM)
            self._next_step, self._every = (
                variable(tf.zeros([], tf.int64), aggregation=aggregations.ONLY_FIRST_REPLICA)
                for _ in range(2)
            )

    def start(self, next_step: int, every: int) -> None:
        """Empties it, outside of the step. Steps are kept that ``every`` divides."""
        super().start(next_step, every)
        self._buffer.assign(tf.zeros_like(self._buffer))
        self._next_step.assign(next_step)
        self._every.assign(every)

    def write(self, label: int, values: Sequence[Any], step: Any) -> None:
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
        """Returns the float32 sum of values, inside of the step."""
        return tf.add_n([_float32_sum(value) for value in values])

    def to_float32(self, value: Any) -> Any:
        """Returns a tensor or a number as a float32 tensor, inside of the step."""
        return tf.cast(value, tf.float32)

    def read(self) -> tuple[npt.NDArray[np.float32], int, int]:
        """Returns the buffer ``[rows + 1, 1 + columns]``, the next step's number, and ``every``."""
        return self._buffer.numpy(), int(self._next_step.numpy()), int(self._every.numpy())


def _float32_sum(value: Any) -> Any:
    return tf.reduce_sum(tf.cast(value, tf.float32))
