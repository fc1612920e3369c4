"""From rows to blocks on disk, in the background."""

from __future__ import annotations

import atexit
import os
import threading
import time
import warnings
from array import array
from collections import deque
from collections.abc import Iterable
from typing import cast

import numpy as np
import numpy.typing as npt

from tb_regplugin import log_format
from tb_regplugin.log_format import Block, SegmentTag
from tb_regplugin.terms import Layout
from tb_regplugin.writing.earlier import warn_of_earlier
from tb_regplugin.writing.event_file import EventFile

# With both, a day of slow training is some 1,000 blocks in 100 tags.
_FLUSH_SHARE_OF_AGE = 0.01
_MAX_FLUSH_SECS = 120.0
# A disk that can't keep up holds training back rather than filling the memory.
_MAX_WAITING_BLOCKS = 512


class _OpenBlock:
    """The rows that wait to become a block. A row is there once it is counted."""

    def __init__(self, layout: Layout, deadline: float) -> None:
        self.layout = layout
        self.deadline = deadline
        self.rows = 0
        self._steps = np.empty(log_format.MAX_BLOCK_ROWS, np.int64)
        self._wall_times = np.empty(log_format.MAX_BLOCK_ROWS, np.float64)
        self._values = np.empty((log_format.MAX_BLOCK_ROWS, len(layout.columns)), np.float32)
        # Single rows enter memoryviews faster than arrays.
        self._views = (
            self._steps.data,
            cast("memoryview[float]", self._wall_times.data),
            self._values.reshape(-1).data,
        )

    @property
    def is_full(self) -> bool:
        return self.rows == log_format.MAX_BLOCK_ROWS

    def fits(self, layout: Layout, step: int) -> bool:
        rows, steps = self.rows, self._views[0]
        return (layout is self.layout or layout == self.layout) and (
            not rows or log_format.fits_one_block(steps[0], steps[rows - 1], step, rows)
        )

    def add(self, step: int, wall_time: float, row: array[float]) -> None:
        """Adds a row that fits."""
        steps, wall_times, values = self._views
        at, columns = self.rows, len(row)
        steps[at] = step
        wall_times[at] = wall_time
        values[at * columns : (at + 1) * columns] = row
        self.rows = at + 1

    def extend(
        self,
        steps: npt.NDArray[np.int64],
        wall_times: npt.NDArray[np.float64],
        values: npt.NDArray[np.float32],
    ) -> int:
        """Adds as many of these rows as fit, of which the first does, and returns how many."""
        steps = steps[: log_format.MAX_BLOCK_ROWS - self.rows]
        first_step = self._views[0][0] if self.rows else int(steps[0])
        fits = log_format.fits_one_block(first_step, steps[:-1], steps[1:], self.rows)
        count = len(steps) if fits.all() else 1 + int(fits.argmin())
        rows = slice(self.rows, self.rows + count)
        self._steps[rows] = steps[:count]
        self._wall_times[rows] = wall_times[:count]
        self._values[rows] = values[:count]
        self.rows += count
        return count

    def close(self) -> Block:
        rows = slice(self.rows)
        return Block(self._steps[rows], self._wall_times[rows], self._values[rows])


class _SegmentWriter:
    """Puts blocks into segments of an event file. Belongs to the background thread."""

    def __init__(self, file: EventFile, name: str) -> None:
        # Before the first segment: what no layout's blocks go to.
        self._segment = SegmentTag(name, "", log_format.new_writer_id(time.time_ns()), -1)
        self._file = file.open()
        self._layout_ids: dict[Layout, str] = {}
        self._segment_blocks = 0
        self._last_step = 0

    def write(self, layout: Layout, block: Block) -> None:
        step = int(block.steps[-1])
        layout_id = self._layout_ids.get(layout)
        if layout_id is None:
            layout_id = self._layout_ids[layout] = log_format.layout_id(layout)
            event = log_format.layout_event(self._segment.name, layout, block.wall_times[-1])
            self._file.write(event)
        if not (
            self._segment.layout_id == layout_id
            and self._segment_blocks < log_format.MAX_SEGMENT_BLOCKS
            # The data server drops what a tag holds at and after a step that comes again.
            and step > self._last_step
        ):
            number = self._segment.number + 1
            self._segment = self._segment._replace(layout_id=layout_id, number=number)
            self._segment_blocks = 0
        self._file.write(log_format.block_event(self._segment, block))
        self._segment_blocks += 1
        self._last_step = step


