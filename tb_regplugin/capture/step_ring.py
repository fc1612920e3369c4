"""A ring of rows in TensorFlow variables, written by compiled functions and read by the host."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

# float32 holds integers up to 2**24 exactly; int64 needs three digits of this base.
_BASE = 2**22
_SEQUENCE_DIGITS = 2
_STEP_DIGITS = 3
_HEAD = _SEQUENCE_DIGITS + _STEP_DIGITS

# A ring takes about 1 MiB, and holds at least so many rows and at most so many.
_FLOATS = 2**18
_MIN_ROWS, _MAX_ROWS = 256, 16_384


class RingRows(NamedTuple):
    """Rows taken out of a ring.

    Attributes:
      sequence: int64 ``[rows]``, the order among the rows of several rings.
      steps: int64 ``[rows]``.
      values: float32 ``[rows, columns]``.
      lost: How many rows were overwritten before anybody looked.
    """

    sequence: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    lost: int


def default_rows(columns: int) -> int:
    """Returns how many rows a ring of so many columns has unless somebody says otherwise."""
    return max(_MIN_ROWS, min(_MAX_ROWS, _FLOATS // (_HEAD + columns)))


class StepRing:
    """The last rows of a compiled training.

    Only operations that XLA compiles, and a row costs one of them: step and order stand in the
    row as digits, since float32 can't hold them whole.

    Args:
      rows: How many rows it holds.
      columns: How many values a row has.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.rows = rows
        # Out of whatever function is being traced.
        with tf.init_scope():
            # One row more: steps that are not to be recorded go there, so that no step branches.
            self._buffer = tf.Variable(tf.zeros([rows + 1, _HEAD + columns]), trainable=False)
            self._count = tf.Variable(tf.zeros([], tf.int64), trainable=False)
        self._read = 0

    def push(self, sequence: Any, step: Any, is_recorded: Any, values: Any) -> None:
        """Adds a row.

        Args:
          sequence: int64 scalar tensor, growing.
          step: int64 scalar tensor.
          is_recorded: bool scalar tensor.
          values: float32 ``[columns]`` tensor.
        """
        head = [*_digits(sequence, _SEQUENCE_DIGITS), *_digits(step, _STEP_DIGITS)]
        row = tf.concat([tf.stack(head), values], 0)
        count = self._count.read_value()
        slot = tf.where(is_recorded, count % self.rows, self.rows)
        written = self._buffer.scatter_nd_update(
            tf.reshape(tf.cast(slot, tf.int32), [1, 1]), row[tf.newaxis]
        )
        # Whoever sees the count must see the row.
        with tf.control_dependencies([written]):
            self._count.assign(count + tf.cast(is_recorded, tf.int64))

    def drain(self) -> RingRows:
        """Takes out the rows that came since the last call. One thread at a time."""
        count = int(self._count.numpy())
        if count == self._read:
            nothing = np.zeros(0, np.int64)
            return RingRows(nothing, nothing, np.zeros((0, 0), np.float32), 0)
        buffer = self._buffer.numpy()
        # While the buffer was read, rows may have been overwritten, and one may be about to be.
        overwritten = int(self._count.numpy()) + 1 - self.rows
        is_busy = overwritten + self.rows - 1 != count
        first = max(self._read, overwritten if is_busy else count - self.rows)
        lost, self._read = max(0, min(first, count) - self._read), count
        rows = buffer[np.arange(first, count) % self.rows]
        return RingRows(
            _number(rows[:, :_SEQUENCE_DIGITS]), _number(rows[:, _SEQUENCE_DIGITS:_HEAD]),
            rows[:, _HEAD:], lost,
        )  # fmt: skip


def _digits(number: Any, count: int) -> list[Any]:
    """Returns an int64's digits as float32, the last one first; the first takes the sign."""
    digits = []
    for _ in range(count - 1):
        digits.append(tf.cast(number % _BASE, tf.float32))
        number = number // _BASE
    return [*digits, tf.cast(number, tf.float32)]


def _number(digits: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    number = np.zeros(len(digits), np.int64)
    for digit in digits.T[::-1]:
        number = number * _BASE + digit.astype(np.int64)
    return number
