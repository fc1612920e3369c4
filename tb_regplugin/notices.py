"""What a recorder tells its user."""

from __future__ import annotations

import contextlib
import sys
import warnings


def warn(notice: str, category: type[Warning] = RuntimeWarning, stacklevel: int = 1) -> None:
    """Warns, and never raises: where warnings are errors, the notice goes to the error output."""
    try:
        warnings.warn(notice, category, stacklevel=stacklevel + 1)
    except Warning:
        with contextlib.suppress(Exception):
            print(notice, file=sys.stderr)  # noqa: T201 - there is no other way left to tell
