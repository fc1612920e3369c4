"""From rings on the device to the writer, in the background."""

from __future__ import annotations

import atexit
import threading
import time
import warnings

import numpy as np
import numpy.typing as npt

from tb_regplugin.capture.safety import FailSafe
from tb_regplugin.capture.step_ring import RingRows, StepRing, default_rows
from tb_regplugin.terms import Layout
from tb_regplugin.writing.blocks import BlockWriter

# How long the rings are left alone, in seconds: at first, at least and at most.
_FIRST_WAIT = 0.005
_MIN_WAIT, _MAX_WAIT = 0.001, 0.05
# How full a visit wants to find the fullest ring.
_WANTED_SHARE = 0.25


class RingDrain:
    """Empties rings into a writer: while they fill, when asked to, and when the program ends.

    Args:
      writer: Where rows go.
      fail_safe: Through which everything runs that happens in the background.
      ring_rows: How many rows a ring has; by its columns when None.
    """

    def __init__(self, writer: BlockWriter, fail_safe: FailSafe, ring_rows: int | None) -> None:
        self._writer = writer
        self._fail_safe = fail_safe
        self._ring_rows = ring_rows
        self._rings: dict[Layout, StepRing] = {}
        self._drained_at = 0.0
        # Of the fullest ring, at the last visit.
        self._share = 0.0
        self._said_lost = False
        # Held while rows move, so that they keep their order.
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self, layout: Layout) -> StepRing:
        """Returns the ring for rows of a layout; the first one starts the thread."""
        with self._lock:
            if layout not in self._rings:
                columns = len(layout.columns)
                self._rings[layout] = StepRing(self._ring_rows or default_rows(columns), columns)
            if self._thread is None:
                self._drained_at = time.time()
                self._thread = threading.Thread(
                    target=self._run, name="tb_regplugin recorder", daemon=True
                )
                self._thread.start()
                self._close_at_exit()
            return self._rings[layout]

    def append_row(self, layout: Layout, step: int, row: list[float]) -> None:
        """Hands over a row that comes after all those in the rings."""
        with self._lock:
            self.drain()
            self._writer.append_row(layout, step, time.time(), row)
            self._close_at_exit()

    def drain(self) -> None:
        """Empties the rings."""
        self._fail_safe.run(self._drain)

    def close(self) -> None:
        """Empties the rings and closes the writer. Closing again does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self.drain()
        self._writer.close()
        atexit.unregister(self.close)

    def _close_at_exit(self) -> None:
        """Makes this close before the writer does: what registered last is called first."""
        if self._thread is not None:
            atexit.unregister(self.close)
            atexit.register(self.close)

    def _run(self) -> None:
        wait = _FIRST_WAIT
        while not self._closing.wait(wait) and not self._fail_safe.failed:
            started = time.monotonic()
            self.drain()
            period = wait + time.monotonic() - started
            wanted = period * _WANTED_SHARE / self._share if self._share else 2 * wait
            wait = min(_MAX_WAIT, max(_MIN_WAIT, wanted))

    def _drain(self) -> None:
        with self._lock:
            started, self._drained_at = self._drained_at, time.time()
            drained = [(layout, ring.drain()) for layout, ring in self._rings.items()]
            self._share = max(
                (
                    len(rows.steps) / ring.rows
                    for (_, rows), ring in zip(drained, self._rings.values(), strict=True)
                ),
                default=0.0,
            )
            total = sum(len(rows.steps) for _, rows in drained)
            if total:
                # When each of them was computed, only the device knows.
                self._append(drained, np.linspace(started, self._drained_at, total + 1)[1:])
                self._close_at_exit()
            self._say_lost(sum(rows.lost for _, rows in drained))

    def _append(
        self, drained: list[tuple[Layout, RingRows]], wall_times: npt.NDArray[np.float64]
    ) -> None:
        filled = [(layout, rows) for layout, rows in drained if len(rows.steps)]
        if len(filled) == 1:
            layout, rows = filled[0]
            self._writer.append(layout, rows.steps, wall_times, rows.values)
            return
        # Row by row, in the order in which the rings got them.
        which = np.concatenate([np.full(len(rows.steps), i) for i, (_, rows) in enumerate(filled)])
        index = np.concatenate([np.arange(len(rows.steps)) for _, rows in filled])
        order = np.argsort(np.concatenate([rows.sequence for _, rows in filled]), kind="stable")
        for wall_time, i, j in zip(
            wall_times.tolist(), which[order].tolist(), index[order].tolist(), strict=True
        ):
            layout, rows = filled[i]
            self._writer.append_row(layout, int(rows.steps[j]), wall_time, rows.values[j].tolist())

    def _say_lost(self, lost: int) -> None:
        if lost and not self._said_lost:
            self._said_lost = True
            warnings.warn(
                f"tb_regplugin lost {lost} rows: compiled functions recorded more steps than the "
                "ring holds before it could be emptied. Give Recorder a larger ring_rows.",
                RuntimeWarning,
                stacklevel=5,
            )
