"""A tf_keras model's training or validation step that also records its losses."""

from __future__ import annotations

from typing import Any

from tb_regplugin.capture import tf_keras_row
from tb_regplugin.capture.recorded_step import TEST, RecordedStep, StepKind
from tb_regplugin.capture.rows import DRAIN_ROWS, SPARE_COLUMNS, Ring
from tb_regplugin.capture.safety import overridden
from tb_regplugin.capture.tf_keras_capture import CapturedLoss, LossCapture
from tb_regplugin.capture.tf_ring import TfRing


class TfKerasStep(RecordedStep):
    """A ``RecordedStep`` of a tf_keras model.

    Args:
      model: A compiled model.
      original: Its own function.
      kind: Which of the two that is.
      min_columns: How many values a row must have room for.
    """

    def __init__(self, model: Any, original: Any, kind: StepKind, min_columns: int = 0) -> None:
        strategy = model.distribute_strategy
        steps_per_execution = _steps_per_execution(model)
        columns = max(tf_keras_row.count_columns(model) + SPARE_COLUMNS, min_columns)
        with strategy.scope():
            variables = TfRing(DRAIN_ROWS + steps_per_execution, columns)
        ring = Ring(variables, strategy.num_replicas_in_sync)
        super().__init__(original, ring, steps_per_execution, strategy)
        self._kind = kind
        self._capture = LossCapture(self._record, kind)
        # What Keras keeps beside the function.
        also_made = kind.function.replace("_function", "_tf_function")
        before = model.__dict__.get(also_made)
        with self._capture.installed(model), overridden(model, **{kind.function: None}):
            getattr(model, kind.make_function)(force=True)
            self._inner = model.__dict__[kind.function]
        # As Keras does it: the model tracks what is set.
        setattr(model, kind.function, original)
        if also_made in model.__dict__:
            setattr(model, also_made, before)

    def fits(self, model: Any, *options: Any) -> bool:
        """Whether a new one for this model would be the same."""
        return self.steps_per_execution == _steps_per_execution(model)

    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's own function does, and records."""
        with self._capture.installed(model):
            return self._inner(*args)

    def _record(self, loss: CapturedLoss) -> None:
        """Adds a row; called inside of the step, once a trace or once an eager step."""
        if self.ring.failure is not None:
            return
        try:
            columns, values = tf_keras_row.row_of(loss, self.ring.replicas)
            self.ring.push(columns, values, loss.samples if self._kind is TEST else None)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self.ring.failure = error


def _steps_per_execution(model: Any) -> int:
    steps = model._steps_per_execution
    return 1 if steps is None else int(steps.numpy())
