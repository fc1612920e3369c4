"""A ring's variables in device memory, written by a compiled step on any Keras backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from tb_regplugin.capture.keras import internals
from tb_regplugin.capture.ring import Ring
from tb_regplugin.capture.safety import RecordingError

_LOST = "its train_step drops the state of metrics"


class RingVariables(Ring, keras.metrics.Metric):  # type: ignore[misc]
    """A ring whose variables are in device memory, on any backend.

    A metric, because Keras knows how to keep a metric's variables in every training step: under a
    distribution strategy, where rows become the sum over the replicas, and on JAX, where they
    travel with the step's state. It has no result and is in no log.

    Attributes:
      values: On JAX, what the variables are between steps: one array a variable.
    """

    def __init__(self, rows: int, columns: int, strategy: Any) -> None:
        with nullcontext() if strategy is None else strategy.scope():
            keras.metrics.Metric.__init__(self, name="tb_regplugin_ring", dtype="float32")
            replicas = 1 if strategy is None else strategy.num_replicas_in_sync
            Ring.__init__(self, rows, columns, replicas)
            self.values: list[Any] | None = None
            self._buffer = self.add_variable(
                (rows + 1, columns + 1), "zeros", dtype="float32", name="rows"
            )
            if replicas > 1 and not hasattr(self._buffer, "synchronization"):
                # Each write would add up all replicas' rings, those of earlier steps again.
                raise RecordingError("several replicas are recorded from Keras 3.10 on")
            self._next_step, self._every = (
                self.add_variable(
                    (), "zeros", dtype="int", aggregation="only_first_replica", name=name
                )
                for name in ("next_step", "every")
            )

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: rows come by ``write``."""

    def result(self) -> dict[str, Any]:
        """Returns nothing, so that the logs keep their keys."""
        return {}

    def reset_state(self) -> None:
        """Keeps the rows: an epoch's end is none of a recording."""

    def start(self, next_step: int, every: int) -> None:
        """Empties it, outside of the step. Steps are kept that ``every`` divides."""
        super().start(next_step, every)
        self._buffer.assign(ops.zeros(self._buffer.shape, "float32"))
        self._next_step.assign(next_step)
        self._every.assign(every)
        if keras.config.backend() == "jax":
            self.values = [variable.value for variable in self.variables]

    @property
    def coming_step(self) -> Any:
        """The number of the step that is written next, as a tensor of the step."""
        # Another tensor: PyTorch would count this one up.
        return ops.convert_to_tensor(self._next_step) + 0

    def is_due(self, step: Any) -> Any:
        """Whether the row of a step is kept, as a tensor of the step."""
        return ops.equal(step % ops.convert_to_tensor(self._every), 0)

    def write(self, label: int, values: Sequence[Any], step: Any) -> None:
        """Writes the row of a step, inside of it, and counts the step.

        Raises:
          RecordingError: On JAX, the row would be lost.
        """
        if keras.config.backend() == "torch":
            self._write_in_place(label, values, step)
            return
        if keras.config.backend() == "jax" and not internals.is_travelling(self._buffer):
            raise RecordingError("its train_step calls compute_loss without the metrics' state")
        every = ops.convert_to_tensor(self._every)
        if step is None:
            step = ops.convert_to_tensor(self._next_step)
        parts = [ops.convert_to_tensor(float(label), "float32"), *map(_float32_scalar, values)]
        padding = self.columns + 1 - len(parts)
        row = ops.pad(ops.stop_gradient(ops.stack(parts)), [[0, padding]])
        slot = ops.where(
            ops.equal(step % every, 0), (step // every) % self.rows, ops.full_like(step, self.rows)
        )
        self._buffer.assign(
            ops.scatter_update(
                ops.convert_to_tensor(self._buffer),
                ops.reshape(ops.cast(slot, "int32"), (1, 1)),
                ops.expand_dims(row, 0),
            )
        )
        self._next_step.assign(step + 1)

    def _write_in_place(self, label: int, values: Sequence[Any], step: Any) -> None:
        """Does the same in PyTorch's own operations: each of Keras' costs it tens of µs a step."""
        import torch

        with torch.no_grad():
            counter, every = self._next_step.value, self._every.value
            step = counter if step is None else step
            slot = torch.where(step % every == 0, (step // every) % self.rows, self.rows)
            parts = [value.sum() if value.ndim else value for value in values]
            row = torch.stack([torch.full_like(parts[0], label), *parts]).to(torch.float32)
            width = self._buffer.value[:, : len(row)]
            width.index_copy_(0, slot.reshape(1).to(torch.int64), row.unsqueeze(0))
            counter.copy_(step + 1)

    def add_up(self, values: Sequence[Any]) -> Any:
        """Returns the float32 sum of values, inside of the step."""
        return sum(map(_float32_scalar, values))

    def to_float32(self, value: Any) -> Any:
        """Returns a tensor or a number as a float32 tensor, inside of the step."""
        return ops.cast(value, "float32")

    def read(self) -> tuple[npt.NDArray[np.float32], int, int]:
        """Returns the buffer ``[rows + 1, 1 + columns]``, the next step's number, and ``every``."""
        buffer, next_step, every = (
            np.asarray(ops.convert_to_numpy(value))
            for value in (self.variables if self.values is None else self.values)
        )
        return buffer, int(next_step), int(every)


class TravellingRing:
    """A ring on JAX, where variables go into a step and come out of it.

    For the length of a step, the ring is a part of the model's first metric: so its variables are
    among ``model.metrics_variables``, and ``model.metrics`` is what it was.

    Raises:
      RecordingError: The model has no metric that could carry the ring.
    """

    def __init__(self, model: Any, ring: RingVariables) -> None:
        self._model = model
        self._ring = ring
        # How many values the state of metrics has, with the ring.
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
        parts = internals.metrics_within(self._host)
        parts.append(self._ring)
        try:
            yield
        finally:
            parts.remove(self._ring)

    def call(self, function: Callable[..., Any], state: Any, *args: Any) -> Any:
        """Calls a train or test function with the ring in its state.

        If the ring got lost on the way, that is its failure.
        """
        *others, metrics = state
        values = self._ring.values or []
        self._count = len(metrics) + len(values)
        metrics = [*metrics[: self._first], *values, *metrics[self._first :]]
        with internals.with_shardings(self._model, self._first, values):
            logs, (*others, metrics) = function((*others, metrics), *args)
        if len(metrics) != self._count:
            self._ring.failure = RecordingError(_LOST)
        else:
            self._ring.values = list(metrics[self._first : self._end])
            metrics = [*metrics[: self._first], *metrics[self._end :]]
        return logs, (*others, metrics)

    def updated(self, state: Any, update: Callable[[], object]) -> Any:
        """Returns a step's resulting state as it is after an update of the ring.

        Raises:
          RecordingError: The ring got lost in the step.
        """
        *others, metrics = state
        if len(metrics) != self._count:
            raise RecordingError(_LOST)
        own = zip(self._ring.variables, metrics[self._first : self._end], strict=True)
        with keras.StatelessScope(own) as scope:
            update()
        values = [scope.get_current_value(variable) for variable in self._ring.variables]
        return (*others, [*metrics[: self._first], *values, *metrics[self._end :]])


def _float32_scalar(value: Any) -> Any:
    if len(value.shape):
        value = ops.sum(value)
    is_float32 = keras.backend.standardize_dtype(value.dtype) == "float32"
    return value if is_float32 else ops.cast(value, "float32")
