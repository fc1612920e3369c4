"""The thread that writes what is recorded, and what waits for it."""

from __future__ import annotations

import atexit
import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple, cast

import numpy as np

from tb_regplugin.log_format import MAX_BLOCK_ROWS
from tb_regplugin.terms import Layout
from tb_regplugin.writing.streams import Rows, Streams

# How long, in seconds, flush, close and the end of a program wait, if not told otherwise.
TIMEOUT = 30.0

# A single row: the numbers of a thread and of a layout, step, wall time, and float32 values. The
# garbage collector goes through all objects of a program when enough new ones wait that may hold
# others, and does not count these.
Row = tuple[int, int, int, float, bytes]


class _Request(NamedTuple):
    """Asks for all that came before it to be written; the answer says that it is."""

    answer: SimpleQueue[None]
    is_last: bool


class Worker:
    """Writes rows, of which streams make blocks, in a thread of its own.

    Those who record only append to a ``deque`` and put into a ``SimpleQueue``, which are whole
    whenever a signal or another thread comes between: there is no lock that could be left held.

    Attributes:
      entries: What waits, in order.
      wake: Gets something where the thread has to look.
      looked: Gets something once the streams know of earlier recordings.
      is_idle: Whether the thread waits without an end.
      has_started: Whether there is a thread, as far as is known.
      failed: Whether nothing is written any more.
      failure: Why, until it was told.
    """

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.entries: deque[Row | Rows | _Request] = deque()
        self.wake: SimpleQueue[None] = SimpleQueue()
        self.looked: SimpleQueue[None] = SimpleQueue()
        self.is_idle = self.has_started = self.failed = False
        self.failure: str | None = None
        self._numbers: dict[Layout, int] = {}
        self._layouts: dict[int, Layout] = {}
        self._next_number = itertools.count()
        self._pid = os.getpid()
        # Taken by the one thread that runs: a start that was interrupted is tried again.
        self._run_token = [True]

    def number_of(self, layout: Layout) -> int:
        """Returns the number that stands for a layout in single rows."""
        number = self._numbers.get(layout)
        if number is None:
            # Several threads may give a layout a number each; all of them stand for it.
            number = next(self._next_number)
            self._layouts[number] = layout
            self._numbers[layout] = number
        return number

    def start(self) -> None:
        """Starts the thread; once more does nothing."""
        try:
            threading.Thread(target=self._run, name="tb_regplugin writer", daemon=True).start()
            atexit.register(self.finish)
            self.has_started = True
        except Exception as error:  # noqa: BLE001 - a system may have no thread left
            self._fail(error)

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
        """Writes what waits as the interpreter exits; a process forked off has no such thread."""
        if os.getpid() == self._pid:
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

    def _fail(self, error: Exception) -> None:
        self.fail(f"{type(error).__name__}: {error}")

    def _run(self) -> None:
        try:
            self._run_token.pop()
        except IndexError:
            return
        # Not while the thread that starts this one waits for it: an interrupt there would tell.
        self._wait()
        self.streams.look_back()
        self.looked.put(None)
        while True:
            self._wait()
            while self.entries:
                entry = self.entries.popleft()
                if not isinstance(entry, _Request):
                    self._attempt(self._take, entry)
                    continue
                self._attempt(self.streams.write_all)
                if entry.is_last:
                    atexit.unregister(self.finish)
                    try:
                        self.streams.close()
                    except Exception as error:  # noqa: BLE001 - as below
                        self._fail(error)
                entry.answer.put(None)
                if entry.is_last:
                    return
            deadline = self.streams.deadline
            if deadline is not None and deadline <= time.monotonic():
                self._attempt(self.streams.write_all)

    def _wait(self) -> None:
        deadline = self.streams.deadline
        if deadline is not None and not self.failed:
            with suppress(Empty):
                self.wake.get(timeout=max(0.0, deadline - time.monotonic()))
            return
        self.is_idle = True
        # Who came before that has not seen it.
        if not self.entries:
            self.wake.get()
        self.is_idle = False

    def _attempt(self, write: Callable[..., object], *args: object) -> None:
        try:
            if not self.failed:
                write(*args)
        except Exception as error:  # noqa: BLE001 - remote file systems raise what they like
            self._fail(error)

    def _take(self, first: Row | Rows) -> None:
        self.streams.take(self._gathered(first) if isinstance(first[2], int) else first)

    def _gathered(self, first: Row) -> Rows:
        """Returns a row as arrays, with those that follow it and are like it."""
        rows, entries = [first], self.entries
        # Rows in arrays have a layout, and requests an answer, where these have a number.
        while entries and entries[0][:2] == first[:2] and len(rows) < MAX_BLOCK_ROWS:
            rows.append(cast("Row", entries.popleft()))
        thread, number, _, _, _ = first
        _, _, steps, wall_times, values = zip(*rows, strict=True)
        array = np.frombuffer(b"".join(values), np.float32).reshape(len(rows), -1)
        return thread, self._layouts[number], np.array(steps, np.int64), np.array(wall_times), array