class BlockWriter:
    """Records rows under a log directory. Safe to use from several threads.

    Rows are written in the background once 256 wait, or once the oldest has waited for the flush
    interval: ``flush_secs``, growing to 1 % of the writer's age, at most 120 s.

    When writing fails (disk full, directory removed), the next call gives one warning, ``failed``
    turns true, and what comes later is dropped: training goes on.

    Args:
      log_dir: Where the event file goes; made when the first block is written.
      name: What the recording is called.
      flush_secs: The flush interval at first, in seconds.
      file: The event file, where it is shared with other writers.
      is_first: Whether it warns where its rows take the place of an earlier recording's; others
        write beside one that does.
    """

    def __init__(
        self,
        log_dir: str,
        name: str = "losses",
        flush_secs: float = 5.0,
        file: EventFile | None = None,
        *,
        is_first: bool = True,
    ) -> None:
        self.failed = False
        self._is_first = is_first
        self._log_dir = log_dir
        self._file = file or EventFile(log_dir)
        self._name = name
        self._flush_secs = flush_secs
        self._start = time.monotonic()
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._open_block: _OpenBlock | None = None
        # With the one that is being written, in front.
        self._waiting: deque[tuple[Layout, Block]] = deque()
        self._closed = False
        self._failure: str | None = None
        self._thread: threading.Thread | None = None

    def append(
        self,
        layout: Layout,
        steps: npt.NDArray[np.int64],
        wall_times: npt.NDArray[np.float64],
        values: npt.NDArray[np.float32],
    ) -> None:
        """Records rows.

        Args:
          layout: What the columns are.
          steps: int64 ``[rows]``.
          wall_times: float64 ``[rows]``, in seconds since the epoch.
          values: float32 ``[rows, columns]``.

        Raises:
          ValueError: The shapes don't agree, or the writer is closed.
        """
        rows = len(steps)
        if wall_times.shape != (rows,) or values.shape != (rows, len(layout.columns)):
            raise ValueError(
                f"{rows} steps came with wall times of shape {wall_times.shape} and values of "
                f"shape {values.shape}; the layout has {len(layout.columns)} columns."
            )
        if self._unusable():
            return
        start = 0
        with self._changed:
            while start < rows:
                block = self._block_for(layout, int(steps[start]), float(wall_times[start]))
                start += block.extend(steps[start:], wall_times[start:], values[start:])
                if block.is_full:
                    self._hand_over()

    def append_row(
        self, layout: Layout, step: int, wall_time: float, values: Iterable[float]
    ) -> None:
        """Records one row, as ``append`` does."""
        # Converted first, so that a value that is no number leaves the block whole.
        row = array("f", values)
        if len(row) != len(layout.columns):
            raise ValueError(f"{len(row)} values for the layout's {len(layout.columns)} columns.")
        if self._unusable():
            return
        with self._changed:
            block = self._block_for(layout, step, wall_time)
            block.add(step, wall_time, row)
            if block.is_full:
                self._hand_over()

    def flush(self) -> None:
        """Returns when all rows so far are with the operating system."""
        if self._unusable():
            return
        with self._changed:
            self._hand_over()
            self._changed.wait_for(lambda: not self._waiting)
        self._unusable()

    def close(self) -> None:
        """Flushes and ends the writer. Closing again does nothing."""
        if self._pid != os.getpid() or self._closed:
            return
        with self._changed:
            self._hand_over()
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            atexit.unregister(self.close)
        self._unusable()

    def _unusable(self) -> bool:
        """Whether rows are dropped; says why, once, on the caller's thread."""
        if self._pid != os.getpid():
            self._fail("it was opened before this process was forked; open one writer a process")
        if self._failure is not None:
            reason, self._failure = self._failure, None
            warnings.warn(
                f"tb_regplugin stopped recording to {self._log_dir!r}: {reason}. "
                "Your training goes on.",
                RuntimeWarning,
                stacklevel=4,
            )
        return self.failed

    def _deadline(self, wall_time: float) -> float:
        """Until when, on the monotonic clock, a row of this wall time may wait."""
        now = time.monotonic()
        interval = max(
            self._flush_secs, min(_MAX_FLUSH_SECS, _FLUSH_SHARE_OF_AGE * (now - self._start))
        )
        return now + interval - max(0.0, time.time() - wall_time)

    def _block_for(self, layout: Layout, step: int, wall_time: float) -> _OpenBlock:
        """Returns an open block that a row fits into. The lock is held."""
        if self._closed:
            raise ValueError("The writer is closed.")
        # Again, because other threads may record while this one waits to hand over.
        while self._open_block is not None and not self._open_block.fits(layout, step):
            self._hand_over()
        if self._open_block is None:
            self._open_block = _OpenBlock(layout, self._deadline(wall_time))
            if self._thread is None:
                if self._is_first:
                    warn_of_earlier(self._log_dir, self._name, step, stacklevel=4)
                self._thread = threading.Thread(
                    target=self._run, name="tb_regplugin writer", daemon=True
                )
                self._thread.start()
                atexit.register(self.close)
            self._changed.notify_all()
        return self._open_block

    def _hand_over(self) -> None:
        """Closes the open block, if there is one, and gives it to the thread. The lock is held."""
        self._changed.wait_for(lambda: len(self._waiting) < _MAX_WAITING_BLOCKS)
        # Another thread may have handed it over during the wait.
        block, self._open_block = self._open_block, None
        # It is empty where its first row was refused.
        if block is not None and block.rows:
            self._waiting.append((block.layout, block.close()))
            self._changed.notify_all()

    def _run(self) -> None:
        segments: _SegmentWriter | None = None
        while (waiting := self._next_block()) is not None:
            try:
                if not self.failed:
                    segments = segments or _SegmentWriter(self._file, self._name)
                    segments.write(*waiting)
            except Exception as error:  # noqa: BLE001 - remote file systems raise what they like
                self._fail(f"{type(error).__name__}: {error}")
            with self._changed:
                self._waiting.popleft()
                self._changed.notify_all()
        if segments is not None:
            try:
                self._file.close()
            except Exception as error:  # noqa: BLE001 - as above
                self._fail(f"{type(error).__name__}: {error}")

    def _next_block(self) -> tuple[Layout, Block] | None:
        """Waits for a block or for the open one's deadline; None when all is written and closed."""
        with self._changed:
            while not self._waiting:
                block = self._open_block
                if block is None and self._closed:
                    return None
                remaining = None if block is None else block.deadline - time.monotonic()
                if remaining is None or remaining > 0:
                    self._changed.wait(remaining)
                else:
                    self._hand_over()
            return self._waiting[0]

    def _fail(self, reason: str) -> None:
        if not self.failed:
            self._failure = reason
            self.failed = True
