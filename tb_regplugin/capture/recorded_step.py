"""What a recorded step of any Keras offers to those who drive it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tb_regplugin.capture.step_kind import StepKind
from tb_regplugin.terms import Layout

# How many rows wait on the device at most.
DRAIN_ROWS = 64
# Room for losses that could not be foreseen.
SPARE_COLUMNS = 16


class Rows(NamedTuple):
    """Recorded rows of one layout.

    Attributes:
      layout: What the columns are.
      steps: int64 ``[rows]``.
      values: float32 ``[rows, columns]``; of a validation step, times the number of samples.
      samples: float32 ``[rows]``, the numbers of samples; of a training step, empty.
    """

    layout: Layout
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    samples: npt.NDArray[np.float32]


class RingRows(NamedTuple):
    """Rows taken out of a ring.

    Attributes:
      steps: int64 ``[rows]``, the step of each row.
      labels: int64 ``[rows]``, the label that each row was pushed with.
      values: float32 ``[rows, columns]``.
    """

    steps: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]


class RecordedStep(Protocol):
    """Stands in for one ``train_function`` or ``test_function`` of a model.

    Attributes:
      original: The model's own function.
      failure: Why nothing more is recorded.
      missing_columns: How many columns a row should have had more.
      user: Who drains the ring.
      steps_per_execution: How many steps a call runs.
    """

    original: Any
    failure: Exception | None
    missing_columns: int
    user: Any
    steps_per_execution: int

    @property
    def is_recording(self) -> bool:
        """Whether a step has come by whose losses could be recorded."""

    @property
    def next_step(self) -> int:
        """The number of the next step, as of the last ``drain``."""

    @property
    def is_collective(self) -> bool:
        """Whether all workers must drain together, because rows are summed over them."""

    def pop_notice(self) -> str | None:
        """Returns what the user should know, once."""

    def start(self, next_step: int, every: int) -> None:
        """Begins a training at a step; what was not drained is lost."""

    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's own function does, and records."""

    def drain(self) -> list[Rows]:
        """Takes the rows that came since the last call."""


# Returns the recorded step for a model's own function of a kind.
StepFactory = Callable[[Any, Any, StepKind], RecordedStep]


def take_rows(
    buffer: npt.NDArray[np.float32], read_up_to: int, next_step: int, every: int, replicas: int
) -> RingRows:
    """Returns what a ring's buffer holds of the steps since it was read.

    Args:
      buffer: Its rows and one more, each with its label first.
      read_up_to: The first step that was not read.
      next_step: The number of the step that comes next.
      every: Of which steps there are rows: those that it divides.
      replicas: Over how many replicas the rows are summed.
    """
    size = len(buffer) - 1
    first, last = -(-read_up_to // every), -(-next_step // every)
    # What has been overwritten is lost.
    counts = np.arange(max(first, last - size), last, dtype=np.int64)
    rows = buffer[counts % size]
    labels = np.rint(rows[:, 0] / replicas).astype(np.int64)
    return RingRows(counts * every, labels, rows[:, 1:])


def rows_by_layout(rows: RingRows, layouts: Sequence[Layout], *, with_samples: bool) -> list[Rows]:
    """Cuts rows where their layouts change.

    Args:
      rows: The rows.
      layouts: The layouts that the labels mean.
      with_samples: Whether a row's first value is its number of samples.
    """
    bounds = [0, *(np.flatnonzero(np.diff(rows.labels)) + 1).tolist(), len(rows.labels)]
    samples = int(with_samples)
    cut = []
    for first, end in pairwise(bounds):
        if end > first:
            layout = layouts[rows.labels[first]]
            part = rows.values[first:end]
            values = part[:, samples : samples + len(layout.columns)]
            cut.append(Rows(layout, rows.steps[first:end], values, part[:, :samples].ravel()))
    return cut
