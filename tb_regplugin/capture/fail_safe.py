"""Keeping failures of recording out of the training that is recorded."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any


class FailSafe:
    """Runs functions of a recorder until one raises; that is one warning, and the last run.

    Args:
      what: What it is that can't be recorded after a failure.

    Example:
      >>> fail_safe = FailSafe()
      >>> fail_safe.run(print, "recorded")
      recorded
      >>> fail_safe.failed
      False
    """

    def __init__(self, what: str = "") -> None:
        self.failed = False
        self._what = f" {what}" if what else ""

    def run(self, function: Callable[..., object], *args: Any) -> None:
        """Calls a function, unless one has failed before."""
        if self.failed:
            return
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self.failed = True
            reason = str(error) if isinstance(error, RecordingError) else repr(error)
            warnings.warn(
                f"tb_regplugin stopped recording{self._what}: {reason}. Your training goes on.",
                RuntimeWarning,
                stacklevel=3,
            )


class RecordingError(RuntimeError):
    """Something can't be recorded; the message says what and why."""
