"""The ring on JAX, where variables go into a step and come out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keras import StatelessScope
from keras.src.backend import get_stateless_scope

from tb_regplugin.capture.ring_buffer import RingBuffer
from tb_regplugin.capture.safety import RecordingError


class TravellingState:
    """A ring whose variables travel with the state of the model's metrics.

    For the length of a step, the ring is a part of the model's first metric: so its variables are
    among ``model.metrics_variables``, and ``model.metrics`` is what it was.

    Args:
      model: A compiled and built model.
      ring: The ring.

    Attributes:
      values: The values of the ring's variables, between steps.

    Raises:
      RecordingError: The model has no metric that could carry the ring.
    """

    def __init__(self, model: Any, ring: RingBuffer) -> None:
        self.values: list[Any] = []
        self._ring = ring
        self._count = 0
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
        """Lets the ring be a part of the model for the length of a ``with`` block."""
        parts = self._host._metrics
        parts.append(self._ring)
        try:
            yield
        finally:
            parts.remove(self._ring)

    def load(self) -> None:
        """Takes the values that the ring's variables have."""
        self.values = [variable.value for variable in self._ring.variables]

    def call(self, function: Any, state: Any, *args: Any) -> tuple[Any, bool]:
        """Calls a train or test function with the ring in its state.

        Returns:
          What it returned, without the ring, and whether the ring got lost on the way.
        """
        *others, metrics = state
        count = len(metrics)
        self._count = count + len(self.values)
        metrics = [*metrics[: self._first], *self.values, *metrics[self._first :]]
        logs, (*others, metrics) = function((*others, metrics), *args)
        if len(metrics) != count + len(self.values):
            return (logs, (*others, metrics)), True
        self.values = list(metrics[self._first : self._end])
        metrics = [*metrics[: self._first], *metrics[self._end :]]
        return (logs, (*others, metrics)), False

    def updated(self, state: Any, update: Callable[[], None]) -> Any:
        """Returns a step's resulting state as it is after an update of the ring.

        Raises:
          RecordingError: The ring got lost in the step.
        """
        *others, metrics = state
        if len(metrics) != self._count:
            raise RecordingError("its train_step drops the state of metrics")
        own = zip(self._ring.variables, metrics[self._first : self._end], strict=True)
        with StatelessScope(own) as scope:
            update()
        values = [scope.get_current_value(variable) for variable in self._ring.variables]
        return (*others, [*metrics[: self._first], *values, *metrics[self._end :]])

    def check_tracing(self) -> None:
        """Makes sure that what is pushed now is kept.

        Raises:
          RecordingError: It would be lost.
        """
        scope = get_stateless_scope()
        if scope is None or scope.get_current_value(self._ring.variables[0]) is None:
            raise RecordingError("its train_step calls compute_loss without the metrics' state")
