"""From rows to blocks on disk, in the background."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from tb_regplugin import log_format
from tb_regplugin.log_format import Block, SegmentTag
from tb_regplugin.notices import warn
from tb_regplugin.terms import Layout
from tb_regplugin.writing.earlier import Earlier, find_earlier, warn_of_earlier
from tb_regplugin.writing.event_file import EventFile

# With both, a day of slow training is some 1,000 blocks in 100 tags.
_FLUSH_SHARE_OF_AGE = 0.01
_MAX_FLUSH_SECS = 120.0
# What waits for a disk that is slow, or hangs. A training is held back so long, in seconds, while
# the disk takes nothing; from then on rows are dropped until it does.
MAX_WAITING_BYTES = 64 * 2**20
_PATIENCE = 1.0
# What a row takes beside its values.
_ROW_BYTES = 200
# How long, in seconds, flush and close wait, if not told otherwise.
TIMEOUT = 30.0


class _OpenBlock:
    """The rows that wait to become a block."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
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
    """Writes the blocks of one stream of a writer's, in segments."""

    def __init__(self, file: EventFile, name: str, writer: str) -> None:
        self._segment = SegmentTag(name, "", writer, -1)
        self._file = file
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


class _Row(NamedTuple):
    thread: int
    layout: Layout
    step: int
    wall_time: float
    values: array[float]


class _Rows(NamedTuple):
    thread: int
    layout: Layout
    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]


class _Request(NamedTuple):
    """Asks for all that came before it to be written; the answer says that it is."""

    answer: SimpleQueue[None]
    is_last: bool


@dataclass
class _Stream:
    """Rows whose steps increase, until a restart."""

    segments: _SegmentWriter
    last_step: int
    block: _OpenBlock | None = None


@dataclass
class _Life:
    """A writer as readers see it: what was recorded since it began, or since a restart.

    Attributes:
      writer: Its name in tags.
      first_step: From where on it overwrites what came before; the first one takes any step.
      streams: The first of them has the rows that come in order.
    """

    writer: str
    first_step: float
    streams: list[_Stream] = field(default_factory=list)


