"""What a recorder tells its user."""

from __future__ import annotations

import contextlib
import sys
import warnings


def warn(notice: str, stacklevel: int = 1) -> None:
    """Warns, and never raises: where warnings are errors, the notice goes to the error output.

    Args:
      notice: One or more sentences.
      stacklevel: Whose line is shown, as of ``warnings.warn``.
    """
    notice = f"tb_regplugin: {notice}"
    try:
        warnings.warn(notice, RuntimeWarning, stacklevel=stacklevel + 1)
    except RuntimeWarning:
        with contextlib.suppress(Exception):
            print(notice, file=sys.stderr)  # noqa: T201 - there is no other way left to tell
