"""Rows that wait on a device: the book-keeping that the rings of all frameworks share.

A compiled step can't write to a file. It puts its row into a ring, a buffer of variables that the
host reads now and then. What these variables are differs by framework, each with its subclass of
``Ring``; which columns a row has, and which rows are new, is the same for all and stands here.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tb_regplugin.names import GRADIENTS_SUFFIX
from tb_regplugin.terms import Layout, Term

# How many rows wait on the device at most.
DRAIN_ROWS = 64
# Room for losses that could not be foreseen.
SPARE_COLUMNS = 16


# What the recording of a training's one loss is called, and that of its gradients.
LOSSES = "losses"
GRADIENTS = f"{LOSSES}{GRADIENTS_SUFFIX}"


class RingRows(NamedTuple):
    """Recorded rows of one layout.

    Attributes:
      name: Which recording they are of.
      layout: What the columns are.
      steps: int64 ``[rows]``.
      values: float32 ``[rows, columns]``; where there are samples, times their number.
      samples: float32 ``[rows]``, the numbers of samples; empty where none were pushed.
    """

    name: str
    layout: Layout
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    samples: npt.NDArray[np.float32]


class Ring(ABC):
    """The last rows of a training or of a validation, each with columns of its own.

    Steps push, also several at once in threads, one a replica; the host drains.

    Args:
      rows: How many rows it holds, and one more: steps that are not kept go there, so that no step
        branches.
      columns: How many values a row has room for, and one more: the label, which comes first.
      replicas: Over how many replicas the rows are added up.

    Attributes:
      missing_columns: How many columns a row should have had more: a wider ring is needed.
      failure: What an attempt has raised: there are no more.
      next_step: The number of the step that comes next, as of the last ``start`` or ``drain``.
    """

    def __init__(self, rows: int, columns: int, replicas: int) -> None:
        self.rows = rows
        self.columns = columns
        self.replicas = replicas
        self.missing_columns = 0
        self.failure: Exception | None = None
        self.next_step = 0
        # In the order of their labels: what a row is of each recording, one after the other, and
        # whether it begins with its number of samples.
        self._labels: list[tuple[list[tuple[str, Layout]], bool]] = []
        self._lock = threading.Lock()

    @abstractmethod
    def write(self, label: int, values: Sequence[Any], step: Any) -> None:
        """Writes the row of a step, inside of it, and counts the step.

        Args:
          label: A small number.
          values: Tensors of any float type; of those that are no scalars, the sums are written.
          step: The number of the step; counted where it is None.
        """

    @abstractmethod
    def read(self) -> tuple[npt.NDArray[np.float32], int, int]:
        """Returns the buffer ``[rows + 1, 1 + columns]``, the next step's number, and ``every``."""

    @abstractmethod
    def add_up(self, values: Sequence[Any]) -> Any:
        """Returns the float32 sum of values, inside of the step."""

    @abstractmethod
    def to_float32(self, value: Any) -> Any:
        """Returns a tensor or a number as a float32 tensor, inside of the step."""

    @property
    def has_rows(self) -> bool:
        """Whether any row was ever pushed."""
        return bool(self._labels)

    def start(self, next_step: int, every: int) -> None:
        """Begins at a step, of which every so many are kept; what was not drained is lost."""
        self.next_step = next_step

    def attempt(self, record: Callable[..., object], *args: Any) -> None:
        """Calls what records inside of a step, unless that has failed: it never breaks the step."""
        if self.failure is None:
            try:
                record(*args)
            except Exception as error:  # noqa: BLE001 - recording never breaks training
                self.failure = error

    def push(
        self,
        columns: Sequence[Term],
        values: Sequence[Any],
        samples: Any = None,
        step: Any = None,
        recordings: Sequence[str] | None = None,
    ) -> int:
        """Adds the row of a step. Call it inside of the step, once a trace or an eager step.

        Args:
          columns: What the values are.
          values: A tensor or number a column.
          samples: How many samples the batch has, to weight its row with it in a mean.
          step: The number of the step, a tensor. It is counted where there is none; with a
            number, steps that are not kept need no call.
          recordings: The name of each column's recording, where a step has several.

        Returns:
          The row's label.
        """
        names = recordings or [LOSSES] * len(columns)
        # One column stays for the number of samples.
        room = self.columns - 1
        if len(values) > room:
            # For the one execution until a wider ring is there.
            self.missing_columns = len(values) - room + SPARE_COLUMNS
            values = [*values[: room - 1], self.add_up(values[room - 1 :])]
            columns = [*columns[: room - 1], Term("other terms", kind="custom")]
        if samples is not None:
            # Losses come divided by the number of replicas, and the replicas' rows are added up.
            samples = self.to_float32(samples)
            factor = samples * self.replicas
            values = [samples, *(self.to_float32(value) * factor for value in values)]
        parts = [
            (name, Layout(tuple(column for _, column in group)))
            for name, group in groupby(zip(names, columns, strict=False), itemgetter(0))
        ]
        label = (parts, samples is not None)
        with self._lock:
            if label not in self._labels:
                self._labels.append(label)
            number = self._labels.index(label)
        self.write(number, values, step)
        return number

    def describe_anew(self, label: int, columns: Sequence[Term]) -> None:
        """Says of rows that were pushed, and not drained yet, what else their columns are."""
        ((name, layout),), has_samples = self._labels[label]
        if len(layout.columns) == len(columns):
            self._labels[label] = [(name, Layout(tuple(columns)))], has_samples

    def drain(self) -> list[RingRows]:
        """Takes the rows that came since the last call, cut where their columns change."""
        buffer, next_step, every = self.read()
        # Rows are counted as if those of earlier trainings had been kept too.
        counts = unread(-(-self.next_step // every), -(-next_step // every), len(buffer) - 1)
        self.next_step = next_step
        rows = buffer[counts % (len(buffer) - 1)]
        labels = np.rint(rows[:, 0] / self.replicas).astype(np.int64)
        drained = []
        for run in runs(labels):
            parts, has_samples = self._labels[labels[run.start]]
            first = 1 + has_samples
            samples, steps = rows[run, 1:first].ravel(), counts[run] * every
            for name, layout in parts:
                values = rows[run, first : first + len(layout.columns)]
                first += len(layout.columns)
                drained.append(RingRows(name, layout, steps, values, samples))
        return drained


def runs(labels: npt.NDArray[np.int64]) -> list[slice]:
    """Returns where a label stands several times in a row.

    Example:
      >>> runs(np.array([7, 7, 4, 7]))
      [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    bounds = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return [slice(first, end) for first, end in pairwise(bounds) if end > first]


def unread(
    read: int, written: int, size: int, written_meanwhile: int | None = None
) -> npt.NDArray[np.int64]:
    """Returns which rows of a buffer are new: their numbers, in the order they were written.

    Row n stands at ``n % size``. What has been overwritten is lost, and not among them.

    Args:
      read: How many rows were written when the buffer was read last.
      written: How many were written just before it was read now.
      size: How many it holds.
      written_meanwhile: How many were written just after it was read, where writing goes on.

    Example:
      >>> unread(3, 6, 4), unread(0, 6, 4)
      (array([3, 4, 5]), array([2, 3, 4, 5]))
      >>> unread(0, 6, 4, written_meanwhile=7)
      array([4, 5])
    """
    if written_meanwhile is None or written_meanwhile == written:
        oldest = written - size
    else:
        # And one may be half written.
        oldest = written_meanwhile + 1 - size
    return np.arange(max(read, oldest), max(read, written), dtype=np.int64)
