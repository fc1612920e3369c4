"""Recording rows: what callers touch. ``worker`` writes them, ``streams`` makes blocks of them."""

from __future__ import annotations

import os
import time
import weakref
from array import array
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty

import numpy as np
import numpy.typing as npt

from tb_regplugin.log_format import MAX_BLOCK_ROWS
from tb_regplugin.notices import warn
from tb_regplugin.terms import Layout
from tb_regplugin.writing.earlier import warn_of_earlier
from tb_regplugin.writing.event_file import EventFile
from tb_regplugin.writing.streams import Rows, Streams
from tb_regplugin.writing.worker import TIMEOUT, Row, Worker

# What waits for a disk that is slow, or hangs. A training is held back so long, in seconds, while
# the disk takes nothing; from then on rows are dropped until it does.
MAX_WAITING_BYTES = 64 * 2**20
_PATIENCE = 1.0
# How long the first row waits to hear of earlier recordings, in seconds: a remote path may hang.
_LOOK_SECS = 5.0
# What a row takes beside its values.
_ROW_BYTES = 200


class BlockWriter:
    """Records rows under a log directory. Safe to use from several threads, and from signals.

    Rows are written in the background once 256 wait, or once the oldest has waited for the flush
    interval: ``flush_secs``, growing to 1 % of the writer's age, at most 120 s.

    When writing fails (disk full, directory removed), the next call gives one warning, ``failed``
    turns true, and what comes later is dropped: training goes on. Where the disk hangs, 64 MiB of
    rows wait for it; what comes then is dropped, with one warning, until it goes on.

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
        self._is_first = is_first
        self._log_dir = log_dir
        self._pid = os.getpid()
        self._closed = self._is_stuck = False
        self._worker = Worker(Streams(file or EventFile(log_dir), name, flush_secs))
        # The layout of the row that came last, and its number.
        self._last: tuple[Layout | None, int] = (None, -1)
        # Taken by the thread that starts the worker: of several, one gets it.
        self._start_token = [True]
        # It knows nothing of this one: who drops a writer without closing it loses no row.
        weakref.finalize(self, self._worker.abandon).atexit = False

    @property
    def failed(self) -> bool:
        """Whether rows are dropped, because writing has failed."""
        return self._worker.failed

    def append(
        self,
        layout: Layout,
        steps: npt.NDArray[np.int64],
        wall_times: npt.NDArray[np.float64],
        values: npt.NDArray[np.float32],
    ) -> None:
        """Records rows.

        Steps are int64 ``[rows]``, wall times float64 ``[rows]`` in seconds since the epoch, and
        values float32 ``[rows, columns]``.

        Raises:
          ValueError: The shapes don't agree, or the writer is closed.
        """
        rows = len(steps)
        if wall_times.shape != (rows,) or values.shape != (rows, len(layout.columns)):
            raise ValueError(
                f"{rows} steps came with wall times of shape {wall_times.shape} and values of "
                f"shape {values.shape}; the layout has {len(layout.columns)} columns."
            )
        if rows and not self._unusable():
            entry = (0, layout, steps, wall_times, values)
            self._put(entry, int(steps[0]), 16 * rows + values.nbytes, rows)

    def append_row(
        self,
        layout: Layout,
        step: int,
        wall_time: float,
        values: Iterable[float],
        thread: int = 0,
    ) -> None:
        """Records one row, as ``append`` does.

        With a number for each of the threads that record, a row that comes late from another one
        is no restart.
        """
        # Converted first, so that a value that is no number leaves the block whole.
        row = array("f", values)
        if len(row) != len(layout.columns):
            raise ValueError(f"{len(row)} values for the layout's {len(layout.columns)} columns.")
        if not self._unusable():
            last_layout, number = self._last
            if layout is not last_layout:
                number = self._worker.number_of(layout)
                self._last = (layout, number)
            entry = (thread, number, step, wall_time, row.tobytes())
            self._put(entry, step, _ROW_BYTES + 4 * len(row), 1)

    def _put(self, entry: Row | Rows, step: int, nbytes: int, rows: int) -> None:
        worker = self._worker
        if self._closed:
            raise ValueError("The writer is closed. Make a new one to go on recording.")
        if len(worker.entries) * nbytes > MAX_WAITING_BYTES and not self._has_room(nbytes):
            return
        if not worker.has_started:
            self._begin(step)
        worker.entries.append(entry)
        waiting = len(worker.entries)
        if worker.is_idle or waiting % MAX_BLOCK_ROWS == 0 or rows > 1:
            worker.wake.put(None)

    def _begin(self, step: int) -> None:
        try:
            self._start_token.pop()
        except IndexError:
            return
        worker = self._worker
        worker.start()
        if self._is_first and worker.has_started:
            worker.wake.put(None)
            with suppress(Empty):
                worker.looked.get(timeout=_LOOK_SECS)
                warn_of_earlier(worker.streams.earlier, self._log_dir, step)

    def _has_room(self, nbytes: int) -> bool:
        """Waits for a disk that is slow, and not for one that hangs."""
        entries, until = self._worker.entries, time.monotonic() + _PATIENCE
        least = len(entries)
        while len(entries) * nbytes > MAX_WAITING_BYTES:
            if len(entries) < least:
                least, until = len(entries), time.monotonic() + _PATIENCE
            if self._is_stuck or self._worker.failed or time.monotonic() > until:
                # The next call says why it has failed.
                if not (self._is_stuck or self._worker.failed):
                    self._is_stuck = True
                    warn(
                        f"tb_regplugin: writing to {self._log_dir!r} has stalled and the queue is "
                        "full: new rows are dropped. Your training goes on."
                    )
                return False
            time.sleep(0.001)
        self._is_stuck = False
        return True

    def flush(self, timeout: float | None = TIMEOUT) -> None:
        """Returns when all rows so far are with the operating system.

        Args:
          timeout: How long to wait for that, in seconds; without an end where it is None. What is
            not written by then is written later, if the disk goes on; a warning says so.
        """
        if not self._unusable() and not self._closed:
            self._ask(timeout, is_last=False)

    def close(self, timeout: float | None = TIMEOUT) -> None:
        """Flushes, as ``flush`` does, and ends the writer. Closing again does nothing."""
        if self._pid != os.getpid() or self._closed:
            return
        self._closed = True
        self._ask(timeout, is_last=True)

    def _ask(self, timeout: float | None, *, is_last: bool) -> None:
        worker = self._worker
        if not worker.has_started:
            # Nothing came; or an interrupt came when it was about to be started.
            if not worker.entries:
                return
            worker.start()
        if not worker.failed and not worker.ask(timeout, is_last=is_last):
            warn(
                f"tb_regplugin: writing to {self._log_dir!r} has stalled for {timeout} s. Waiting "
                "rows are written if it recovers before the program ends."
            )
        elif worker.failed and is_last:
            worker.abandon()
        self._unusable()

    def _unusable(self) -> bool:
        """Whether rows are dropped; says why, once, on the caller's thread."""
        worker = self._worker
        if self._pid != os.getpid():
            worker.fail("it was opened before this process was forked; open one writer per process")
        if worker.failure is not None:
            reason, worker.failure = worker.failure, None
            warn(
                f"tb_regplugin stopped recording to {self._log_dir!r}: {reason}. "
                "Your training goes on."
            )
        return worker.failed
