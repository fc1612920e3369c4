"""Whether TensorBoard has scalars that may be parts of losses, told by names, in the background."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator

from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.scalars.series import joined
from tb_regplugin.scalars.tags import is_likely

_logger = logging.getLogger(__name__)

# Runs whose names are listed at once.
_RUNS_AT_ONCE = 50
# Seconds that TensorBoard's list of tabs waits for the first runs at most: a small log has no more.
_PATIENCE = 0.5
# What of the time looking takes: other tabs need the interpreter, too.
_SHARE = 0.1
# Seconds until it is looked again, for runs that came later.
_AGAIN = 20.0

# By run and tag: the last step and wall time.
Listed = dict[str, dict[str, tuple[int, float]]]


class LikelyScalars:
    """Looks when somebody asks, until there are some. Safe to use from threads.

    Args:
      source: Returns where to look.
    """

    def __init__(self, source: Callable[[], TensorBoardSource]) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._is_found = False
        self._next = 0.0

    def __call__(self) -> bool:
        """Returns what is known by now."""
        with self._lock:
            is_due = not self._is_found and time.monotonic() >= self._next
            self._next = math.inf if is_due else self._next
        if is_due:
            has_begun = threading.Event()
            threading.Thread(target=self._look, args=(has_begun,), daemon=True).start()
            has_begun.wait(_PATIENCE)
        return self._is_found

    def _look(self, has_begun: threading.Event) -> None:
        try:
            for names in listed_slowly(self._source(), _SHARE):
                self._is_found = any(map(is_likely, joined(names).values()))
                has_begun.set()
                if self._is_found:
                    return
        except Exception as error:  # noqa: BLE001 - the tab of our own recordings stays
            _logger.warning("The names of scalars were not looked at: %s", error)
        has_begun.set()
        self._next = time.monotonic() + _AGAIN


def listed_slowly(source: TensorBoardSource, share: float) -> Iterator[Listed]:
    """Yields the scalars of some runs at a time, and takes only a share of the time for it."""
    runs = source.runs()
    for first in range(0, len(runs), _RUNS_AT_ONCE):
        start = time.monotonic()
        yield source.scalars_in(runs[first : first + _RUNS_AT_ONCE])
        time.sleep((time.monotonic() - start) * (1 / share - 1))
