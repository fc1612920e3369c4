"""What a recorder tells its user."""

from __future__ import annotations

import contextlib
import sys
import warnings
from types import FrameType

# What may lie between a line of the user's, such as that of ``fit``, and a warning that it leads
# to: this package, the frameworks that call it, and what Python has around threads and contexts.
_BETWEEN = frozenset(
    [
        *("tb_regplugin", "keras", "tf_keras", "keras_tuner", "jax", "torch", "tensorflow"),
        *("tensorflow_estimator", "tf_slim", "contextlib", "threading", "weakref"),
    ]
)
# What TensorFlow calls its copies of the user's functions, which nobody looks into. Under another
# name a warning would stand at a copy's line.
_COPY = "__autograph_generated_file"


def warn(notice: str, category: type[Warning] = RuntimeWarning) -> None:
    """Warns, and never raises: where warnings are errors, the notice goes to the error output."""
    try:
        warn_at_users_line(notice, category)
    except Warning:
        with contextlib.suppress(Exception):
            print(notice, file=sys.stderr)  # noqa: T201 - there is no other way left to tell


def warn_at_users_line(notice: str, category: type[Warning] = UserWarning) -> None:
    """Warns as ``warnings.warn`` does, at the nearest line that is the user's own.

    In a thread of the package's there is none; the warning then names no line.

    Raises:
      Warning: It is one, where warnings are errors.
    """
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame is not None and _lies_between(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(notice, category, stacklevel=level)


def _lies_between(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return package in _BETWEEN or _COPY in frame.f_code.co_filename
