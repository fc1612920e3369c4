"""A Keras model's training step that also records its losses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from itertools import pairwise
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from keras.src.backend import get_stateless_scope

from tb_regplugin.capture import keras_terms
from tb_regplugin.capture.fail_safe import RecordingError
from tb_regplugin.capture.instance_overrides import overridden
from tb_regplugin.capture.loss_capture import CapturedLoss, LossCapture
from tb_regplugin.capture.ring_buffer import RingBuffer
from tb_regplugin.terms import Layout, Term

# How many rows wait on the device at most.
DRAIN_ROWS = 64
# Room for losses that could not be foreseen.
_SPARE_COLUMNS = 16

_CACHE_ATTRIBUTE = "_tb_regplugin_step"


class Rows(NamedTuple):
    """Recorded rows of one layout."""

    layout: Layout
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]


class RecordedStep:
    """Stands in for one ``train_function`` of a model.

    It computes what that function computes, with the same operations, and besides puts a row into
    a ring on the device. Between calls, the model knows nothing of it.

    Args:
      model: A compiled and built model.
      original: Its ``train_function``.
      min_columns: How many values a row must have room for.

    Attributes:
      original: The model's own ``train_function``.
      failure: Why nothing more is recorded.
      missing_columns: How many columns a row should have had more.
      user: Who drains the ring.
    """

    def __init__(self, model: Any, original: Any, min_columns: int = 0) -> None:
        self.original = original
        self.failure: Exception | None = None
        self.missing_columns = 0
        self.user: Any = None
        self.steps_per_execution = int(model.steps_per_execution)
        self._layouts: list[Layout] = []
        self._lock = threading.Lock()
        self._capture = LossCapture(self._record)
        self._strategy = getattr(model, "distribute_strategy", None)
        columns = (
            2
            + keras_terms.count_regularized_variables(model)
            + keras_terms.count_possible_own_losses(model)
            + _SPARE_COLUMNS
        )
        with nullcontext() if self._strategy is None else self._strategy.scope():
            self._ring = RingBuffer(
                DRAIN_ROWS + self.steps_per_execution, max(columns, min_columns)
            )
        self._state = _TravellingState(model, self._ring) if _is_jax() else None
        with self._instrumented(model), overridden(model, train_function=None):
            model.make_train_function(force=True)
            self._inner = model.__dict__["train_function"]

    @classmethod
    def of(cls, model: Any, original: Any) -> RecordedStep:
        """Returns the step for a ``train_function``, the one from before where there is one.

        So a second ``fit`` compiles nothing anew, as without recording.
        """
        step = getattr(original, _CACHE_ATTRIBUTE, None)
        if (
            isinstance(step, cls)
            and step.failure is None
            and not step.missing_columns
            and step.steps_per_execution == model.steps_per_execution
        ):
            return step
        columns = 0
        if isinstance(step, cls):
            columns = step._ring.columns + step.missing_columns
        step = cls(model, original, columns)
        # For a callable without attributes, each fit makes a new one.
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
        return self._strategy is not None and self._strategy.extended._in_multi_worker_mode()

    def start(self, next_step: int, every: int) -> None:
        """Begins a training at a step; what was not drained is lost."""
        self._ring.start(next_step, every)
        if self._state is not None:
            self._state.load()

    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's ``train_function`` does, and records."""
        with self._instrumented(model):
            if self._state is None:
                return self._inner(*args)
            result, lost = self._state.call(self._inner, *args)
            if lost:
                self.failure = RecordingError("its train_step drops the state of metrics")
            return result

    def drain(self) -> list[Rows]:
        """Takes the rows that came since the last call."""
        replicas = 1 if self._strategy is None else self._strategy.num_replicas_in_sync
        rows = self._ring.drain(replicas, None if self._state is None else self._state.values)
        bounds = [0, *(np.flatnonzero(np.diff(rows.labels)) + 1).tolist(), len(rows.labels)]
        drained = []
        for first, end in pairwise(bounds):
            if end > first:
                layout = self._layouts[rows.labels[first]]
                values = rows.values[first:end, : len(layout.columns)]
                drained.append(Rows(layout, rows.steps[first:end], values))
        return drained

    @contextmanager
    def _instrumented(self, model: Any) -> Iterator[None]:
        with self._capture.installed(model):
            if self._state is None:
                yield
            else:
                with self._state.attached():
                    yield

    def _record(self, loss: CapturedLoss) -> None:
        """Adds a row; called inside of the training step, once a trace or once an eager step."""
        if self.failure is not None:
            return
        try:
            if self._state is not None:
                self._state.check_tracing()
            if not loss.entries:
                # A compute_loss of the user's own, perhaps: say what it could have added.
                for entry in loss.model.losses:
                    loss.add_entry(entry, loss.model._aggregate_additional_loss(entry))
            columns = [Term("total", role="total")]
            values = [loss.total]
            if loss.data is not None:
                columns.append(Term("data", role="data"))
                values.append(loss.data)
            columns += keras_terms.describe_losses(loss.model, loss.entries)
            values += loss.values
            self._fit_into_row(columns, values)
            self._ring.push(self._label(Layout(tuple(columns))), values)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self.failure = error

    def _fit_into_row(self, columns: list[Term], values: list[Any]) -> None:
        """Adds up what is too much, for the one execution until a wider ring is there."""
        room = self._ring.columns
        if len(values) > room:
            self.missing_columns = len(values) - room + _SPARE_COLUMNS
            values[room - 1 :] = [sum(ops.cast(value, "float32") for value in values[room - 1 :])]
            columns[room - 1 :] = [Term("other terms", kind="custom")]

    def _label(self, layout: Layout) -> int:
        with self._lock:
            if layout not in self._layouts:
                self._layouts.append(layout)
            return self._layouts.index(layout)


