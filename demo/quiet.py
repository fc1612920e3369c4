"""Keeps the notices of frameworks out of what the demo shows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def without_notices() -> Iterator[None]:
    """Sends what is written to stderr nowhere, for the length of a ``with`` block.

    TensorFlow writes some notices as it is imported, before it looks at ``TF_CPP_MIN_LOG_LEVEL``.
    TensorBoard writes one as it starts.
    An exception is still seen: Python writes it after the block.
    """
    kept = os.dup(_STDERR)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), _STDERR)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
