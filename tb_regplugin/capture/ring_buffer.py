"""A ring of rows in device memory, written by a compiled training step on any Keras backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tb_regplugin.capture.recorded_step import RingRows, take_rows


class RingBuffer(keras.metrics.Metric):  # type: ignore[misc]
    """The last rows of a training, and the number of its next step.

    A metric, because Keras knows how to keep a metric's variables in every training step: under
    a distribution strategy, where rows become the sum over the replicas, and on JAX, where they
    travel with the step's state. It has no result and is in no log.

    Args:
      rows: How many rows it holds.
      columns: How many values fit into a row.

    Attributes:
      read_up_to: The number of the first step that ``drain`` has not seen yet.
    """

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__(name="tb_regplugin_ring", dtype="float32")
        self.rows = rows
        self.columns = columns
        # One row more: steps that are not to be recorded go there, so that no step branches.
        # One column more: the label.
        self._buffer = self.add_variable(
            (rows + 1, columns + 1), "zeros", dtype="float32", name="rows"
        )
        self._next_step = self._add_counter("next_step")
        self._every = self._add_counter("every")
        self.read_up_to = 0

    def _add_counter(self, name: str) -> Any:
        return self.add_variable(
            (), "zeros", dtype="int", aggregation="only_first_replica", name=name
        )

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: rows come by ``push``."""

    def result(self) -> dict[str, Any]:
        """Returns nothing, so that the logs keep their keys."""
        return {}

    def reset_state(self) -> None:
        """Keeps the rows: an epoch's end is none of a recording."""

    def start(self, next_step: int, every: int) -> None:
        """Empties the ring. Call it outside of the step.

        Args:
          next_step: The number of the step that comes next.
          every: Of which steps rows are kept: those that it divides.
        """
        self._buffer.assign(ops.zeros(self._buffer.shape, "float32"))
        self._next_step.assign(next_step)
        self._every.assign(every)
        self.read_up_to = next_step

    @property
    def last_step(self) -> Any:
        """The number of the step that was pushed last, as a tensor of the step."""
        return ops.convert_to_tensor(self._next_step) - 1

    def is_due(self, step: Any) -> Any:
        """Whether the row of a step is kept, as a tensor of the step."""
        return ops.equal(step % ops.convert_to_tensor(self._every), 0)

    def push(self, label: int, values: Sequence[Any], step: Any = None) -> None:
        """Adds the row of one step. Call it once a step, inside of the step.

        Args:
          label: Any small number, to find out later what the values are.
          values: Scalar tensors, at most ``columns``.
          step: The number of the step; counted where there is none. With a number, steps whose
            rows are not kept need no call.
        """
        if keras.config.backend() == "torch":
            self._push_in_place(label, values, step)
            return
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

    def _push_in_place(self, label: int, values: Sequence[Any], step: Any) -> None:
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

    def drain(self, replicas: int = 1, state: Sequence[Any] | None = None) -> RingRows:
        """Takes out the rows that came since the last call.

        Args:
          replicas: Over how many replicas the rows are summed.
          state: The values of the metric's variables, where they are kept elsewhere.
        """
        buffer, next_step, every = (
            np.asarray(ops.convert_to_numpy(value))
            for value in (self.variables if state is None else state)
        )
        read_up_to, self.read_up_to = self.read_up_to, int(next_step)
        return take_rows(buffer, read_up_to, self.read_up_to, int(every), replicas)


def _float32_scalar(value: Any) -> Any:
    if len(value.shape):
        value = ops.sum(value)
    return (
        value
        if keras.backend.standardize_dtype(value.dtype) == "float32"
        else (ops.cast(value, "float32"))
    )
