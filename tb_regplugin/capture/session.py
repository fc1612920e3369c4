"""One fit of a model, of either Keras: its training and its validations, driven from the host."""

from __future__ import annotations

import math
import time
import weakref
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tb_regplugin.capture import internals
from tb_regplugin.capture.recorded_step import TEST, TRAIN, RecordedStep, StepFactory, StepKind
from tb_regplugin.capture.ring import DRAIN_ROWS, GRADIENTS
from tb_regplugin.capture.safety import FailSafe, RecordingError, is_chief
from tb_regplugin.capture.step_numbers import iterations_of, next_step_of, remember
from tb_regplugin.finding import Finding
from tb_regplugin.notices import warn
from tb_regplugin.terms import Layout, Term
from tb_regplugin.writing.blocks import BlockWriter


class Session(ABC):
    """Stands in for a model's function for one call: it puts back the model's own, then records."""

    kind: StepKind

    def __init__(self, model: Any, step_of: StepFactory, fail_safe: FailSafe) -> None:
        self._model = model
        self._step_of = step_of
        self._fail_safe = fail_safe
        self._is_chief = is_chief(getattr(model, "distribute_strategy", None))
        self._history = internals.history_of(model)
        self.step: RecordedStep | None = None

    def arm(self) -> None:
        """Lets the next call of the model's function be recorded.

        Raises:
          RecordingError: Another callback records it.
        """
        current = internals.function_of(self._model, self.kind.function)
        if current is None:
            getattr(self._model, self.kind.make_function)()
            current = internals.function_of(self._model, self.kind.function)
        if current is self:
            return
        if isinstance(current, Session):
            raise RecordingError("another RegularizationCallback records this model")
        step = self.step
        if step is None or step.original is not current or step.ring.missing_columns:
            step = self._step_of(self._model, current, self.kind)
            self.drain()
            self._start(step)
            self.step = step
        internals.set_function(self._model, self.kind.function, self)

    def __call__(self, *args: Any) -> Any:
        """Does what the model's function does, recorded."""
        disarm(self._model, self.kind)
        step = self.step
        assert step is not None
        # Left behind by a callback that raised before the step: this training is another one.
        if internals.history_of(self._model) is not self._history:
            return step.original(*args)
        start = time.time()
        try:
            result = step(self._model, *args)
        except BaseException as error:
            # Ended by the user or by an error: what was recorded until then is kept.
            if not isinstance(error, StopIteration) and not step.is_collective:
                self._fail_safe.run(self.drain)
            raise
        self._fail_safe.run(self._after_execution, step, start)
        return result

    @abstractmethod
    def drain(self) -> None:
        """Takes all rows from the device."""

    @abstractmethod
    def _start(self, step: RecordedStep) -> None:
        """Starts a step that records from now on."""

    def _after_execution(self, step: RecordedStep, start: float) -> None:
        """Looks at a step that has run, and raises what went wrong in it."""
        if step.ring.failure is not None:
            raise step.ring.failure
        if not step.ring.has_rows:
            raise RecordingError(step.why_nothing(self.kind))


def disarm(model: Any, kind: StepKind) -> None:
    """Makes sure that a model has its own function."""
    current = internals.function_of(model, kind.function)
    if isinstance(current, Session) and current.step is not None:
        internals.set_function(model, kind.function, current.step.original)


