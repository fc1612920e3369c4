"""Frameworks that not everyone needs, and what to install where one is missing."""

from __future__ import annotations

from typing import Any


def import_tensorflow(wanted_by: str) -> Any:
    """Returns TensorFlow, for a public name that cannot do without.

    Raises:
      ImportError: It is not installed; the message says what to do. What is wrong with one that is
        installed, it says itself.
    """
    try:
        import tensorflow
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        raise ImportError(
            f"tb_regplugin.{wanted_by} needs TensorFlow: "
            'pip install "tb_regplugin[tensorflow]". Writer and load work without it.'
        ) from error
    return tensorflow
