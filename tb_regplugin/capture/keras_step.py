"""A Keras model's training or validation step that also records its losses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any

import keras
from keras import ops

from tb_regplugin.capture import loss_row
from tb_regplugin.capture.gradient_capture import GradientCapture, can_capture
from tb_regplugin.capture.jax_state import TravellingState
from tb_regplugin.capture.loss_capture import CapturedLoss, LossCapture
from tb_regplugin.capture.recorded_step import DRAIN_ROWS, SPARE_COLUMNS, Rows, rows_by_layout
from tb_regplugin.capture.ring_buffer import RingBuffer
from tb_regplugin.capture.safety import RecordingError, overridden
from tb_regplugin.capture.step_kind import TEST, TRAIN, StepKind
from tb_regplugin.capture.unseen_step import PenaltiesBesideStep
from tb_regplugin.terms import Layout, Term

_CACHE_ATTRIBUTE = "_tb_regplugin_step"


class KerasStep:
    """Stands in for one ``train_function`` or ``test_function`` of a model.

    It computes what that function computes, with the same operations, and besides puts a row into
    a ring on the device. Between calls, the model knows nothing of it.

    Args:
      model: A compiled and built model.
      original: That function.
      kind: Which of the two it is.
      min_columns: How many values a row must have room for.
      gradients: Of how many recorded steps one has its gradients recorded; 0 for none.

    Attributes:
      original: The model's own function.
      failure: Why nothing more is recorded.
      missing_columns: How many columns a row should have had more.
      user: Who drains the ring.
    """

    def __init__(
        self,
        model: Any,
        original: Any,
        kind: StepKind = TRAIN,
        min_columns: int = 0,
        gradients: int = 0,
    ) -> None:
        self.original = original
        self._kind = kind
        self.failure: Exception | None = None
        self.missing_columns = 0
        self._has_noticed = False
        self.user: Any = None
        self.steps_per_execution = int(model.steps_per_execution)
        self._layouts: list[Layout] = []
        self._lock = threading.Lock()
        self._strategy = getattr(model, "distribute_strategy", None)
        self._replicas = 1 if self._strategy is None else self._strategy.num_replicas_in_sync
        columns = loss_row.count_columns(model) + SPARE_COLUMNS
        with nullcontext() if self._strategy is None else self._strategy.scope():
            self._ring = RingBuffer(
                DRAIN_ROWS + self.steps_per_execution, max(columns, min_columns)
            )
        self.gradients = gradients
        self._gradients: GradientCapture | None = None
        if gradients and kind is TRAIN and can_capture(self._strategy):
            self._gradients = GradientCapture(
                model, gradients, self._ring.rows, self._strategy, self._need_new_step
            )
        self._state = TravellingState(model, self._ring) if _is_jax() else None
        self._unseen = PenaltiesBesideStep(self._push, self._fail, self._state, self._replicas)
        self._capture = LossCapture(self._record, kind, self._unseen if kind is TRAIN else None)
        with self._instrumented(model), overridden(model, **{kind.function: None}):
            getattr(model, kind.make_function)(force=True)
            self._inner = model.__dict__[kind.function]

    @classmethod
    def of(cls, model: Any, original: Any, kind: StepKind = TRAIN, gradients: int = 0) -> KerasStep:
        """Returns the step for a model's function, the one from before where there is one.

        So a second ``fit`` compiles nothing anew, as without recording.
        """
        step = getattr(original, _CACHE_ATTRIBUTE, None)
        if (
            isinstance(step, cls)
            and step.failure is None
            and not step.missing_columns
            and step.steps_per_execution == model.steps_per_execution
            and step.gradients == gradients
        ):
            return step
        columns = 0
        if isinstance(step, cls):
            columns = step._ring.columns + step.missing_columns
        step = cls(model, original, kind, columns, gradients)
        # For a callable without attributes, each fit makes a new one.
        with suppress(AttributeError):
            setattr(original, _CACHE_ATTRIBUTE, step)
        return step

    @property
    def is_recording(self) -> bool:
        """Whether a step has come by whose losses could be recorded."""
        return bool(self._layouts)

    def pop_notice(self) -> str | None:
        """Returns what the user should know, once."""
        notice = self._notice()
        if notice is None or self._has_noticed:
            return None
        self._has_noticed = True
        return notice

    def _notice(self) -> str | None:
        if self._unseen.was_needed:
            return (
                "The model's train_step does not call compute_loss, so tb_regplugin can't see its "
                "loss. It records the penalties of the weights, calculated beside each step."
            )
        if self.gradients and self._kind is TRAIN and self._gradients is None:
            return (
                "tb_regplugin records losses and no gradients: these only on TensorFlow and "
                "PyTorch, and in one process."
            )
        if self._gradients is not None and self._gradients.failure is not None:
            return (
                f"tb_regplugin stopped recording gradients: {self._gradients.failure!r}. Losses "
                "are recorded, and your training goes on."
            )
        return None

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
        if self._gradients is not None:
            self._gradients.start(next_step, every)
        if self._state is not None:
            self._state.load()

    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's own function does, and records."""
        with self._instrumented(model):
            if self._state is None:
                return self._inner(*args)
            result, lost = self._state.call(self._inner, *args)
            if lost:
                self.failure = RecordingError("its train_step drops the state of metrics")
            return result

    def drain(self) -> list[Rows]:
        """Takes the rows that came since the last call."""
        rows = self._ring.drain(self._replicas, None if self._state is None else self._state.values)
        losses = rows_by_layout(rows, self._layouts, with_samples=self._kind is TEST)
        return losses if self._gradients is None else losses + self._gradients.drain()

    @contextmanager
    def _instrumented(self, model: Any) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._capture.installed(model))
            if self._gradients is not None:
                stack.enter_context(self._gradients.installed(model))
            if self._state is not None:
                stack.enter_context(self._state.attached())
            yield

    def _record(self, loss: CapturedLoss) -> None:
        """Adds a row; called inside of the training step, once a trace or once an eager step."""
        if self.failure is not None:
            return
        try:
            if self._state is not None:
                self._state.check_tracing()
            columns, values = loss_row.of(loss, self._replicas)
            self._push(columns, values, loss.samples if self._kind is TEST else None)
            if self._gradients is not None:
                self._gradients.expect(self._ring.last_step)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self._fail(error)

    def _push(self, columns: list[Term], values: list[Any], samples: Any = None) -> None:
        self._fit_into_row(columns, values)
        if samples is not None:
            values = self._weighted(values, samples)
        self._ring.push(self._label(Layout(tuple(columns))), values)

    def _need_new_step(self) -> None:
        self.missing_columns = max(1, self.missing_columns)

    def _fail(self, error: Exception) -> None:
        self.failure = error

    def _fit_into_row(self, columns: list[Term], values: list[Any]) -> None:
        """Adds up what is too much, for the one execution until a wider ring is there."""
        room = self._ring.columns - 1
        if len(values) > room:
            self.missing_columns = len(values) - room + SPARE_COLUMNS
            values[room - 1 :] = [sum(ops.cast(value, "float32") for value in values[room - 1 :])]
            columns[room - 1 :] = [Term("other terms", kind="custom")]

    def _weighted(self, values: list[Any], samples: Any) -> list[Any]:
        """The number of samples, and the values times it, as Keras' mean over batches has it."""
        samples = ops.convert_to_tensor(samples, "float32")
        # Losses come divided by the number of replicas, and the replicas' rows are added up.
        factor = samples * self._replicas
        return [samples, *(ops.cast(value, "float32") * factor for value in values)]

    def _label(self, layout: Layout) -> int:
        with self._lock:
            if layout not in self._layouts:
                self._layouts.append(layout)
            return self._layouts.index(layout)


def _is_jax() -> bool:
    return bool(keras.backend.backend() == "jax")
