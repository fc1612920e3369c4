"""Threads in the background, and those that somebody waits for."""

from __future__ import annotations

import threading
import time

from tb_regplugin.scalars.resting import rest


def _rested() -> float:
    start = time.monotonic()
    rest(worked=0.1, share=0.5)
    return time.monotonic() - start


def test_who_holds_up_nobody_goes_on() -> None:
    """Other programs may be in the way, but not every time."""
    assert min(_rested() for _ in range(50)) < 0.1


def test_who_holds_up_others_rests_as_long_as_it_worked() -> None:
    """It is told by another thread that is busy, and unknown to it."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            sum(range(1_000))

    busy = threading.Thread(target=work)
    busy.start()
    try:
        assert max(_rested() for _ in range(20)) >= 0.1
    finally:
        is_over.set()
        busy.join()
