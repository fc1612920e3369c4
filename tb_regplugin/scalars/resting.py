"""How threads that nobody waits for leave the interpreter to those that somebody waits for."""

from __future__ import annotations

import time

# Seconds. Whoever holds the interpreter gives it up every 5 ms: who naps gets it back late then.
_NAP, _LATE = 0.001, 0.002
_LONGEST = 1.0


def rest(worked: float, share: float) -> None:
    """Rests after working for some seconds, if others want the interpreter or the processors.

    Args:
      worked: For how many seconds.
      share: Of the time that is wanted by others, what may be worked.
    """
    start = time.monotonic()
    time.sleep(_NAP)
    if time.monotonic() - start - _NAP > _LATE:
        time.sleep(min(worked * (1 / share - 1), _LONGEST))
