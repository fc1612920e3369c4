"""Getting TensorBoard's data server to send the end of a reply at once.

It leaves Nagle's algorithm on: the last packet of a reply waits until the ones before it are
acknowledged, and this side's system acknowledges after 40 ms, or along with whatever it sends. So
something is sent: listing a run took 44 ms without it, and 3 ms with it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

# Seconds from one nudge to the next: a reply that takes long to make is not late for long.
_PAUSES = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256)


@contextlib.contextmanager
def nudging(send: Callable[[], object]) -> Iterator[None]:
    """Sends something now and then on the same connection, while a reply is awaited.

    Args:
      send: Asks for something small. What it returns or raises does not matter.
    """
    arrived = threading.Event()
    threading.Thread(target=_nudge, args=(send, arrived), daemon=True).start()
    try:
        yield
    finally:
        arrived.set()


def _nudge(send: Callable[[], object], arrived: threading.Event) -> None:
    for pause in _PAUSES:
        if arrived.wait(pause):
            return
        # Its own reply can be held up as well, and is not waited for.
        threading.Thread(target=_ignore, args=(send,), daemon=True).start()


def _ignore(send: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):
        send()
