"""The validations of one training of a Keras model: one row each, the mean over its batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tb_regplugin.capture.armed_function import ArmedFunction, function_of
from tb_regplugin.capture.recorded_step import DRAIN_ROWS, RecordedStep, StepFactory
from tb_regplugin.capture.safety import FailSafe, RecordingError, is_chief
from tb_regplugin.capture.step_kind import TEST
from tb_regplugin.terms import Layout, Term


class RecordedValidations:
    """What ``fit`` does with its validation data.

    Args:
      model: The model.
      step_of: Makes its recorded steps.
      append: Takes rows: a layout, their steps, wall times and values.
      fail_safe: Keeps what goes wrong out of the training.
    """

    def __init__(
        self,
        model: Any,
        step_of: StepFactory,
        append: Callable[..., None],
        fail_safe: FailSafe,
    ) -> None:
        self._model = model
        self._step_of = step_of
        self._append = append
        self._fail_safe = fail_safe
        self._is_chief = is_chief(getattr(model, "distribute_strategy", None))
        # Each fit has a new one.
        self._history = model.__dict__.get("history")
        self._step: RecordedStep | None = None
        self._armed: ArmedFunction | None = None
        self._number: int | None = None
        self._mean = _WeightedMean()
        self._waiting = 0

    def begin(self, number: int) -> None:
        """Takes what comes for a validation after so many training steps."""
        self._number = number
        self._mean = _WeightedMean()
        self._waiting = 0
        if self._step is not None:
            # Rows of a validation that an exception has ended are none of this one's.
            self._step.start(0, 1)

    def arm(self) -> None:
        """Lets the model's next ``test_function`` call be recorded."""
        current = None if self._number is None else function_of(self._model, TEST, self._armed)
        if current is None:
            return
        step = self._step
        if step is None or step.original is not current or step.missing_columns > 0:
            self._drain()
            self._step = self._step_of(self._model, current, TEST)
            self._step.start(0, 1)
            self._armed = ArmedFunction(self._model, TEST, current, self)
        self._model.__dict__[TEST.function] = self._armed

    def is_stale(self) -> bool:
        """Whether the model is in a later training by now."""
        return self._model.__dict__.get("history") is not self._history

    def run(self, *args: Any) -> Any:
        """Runs one execution of the validation step, and records it."""
        step = self._step
        assert step is not None
        result = step(self._model, *args)
        self._fail_safe.run(self._after_execution, step)
        return result

    def end(self) -> None:
        """Writes the validation's row."""
        self._drain()
        number, self._number = self._number, None
        if number is None or self._mean.samples <= 0 or not self._is_chief:
            return
        layout, values = self._mean.result()
        self._append(layout, np.array([number]), np.array([time.time()]), values[np.newaxis])

    def _after_execution(self, step: RecordedStep) -> None:
        if step.failure is not None:
            raise step.failure
        if not step.is_recording:
            raise RecordingError(
                "the model's test_step does not call compute_loss, so no loss can be seen"
            )
        self._waiting += step.steps_per_execution
        if self._waiting >= DRAIN_ROWS:
            self._drain()

    def _drain(self) -> None:
        if self._step is None or not self._waiting:
            return
        self._waiting = 0
        for rows in self._step.drain():
            self._mean.add(rows.layout, rows.values, rows.samples)


class _WeightedMean:
    """The mean over rows, each weighted by its number of samples."""

    def __init__(self) -> None:
        self.samples = 0.0
        self._sums: dict[Term, float] = {}

    def add(self, layout: Layout, weighted_values: Any, samples: Any) -> None:
        """Adds rows, their values already times their numbers of samples."""
        self.samples += float(samples.sum(dtype=np.float64))
        sums = weighted_values.sum(0, dtype=np.float64).tolist()
        for column, value in zip(layout.columns, sums, strict=True):
            # A term that a batch lacks added nothing to its loss.
            self._sums[column] = self._sums.get(column, 0.0) + value

    def result(self) -> tuple[Layout, Any]:
        """Returns the columns and their means."""
        values = np.array(list(self._sums.values())) / self.samples
        return Layout(tuple(self._sums)), values.astype(np.float32)
