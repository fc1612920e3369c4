"""A ring of rows in TensorFlow variables, written by compiled functions and read by the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tb_regplugin.capture.ring import unread
from tb_regplugin.terms import Layout
from tb_regplugin.writing.arguments import argument_of, check_real, describe

# A row begins with two int64, of two floats' bits each.
_HEAD = 4

# Unless somebody says otherwise, a ring takes about 1 MiB, and holds at least so many rows and at
# most so many.
_FLOATS = 2**18
_MIN_ROWS, _MAX_ROWS = 256, 16_384


class StepRows(NamedTuple):
    """Rows taken out of a ring.

    Attributes:
      sequence: int64 ``[rows]``, increasing: the order among the rows of several rings.
      steps: int64 ``[rows]``.
      values: float32 ``[rows, columns]``.
      lost: How many rows were overwritten before anybody looked.
    """

    sequence: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    lost: int


class StepRing:
    """The last rows of a compiled training: so many, whatever is being written.

    Only operations that XLA compiles, and a row costs one of them. Step and order stand in the row
    as they are, bit for bit, in places of floats: nothing calculates with those.
    """

    def __init__(self, rows: int | None, columns: int) -> None:
        if rows is None:
            rows = max(_MIN_ROWS, min(_MAX_ROWS, _FLOATS // (_HEAD + columns)))
        # One row more: while one is written, the oldest in its place is none.
        self.rows = rows + 1
        # Out of whatever function is being traced.
        with tf.init_scope():
            # And another: steps that are not to be recorded go there, so that no step branches.
            self._buffer = tf.Variable(tf.zeros([rows + 2, _HEAD + columns]), trainable=False)
            self._count = tf.Variable(tf.zeros([], tf.int64), trainable=False)
        self._read = 0

    def push(self, sequence: Any, step: Any, is_recorded: Any, values: Any) -> None:
        """Adds a row, of float32 ``[columns]`` values.

        Sequence and step are int64 scalars, of which the first grows from row to row.
        """
        head = tf.reshape(tf.bitcast(tf.stack([sequence, step]), tf.float32), [_HEAD])
        row = tf.concat([head, values], 0)
        count = self._count.read_value()
        slot = tf.where(is_recorded, count % self.rows, self.rows)
        written = self._buffer.scatter_nd_update(
            tf.reshape(tf.cast(slot, tf.int32), [1, 1]), row[tf.newaxis]
        )
        # Whoever sees the count must see the row.
        with tf.control_dependencies([written]):
            self._count.assign(count + tf.cast(is_recorded, tf.int64))

    def drain(self, before: int) -> StepRows:
        """Takes out the rows that came since the last call. One thread at a time.

        Those whose ``sequence`` is not below a number stay: other rings, which were emptied first,
        may have got older ones by now.
        """
        read, self._read = self._read, int(self._count.numpy())
        if read == self._read:
            nothing = np.zeros(0, np.int64)
            return StepRows(nothing, nothing, np.zeros((0, 0), np.float32), 0)
        buffer = self._buffer.numpy()
        numbers = unread(read, self._read, self.rows, int(self._count.numpy()))
        rows = buffer[numbers % self.rows]
        lost = self._read - read - len(numbers)
        sequence, steps = rows[:, :_HEAD].copy().view(np.int64).T
        taken = int(np.searchsorted(sequence, before))
        self._read -= len(sequence) - taken
        return StepRows(sequence[:taken], steps[:taken], rows[:taken, _HEAD:], lost)


def stack_scalars(values: Sequence[Any]) -> Any:
    """Returns a float32 vector of tensors or numbers of one element each.

    It adds one operation for all scalars that are float32 already: with hundreds of terms, each
    operation more a term is felt.
    """
    return tf.stack([_float32_scalar(value) for value in values])


def check_scalars(layout: Layout, values: Sequence[Any]) -> None:
    """Refuses what cannot be one number of a row.

    Raises:
      TypeError: A value is no real number.
      ValueError: A value has more than one element.
    """
    check_real(layout, values)
    for column, value in zip(layout.columns, values, strict=True):
        if value is None or isinstance(value, (str, bytes)):
            raise TypeError(f"{argument_of(column)} must be one number, not {describe(value)}")
        shape = tf.TensorShape(getattr(value, "shape", ()))
        if shape.is_fully_defined() and shape.num_elements() != 1:
            raise ValueError(f"{column.name!r} must be a scalar, not of shape {shape}.")


def _float32_scalar(value: Any) -> Any:
    if not tf.is_tensor(value) or value.dtype != tf.float32:
        value = tf.cast(value, tf.float32)
    return value if value.shape.rank == 0 else tf.reshape(value, ())