class _TravellingState:
    """A ring on JAX, where variables go into a step and come out of it as its state.

    For the length of a step, the ring is a part of the model's first metric: so its variables are
    among ``model.metrics_variables``, and ``model.metrics`` is what it was.
    """

    def __init__(self, model: Any, ring: RingBuffer) -> None:
        self.values: list[Any] = []
        self._ring = ring
        if not model.metrics:
            raise RecordingError("on JAX, a model without any metric can't be recorded")
        self._host = model.metrics[0]
        before = len(model.metrics_variables)
        with self.attached():
            ids = [id(variable) for variable in model.metrics_variables]
        own = [id(variable) for variable in ring.variables]
        self._first = ids.index(own[0]) if own[0] in ids else -1
        self._end = self._first + len(own)
        if len(ids) != before + len(own) or ids[self._first : self._end] != own:
            raise RecordingError(
                f"its metric {self._host.name!r} does not list the variables of its parts"
            )

    @contextmanager
    def attached(self) -> Iterator[None]:
        parts = self._host._metrics
        parts.append(self._ring)
        try:
            yield
        finally:
            parts.remove(self._ring)

    def load(self) -> None:
        self.values = [variable.value for variable in self._ring.variables]

    def call(self, function: Any, state: Any, *args: Any) -> tuple[Any, bool]:
        """Calls a train function with the ring in its state.

        Returns:
          What it returned, without the ring, and whether the ring got lost on the way.
        """
        *others, metrics = state
        count = len(metrics)
        metrics = [*metrics[: self._first], *self.values, *metrics[self._first :]]
        logs, (*others, metrics) = function((*others, metrics), *args)
        if len(metrics) != count + len(self.values):
            return (logs, (*others, metrics)), True
        self.values = list(metrics[self._first : self._end])
        metrics = [*metrics[: self._first], *metrics[self._end :]]
        return (logs, (*others, metrics)), False

    def check_tracing(self) -> None:
        scope = get_stateless_scope()
        if scope is None or scope.get_current_value(self._ring.variables[0]) is None:
            raise RecordingError("its train_step calls compute_loss without the metrics' state")


def _is_jax() -> bool:
    return bool(keras.backend.backend() == "jax")