class TrainingSession(Session):
    """A training from ``on_train_begin`` to ``on_train_end``, or to what cut it short.

    Of its steps, those are recorded that ``every`` divides; rows wait on the device for
    ``drain_secs`` at most. ``has_written`` tells whether rows have come to a writer.
    """

    kind = TRAIN

    def __init__(
        self,
        model: Any,
        step_of: StepFactory,
        fail_safe: FailSafe,
        writer_of: Callable[[str], BlockWriter],
        *,
        every: int,
        drain_secs: float,
    ) -> None:
        super().__init__(model, step_of, fail_safe)
        self.has_written = False
        self._writer_of = writer_of
        self._every = every
        self._drain_secs = drain_secs
        self._first_step = 0
        self._first_iterations: int | None = None
        # When which number of steps was reached, since the last drain.
        self._marks: list[tuple[int, float]] = []
        self._expected_step = 0
        self._findings: tuple[Finding, ...] | None = None

    @property
    def next_step(self) -> int | None:
        """The number of the next step, as of the last ``drain``; None before the first step."""
        return None if self.step is None else self._expected_step

    def drain(self) -> None:
        """Takes all rows from the device to the writers."""
        step = self.step
        if step is None or not self._marks:
            return
        numbers, times = zip(*self._marks, strict=True)
        drained = step.drain()
        losses = [rows.layout for rows in drained if rows.name != GRADIENTS]
        columns = [column for layout in losses for column in layout.columns]
        for rows in drained:
            if self._is_chief:
                layout = rows.layout
                if rows.name != GRADIENTS:
                    layout = self._with_findings(layout, step, columns)
                # A step is done when the number of steps has become one more.
                wall_times = np.interp(rows.steps + 1, numbers, times)
                self._writer_of(rows.name).append(layout, rows.steps, wall_times, rows.values)
                self.has_written = True
        # Fewer than expected where the data ended within an execution.
        self._expected_step = step.ring.next_step
        self._marks = []
        if self._first_iterations is not None:
            iterations = self._first_iterations + self._expected_step - self._first_step
            remember(self._model, self._expected_step, iterations)

    def _with_findings(self, layout: Layout, step: RecordedStep, columns: Sequence[Term]) -> Layout:
        """Adds what is wrong with the model's penalties, as it was in its first step."""
        if self._findings is None:
            try:
                self._findings = step.audit(self._model, columns)
            except Exception:  # noqa: BLE001 - a layer of a user's that can't be judged isn't
                self._findings = ()
            for finding in set(self._findings) - set(step.findings):
                warn(f"tb_regplugin: {finding.sentence} {finding.fix}")
            step.findings = self._findings
        return replace(layout, findings=self._findings) if self._findings else layout

    def finish(self) -> None:
        """Writes the rest, after the training's last step."""
        self.drain()
        if self.step is not None:
            iterations = iterations_of(self._model.optimizer)
            remember(self._model, self.step.ring.next_step, iterations)
        if not self.has_written and self._is_chief:
            warn(f"tb_regplugin recorded nothing of this training: {self._why_nothing()}.")

    def _why_nothing(self) -> str:
        first, next_step = self._first_step, self.next_step
        if next_step is None or next_step == first:
            return (
                "fit ran no step. Check its data, epochs and initial_epoch; a backup that was "
                "restored may be at its end"
            )
        return (
            f"none of its steps {first} to {next_step - 1} is a multiple of every={self._every}. "
            "Choose a smaller one"
        )

    def _start(self, step: RecordedStep) -> None:
        if self.step is None:
            self._expected_step = next_step_of(self._model)
            self._first_step = self._expected_step
            self._first_iterations = iterations_of(self._model.optimizer)
        last_user = step.user() if step.user is not None else None
        if last_user is not None and last_user is not self:
            # An exception had ended its training.
            last_user.drain()
        step.start(self._expected_step, self._every)
        step.user = weakref.ref(self)

    def _after_execution(self, step: RecordedStep, start: float) -> None:
        super()._after_execution(step, start)
        notice = None if step.has_noticed else step.notice()
        if notice is not None:
            step.has_noticed = True
            warn(notice)
        now = time.time()
        self._marks.append((self._expected_step, start))
        self._expected_step += step.steps_per_execution
        self._marks.append((self._expected_step, now))
        if self._is_due(step, now, now - start):
            self.drain()

    def _is_due(self, step: RecordedStep, now: float, duration: float) -> bool:
        drained = step.ring.next_step
        waiting = math.ceil(self._expected_step / self._every) - math.ceil(drained / self._every)
        if waiting >= DRAIN_ROWS:
            return True
        if step.is_collective or not waiting:
            return False
        # At the very first rows: so a disk that can't be written shows early, and so does the
        # training in TensorBoard.
        if drained == self._first_step:
            return True
        oldest = self._marks[1][1]
        # The next execution will last about as long as this one did.
        return now + duration - oldest >= self._drain_secs


class ValidationSession(Session):
    """What ``fit`` does with its validation data: one row each, the mean over the batches."""

    kind = TEST

    def __init__(
        self, model: Any, step_of: StepFactory, fail_safe: FailSafe, writer: BlockWriter
    ) -> None:
        super().__init__(model, step_of, fail_safe)
        self._writer = writer
        self._number: int | None = None
        self._waiting = 0
        # Of the batches: their samples, their columns by role and name, and what each of these adds
        # up to over the samples.
        self._samples = 0.0
        self._columns: dict[tuple[str, str], Term] = {}
        self._sums: defaultdict[tuple[str, str], float] = defaultdict(float)

    def begin(self, number: int) -> None:
        """Takes what comes for a validation after so many training steps."""
        self._number = number
        self._waiting = 0
        self._samples = 0.0
        self._columns.clear()
        self._sums.clear()
        if self.step is not None:
            # Rows of a validation that an exception has ended are none of this one's.
            self.step.start(0, 1)

    def arm(self) -> None:
        """Lets the next batch be recorded, where a validation has begun."""
        if self._number is not None:
            super().arm()

    def drain(self) -> None:
        """Adds all rows from the device to the validation's row."""
        if self.step is None or not self._waiting:
            return
        self._waiting = 0
        for rows in self.step.drain():
            self._samples += float(rows.samples.sum(dtype=np.float64))
            # Values are already times their numbers of samples.
            sums = rows.values.sum(0, dtype=np.float64).tolist()
            for column, value in zip(rows.layout.columns, sums, strict=True):
                # A term that a batch lacks added nothing to its loss.
                key = column.role, column.name
                self._sums[key] += value
                if self._columns.setdefault(key, column).chance_level != column.chance_level:
                    # Such as one of pairs within the batch, whose last one is smaller.
                    self._columns[key] = replace(column, chance_level=None)

    def end(self) -> None:
        """Writes the validation's row."""
        self.drain()
        number, self._number = self._number, None
        if number is not None and self._samples > 0 and self._is_chief:
            means = [value / self._samples for value in self._sums.values()]
            layout = Layout(tuple(self._columns.values()))
            self._writer.append_row(layout, number, time.time(), means)

    def _start(self, step: RecordedStep) -> None:
        step.start(0, 1)

    def _after_execution(self, step: RecordedStep, start: float) -> None:
        super()._after_execution(step, start)
        self._waiting += step.steps_per_execution
        if self._waiting >= DRAIN_ROWS:
            self.drain()
