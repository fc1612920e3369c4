"""A tf_keras model's training or validation step that also records its losses."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import tensorflow as tf

from tb_regplugin.capture import tf_keras_row
from tb_regplugin.capture.recorded_step import DRAIN_ROWS, SPARE_COLUMNS, Rows, rows_by_layout
from tb_regplugin.capture.safety import overridden
from tb_regplugin.capture.step_kind import TEST, StepKind
from tb_regplugin.capture.tf_keras_capture import CapturedLoss, LossCapture
from tb_regplugin.capture.tf_ring import TfRing
from tb_regplugin.terms import Layout, Term

_CACHE_ATTRIBUTE = "_tb_regplugin_step"


class TfKerasStep:
    """Stands in for one ``train_function`` or ``test_function`` of a model, as ``RecordedStep``.

    Args:
      model: A compiled model.
      original: That function.
      kind: Which of the two it is.
      min_columns: How many values a row must have room for.
    """

    def __init__(self, model: Any, original: Any, kind: StepKind, min_columns: int = 0) -> None:
        self.original: Any = original
        self.failure: Exception | None = None
        self.missing_columns = 0
        self.user: Any = None
        self.steps_per_execution = _steps_per_execution(model)
        self._kind = kind
        self._layouts: list[Layout] = []
        self._lock = threading.Lock()
        self._strategy = model.distribute_strategy
        self._replicas = self._strategy.num_replicas_in_sync
        columns = max(tf_keras_row.count_columns(model) + SPARE_COLUMNS, min_columns)
        with self._strategy.scope():
            self._ring = TfRing(DRAIN_ROWS + self.steps_per_execution, columns)
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

    @classmethod
    def of(cls, model: Any, original: Any, kind: StepKind) -> TfKerasStep:
        """Returns the step for a model's function, the one from before where there is one."""
        step = getattr(original, _CACHE_ATTRIBUTE, None)
        if (
            isinstance(step, cls)
            and step.failure is None
            and not step.missing_columns
            and step.steps_per_execution == _steps_per_execution(model)
        ):
            return step
        columns = 0
        if isinstance(step, cls):
            columns = step._ring.columns + step.missing_columns
        step = cls(model, original, kind, columns)
        with suppress(AttributeError):
            setattr(original, _CACHE_ATTRIBUTE, step)
        return step

    @property
    def is_recording(self) -> bool:
        """Whether a step has come by whose losses could be recorded."""
        return bool(self._layouts)

    @property
    def next_step(self) -> int:
        """The number of the next step, as of the last ``drain``."""
        return self._ring.read_up_to

    @property
    def is_collective(self) -> bool:
        """Whether all workers must drain together, because rows are summed over them."""
        return bool(self._strategy.extended._in_multi_worker_mode())

    def pop_notice(self) -> str | None:
        """Returns what the user should know, once."""
        return None

    def start(self, next_step: int, every: int) -> None:
        """Begins a training at a step; what was not drained is lost."""
        self._ring.start(next_step, every)

    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's own function does, and records."""
        with self._capture.installed(model):
            return self._inner(*args)

    def drain(self) -> list[Rows]:
        """Takes the rows that came since the last call."""
        rows = self._ring.drain(self._replicas)
        return rows_by_layout(rows, self._layouts, with_samples=self._kind is TEST)

    def _record(self, loss: CapturedLoss) -> None:
        """Adds a row; called inside of the step, once a trace or once an eager step."""
        if self.failure is not None:
            return
        try:
            columns, values = tf_keras_row.row_of(loss, self._replicas)
            self._fit_into_row(columns, values)
            if self._kind is TEST:
                samples = tf.cast(loss.samples, tf.float32)
                # Losses come divided by the number of replicas, whose rows are added up.
                factor = samples * self._replicas
                values = [samples, *(tf.cast(value, tf.float32) * factor for value in values)]
            self._ring.push(self._label(Layout(tuple(columns))), values)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self.failure = error

    def _fit_into_row(self, columns: list[Term], values: list[Any]) -> None:
        """Adds up what is too much, for the one execution until a wider ring is there."""
        room = self._ring.columns - 1
        if len(values) > room:
            self.missing_columns = len(values) - room + SPARE_COLUMNS
            values[room - 1 :] = [tf.add_n([tf.cast(v, tf.float32) for v in values[room - 1 :]])]
            columns[room - 1 :] = [Term("other terms", kind="custom")]

    def _label(self, layout: Layout) -> int:
        with self._lock:
            if layout not in self._layouts:
                self._layouts.append(layout)
            return self._layouts.index(layout)


def _steps_per_execution(model: Any) -> int:
    steps = model._steps_per_execution
    return 1 if steps is None else int(steps.numpy())
