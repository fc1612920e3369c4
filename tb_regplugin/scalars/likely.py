"""Whether TensorBoard has scalars that may be parts of losses, told by names, in the background."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tb_regplugin.scalars.resting import rest

if TYPE_CHECKING:
    from tb_regplugin.reading.source import TensorBoardSource

_logger = logging.getLogger(__name__)

# Runs whose names are listed at once.
_RUNS_AT_ONCE = 250
# Seconds until names are looked at again: a page asks a second after TensorBoard is up, when small
# logs are loaded. In between a tenth of the time since the start, so that many looks cost little.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.3, 30.0
_PAUSE_SINCE_START = 0.1
# What of the time looking takes, of each look where others want it, and over all looks.
_SHARE = 0.1

# By run and tag: the last step and wall time.
Listed = dict[str, dict[str, tuple[int, float]]]


class LikelyScalars:
    """Looks from its making on until there are some. Whoever asks waits for nothing.

    Args:
      source: Returns where to look.
    """

    def __init__(self, source: Callable[[], TensorBoardSource]) -> None:
        self._source = source
        self._is_found = False
        threading.Thread(target=self._look, daemon=True).start()

    def __call__(self) -> bool:
        """Returns what is known by now."""
        return self._is_found

    def _look(self) -> None:
        first = time.monotonic()
        pause, told = _FIRST_PAUSE, ""
        while not self._is_found:
            time.sleep(pause)
            start = time.monotonic()
            try:
                self._is_found = self._has_likely()
            except Exception as error:  # noqa: BLE001 - the tab of our own recordings stays
                if str(error) != told:
                    _logger.warning("The names of scalars were not looked at: %s", error)
                told = str(error)
            end = time.monotonic()
            pause = min(max(_FIRST_PAUSE, _PAUSE_SINCE_START * (end - first)), _LONGEST_PAUSE)
            pause = max(pause, (end - start) * (1 / _SHARE - 1))

    def _has_likely(self) -> bool:
        # TensorBoard's start does not wait for what these import.
        from tb_regplugin.scalars.series import joined
        from tb_regplugin.scalars.tags import is_likely

        return any(
            any(map(is_likely, joined(names).values()))
            for names in listed_slowly(self._source(), _SHARE)
        )


def listed_slowly(source: TensorBoardSource, share: float) -> Iterator[Listed]:
    """Yields the scalars of some runs at a time, and rests in between where others want to work."""
    if source.goes_through_all:
        # It would even read the first event of all runs, to list these alone.
        yield source.scalars_in(None)
        return
    runs = source.runs()
    for first in range(0, len(runs), _RUNS_AT_ONCE):
        start = time.monotonic()
        yield source.scalars_in(runs[first : first + _RUNS_AT_ONCE])
        rest(time.monotonic() - start, share)
