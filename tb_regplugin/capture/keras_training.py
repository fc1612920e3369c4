"""One training of one Keras model, brought from the device to the writer row by row."""

from __future__ import annotations

import math
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tb_regplugin.capture import step_numbers
from tb_regplugin.capture.armed_function import ArmedFunction, function_of
from tb_regplugin.capture.recorded_step import DRAIN_ROWS, RecordedStep, StepFactory
from tb_regplugin.capture.safety import FailSafe, RecordingError, is_chief
from tb_regplugin.capture.step_kind import TRAIN


class RecordedTraining:
    """A training from ``on_train_begin`` to ``on_train_end``, or to what cut it short.

    Args:
      model: The model.
      step_of: Makes its recorded steps.
      append: Takes rows: a layout, their steps, wall times and values.
      fail_safe: Keeps what goes wrong out of the training.
      every: Of which steps rows are recorded: those that it divides.
      drain_secs: How long a row may wait on the device.
    """

    def __init__(
        self,
        model: Any,
        step_of: StepFactory,
        append: Callable[..., None],
        fail_safe: FailSafe,
        *,
        every: int,
        drain_secs: float,
    ) -> None:
        self._model = model
        self._step_of = step_of
        self._append = append
        self._fail_safe = fail_safe
        self._every = every
        self._drain_secs = drain_secs
        self._is_chief = is_chief(getattr(model, "distribute_strategy", None))
        # Each fit has a new one.
        self._history = model.__dict__.get("history")
        self._step: RecordedStep | None = None
        self._armed: ArmedFunction | None = None
        self._first_step = 0
        self._first_iterations: int | None = None
        # When which number of steps was reached, since the last drain.
        self._marks: list[tuple[int, float]] = []
        self._expected_step = 0

    def arm(self) -> None:
        """Lets the model's next ``train_function`` call be recorded."""
        current = function_of(self._model, TRAIN, self._armed)
        if current is None:
            return
        if (
            self._step is None
            or self._step.original is not current
            or self._step.missing_columns > 0
        ):
            self._take_step(self._step_of(self._model, current, TRAIN))
        self._model.__dict__[TRAIN.function] = self._armed

    def is_stale(self) -> bool:
        """Whether the model is in a later training by now."""
        return self._model.__dict__.get("history") is not self._history

    def run(self, *args: Any) -> Any:
        """Runs one execution of the training step, and records it."""
        step = self._step
        assert step is not None
        start = time.time()
        try:
            result = step(self._model, *args)
        except BaseException as error:
            # Ended by the user or by an error: what was recorded shall not be lost.
            if not isinstance(error, StopIteration) and not step.is_collective:
                self._fail_safe.run(self.drain)
            raise
        self._fail_safe.run(self._after_execution, step, start)
        return result

    def drain(self) -> None:
        """Takes all rows from the device to the writer."""
        step = self._step
        if step is None or not step.is_recording or not self._marks:
            return
        numbers, times = zip(*self._marks, strict=True)
        for rows in step.drain():
            if self._is_chief:
                # A step is done when the number of steps has become one more.
                wall_times = np.interp(rows.steps + 1, numbers, times)
                self._append(rows.layout, rows.steps, wall_times, rows.values)
        # Fewer than expected where the data ended within an execution.
        self._expected_step = step.next_step
        self._marks = []
        if self._first_iterations is not None:
            iterations = self._first_iterations + step.next_step - self._first_step
            step_numbers.remember(self._model, step.next_step, iterations)

    def finish(self) -> None:
        """Takes leave after the training's last step."""
        self.drain()
        if self._step is not None:
            iterations = step_numbers.iterations_of(self._model.optimizer)
            step_numbers.remember(self._model, self._step.next_step, iterations)

    @property
    def next_step(self) -> int | None:
        """The number of the next step, as of the last ``drain``; None before the first step."""
        return None if self._step is None else self._expected_step

    @property
    def is_collective(self) -> bool:
        """Whether rows can only be taken by all workers together."""
        return self._step is not None and self._step.is_collective

    def _take_step(self, step: RecordedStep) -> None:
        if self._step is None:
            self._expected_step = step_numbers.next_step(self._model)
            self._first_step = self._expected_step
            self._first_iterations = step_numbers.iterations_of(self._model.optimizer)
        else:
            self.drain()
        last_user = step.user() if step.user is not None else None
        if last_user is not None and last_user is not self:
            # An exception had ended its training.
            last_user.drain()
        step.start(self._expected_step, self._every)
        step.user = weakref.ref(self)
        self._step = step
        self._armed = ArmedFunction(self._model, TRAIN, step.original, self)

    def _after_execution(self, step: RecordedStep, start: float) -> None:
        if step.failure is not None:
            raise step.failure
        if not step.is_recording:
            raise RecordingError(
                "the model's train_step does not call compute_loss, so no loss can be seen"
            )
        notice = step.pop_notice()
        if notice is not None:
            warnings.warn(notice, RuntimeWarning, stacklevel=2)
        now = time.time()
        self._marks.append((self._expected_step, start))
        self._expected_step += step.steps_per_execution
        self._marks.append((self._expected_step, now))
        if self._is_due(step, now, now - start):
            self.drain()

    def _is_due(self, step: RecordedStep, now: float, duration: float) -> bool:
        drained = math.ceil(step.next_step / self._every)
        waiting = math.ceil(self._expected_step / self._every) - drained
        if waiting >= DRAIN_ROWS:
            return True
        if step.is_collective or not waiting:
            return False
        # At the very first rows: so a disk that can't be written shows early, and so does the
        # training in TensorBoard.
        if step.next_step == self._first_step:
            return True
        oldest = self._marks[1][1]
        # The next execution will last about as long as this one did.
        return now + duration - oldest >= self._drain_secs