@dataclass
class _Worker:
    """The thread that makes blocks of rows and writes them, and what waits for it.

    Those who record only append to a ``deque`` and put into a ``SimpleQueue``, which are whole
    whenever a signal or another thread comes between: there is no lock that could be left held.

    Attributes:
      entries: What waits, in order.
      wake: Gets something where the thread has to look.
      is_idle: Whether it waits without an end.
      has_started: Whether there is a thread, as far as is known.
      failure: Why nothing is written any more, until it was told.
    """

    file: EventFile
    log_dir: str
    name: str
    flush_secs: float
    earlier: Earlier = field(default_factory=Earlier)
    entries: deque[_Row | _Rows | _Request] = field(default_factory=deque)
    wake: SimpleQueue[None] = field(default_factory=SimpleQueue)
    is_idle: bool = False
    failed: bool = False
    failure: str | None = None
    has_started: bool = False
    # Taken by the one thread that runs: a start that was interrupted is tried again.
    _run_token: list[bool] = field(default_factory=lambda: [True])
    _lives: list[_Life] = field(default_factory=list)
    # By thread.
    _last_steps: dict[int, int] = field(default_factory=dict)
    _started_ns: int = 0
    _deadline: float | None = None
    _began: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Starts the thread; once more does nothing."""
        try:
            threading.Thread(target=self._run, name="tb_regplugin writer", daemon=True).start()
            atexit.register(self.finish)
            self.has_started = True
        except Exception as error:  # noqa: BLE001 - a system may have no thread left
            self.fail(f"{type(error).__name__}: {error}")

    def ask(self, timeout: float | None, *, is_last: bool) -> bool:
        """Asks for all so far to be written; returns whether it was in time."""
        request = _Request(SimpleQueue(), is_last)
        self.entries.append(request)
        self.wake.put(None)
        try:
            request.answer.get(timeout=timeout)
        except Empty:
            return False
        return True

    def finish(self) -> None:
        """Writes what waits as the interpreter exits."""
        self.ask(TIMEOUT, is_last=True)

    def abandon(self) -> None:
        """Ends the thread once all is written, without waiting for it."""
        self.entries.append(_Request(SimpleQueue(), is_last=True))
        self.wake.put(None)

    def fail(self, reason: str) -> None:
        """Lets nothing more be written; the next call that records says why."""
        if not self.failed:
            self.failure = reason
            self.failed = True

    def _run(self) -> None:
        try:
            self._run_token.pop()
        except IndexError:
            return
        while True:
            self._wait()
            while self.entries:
                entry = self.entries.popleft()
                if not isinstance(entry, _Request):
                    self._attempt(self._take, entry)
                    continue
                self._attempt(self._write_all)
                if entry.is_last:
                    atexit.unregister(self.finish)
                    self._attempt(self._close)
                    entry.answer.put(None)
                    return
                entry.answer.put(None)
            if self._deadline is not None and self._deadline <= time.monotonic():
                self._attempt(self._write_all)

    def _wait(self) -> None:
        if self._deadline is not None:
            with suppress(Empty):
                self.wake.get(timeout=max(0.0, self._deadline - time.monotonic()))
            return
        self.is_idle = True
        # Who came before that has not seen it.
        if not self.entries:
            self.wake.get()
        self.is_idle = False

    def _attempt(self, do: Callable[..., object], *args: object) -> None:
        try:
            if not self.failed:
                do(*args)
        except Exception as error:  # noqa: BLE001 - remote file systems raise what they like
            self.fail(f"{type(error).__name__}: {error}")

    def _take(self, entry: _Row | _Rows) -> None:
        if isinstance(entry, _Row):
            thread, layout, step, wall_time, values = entry
            stream = self._stream_for(thread, step)
            self._block_of(stream, layout, step, wall_time).add(step, wall_time, values)
            self._note(thread, stream, step)
            return
        thread, layout, steps, wall_times, rows = entry
        start = 0
        while start < len(steps):
            step = int(steps[start])
            stream = self._stream_for(thread, step)
            block = self._block_of(stream, layout, step, float(wall_times[start]))
            start += block.extend(steps[start:], wall_times[start:], rows[start:])
            self._note(thread, stream, int(steps[start - 1]))

    def _stream_for(self, thread: int, step: int) -> _Stream:
        """Returns the first stream that a thread's next row can go on.

        A step that the same thread has reached before is a restart: it overwrites what all
        threads have recorded from there on. One of another thread is late, and overwrites nothing.
        """
        if step <= self._last_steps.get(thread, step - 1):
            self._last_steps.clear()
            if len(self._lives) == len(self._lives[0].streams) == 1:
                return self._lives[0].streams[0]
            self._write_all()
            first, *others = self._lives
            self._lives = [first, *(life for life in others if life.first_step < step)]
            self._lives.append(self._new_life(step))
        elif not self._lives:
            self.file.open(self.earlier.latest_ns)
            self._lives.append(self._new_life(float("-inf")))
        life = next(life for life in reversed(self._lives) if life.first_step <= step)
        for stream in life.streams:
            if stream.last_step < step:
                return stream
        writer = log_format.stream_of(life.writer, len(life.streams))
        life.streams.append(_Stream(_SegmentWriter(self.file, self.name, writer), step))
        return life.streams[-1]

    def _block_of(self, stream: _Stream, layout: Layout, step: int, wall_time: float) -> _OpenBlock:
        """Returns a stream's open block, which a row fits into."""
        if stream.block is not None and not stream.block.fits(layout, step):
            self._write(stream)
        if stream.block is None:
            stream.block = _OpenBlock(layout)
            if self._deadline is None:
                self._deadline = self._until(wall_time)
        return stream.block

    def _note(self, thread: int, stream: _Stream, step: int) -> None:
        """Notes that a stream has got rows up to a step."""
        stream.last_step = self._last_steps[thread] = step
        if stream.block is not None and stream.block.is_full:
            self._write(stream)
            if all(each.block is None for each in self._streams()):
                self._deadline = None

    def _new_life(self, first_step: float) -> _Life:
        # Behind all that the directory holds, whatever the clock says.
        after = max(self._started_ns, self.earlier.latest_ns)
        self._started_ns = max(time.time_ns(), after + 1)
        return _Life(log_format.new_writer_id(self._started_ns), first_step)

    def _streams(self) -> Iterator[_Stream]:
        return (stream for life in self._lives for stream in life.streams)

    def _until(self, wall_time: float) -> float:
        """Until when, on the monotonic clock, a row of this wall time may wait."""
        now = time.monotonic()
        share_of_age = min(_MAX_FLUSH_SECS, _FLUSH_SHARE_OF_AGE * (now - self._began))
        return now + max(self.flush_secs, share_of_age) - max(0.0, time.time() - wall_time)

    def _write_all(self) -> None:
        self._deadline = None
        for stream in self._streams():
            self._write(stream)

    def _write(self, stream: _Stream) -> None:
        block, stream.block = stream.block, None
        if block is not None:
            stream.segments.write(block.layout, block.close())

    def _close(self) -> None:
        if self._lives:
            self.file.close()


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
        self._worker = _Worker(file or EventFile(log_dir), log_dir, name, flush_secs)
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
        if rows and not self._unusable():
            entry = _Rows(0, layout, steps, wall_times, values)
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
            entry = _Row(thread, layout, step, wall_time, row)
            self._put(entry, step, _ROW_BYTES + 4 * len(row), 1)

    def _put(self, entry: _Row | _Rows, step: int, nbytes: int, rows: int) -> None:
        worker = self._worker
        if self._closed:
            raise ValueError("The writer is closed.")
        if len(worker.entries) * nbytes > MAX_WAITING_BYTES and not self._has_room(nbytes):
            return
        if not worker.has_started:
            self._begin(step)
        worker.entries.append(entry)
        waiting = len(worker.entries)
        if worker.is_idle or waiting % log_format.MAX_BLOCK_ROWS == 0 or rows > 1:
            worker.wake.put(None)

    def _begin(self, step: int) -> None:
        try:
            self._start_token.pop()
        except IndexError:
            return
        worker = self._worker
        worker.earlier = find_earlier(self._log_dir, worker.name)
        if self._is_first:
            warn_of_earlier(worker.earlier, self._log_dir, step, stacklevel=5)
        worker.start()

    def _has_room(self, nbytes: int) -> bool:
        """Waits for a disk that is slow, and not for one that hangs."""
        entries, until = self._worker.entries, time.monotonic() + _PATIENCE
        least = len(entries)
        while len(entries) * nbytes > MAX_WAITING_BYTES:
            if len(entries) < least:
                least, until = len(entries), time.monotonic() + _PATIENCE
            if self._is_stuck or self._worker.failed or time.monotonic() > until:
                if not self._is_stuck:
                    self._is_stuck = True
                    warn(
                        f"{self._log_dir!r} takes no rows at the moment, and as many wait for it "
                        "as there is room for: those that come now are dropped. Your training "
                        "goes on.",
                        stacklevel=5,
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
                f"{self._log_dir!r} took no rows for {timeout} s. Those that wait are written if "
                "it goes on before the program ends.",
                stacklevel=4,
            )
        elif worker.failed and is_last:
            worker.abandon()
        self._unusable()

    def _unusable(self) -> bool:
        """Whether rows are dropped; says why, once, on the caller's thread."""
        worker = self._worker
        if self._pid != os.getpid():
            worker.fail("it was opened before this process was forked; open one writer a process")
        if worker.failure is not None:
            reason, worker.failure = worker.failure, None
            warn(
                f"stopped recording to {self._log_dir!r}: {reason}. Your training goes on.",
                stacklevel=5,
            )
        return worker.failed
