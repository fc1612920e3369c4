"""Every private name that both Kerases have, here and nowhere else. Imports neither.

Each function says why the public ways don't do, and what happens where a name is gone.
``tests/keras_backend/test_internals.py`` calls each one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# What fit calls. These are plain attributes, but Keras tracks what is set in the usual way: so they
# are read and written in the model's __dict__.


def function_of(model: Any, name: str) -> Any:
    """Returns a model's ``train_function`` or ``test_function``; None before ``fit`` made it."""
    return model.__dict__.get(name)


def set_function(model: Any, name: str, function: Any) -> None:
    """Lets ``fit`` call another function."""
    model.__dict__[name] = function


def history_of(model: Any) -> Any:
    """Returns the ``History`` of the model's last ``fit``, which is another one in each.

    If it were gone, what an exception left behind could be taken for a part of the next ``fit``.
    """
    return model.__dict__.get("history")


def decayed_by(optimizer: Any, variables: Sequence[Any]) -> list[Any]:
    """Returns which of these variables an optimiser's weight decay shrinks.

    What ``exclude_from_weight_decay`` was given can't be asked for. If it were gone, no weight
    decay would be recorded.
    """
    is_decayed = getattr(optimizer, "_use_weight_decay", None)
    return [] if is_decayed is None else [v for v in variables if is_decayed(v)]


def runs_in_several_processes(strategy: Any) -> bool:
    """Whether a ``tf.distribute`` strategy sums over processes (a private name of TensorFlow)."""
    return strategy is not None and bool(strategy.extended._in_multi_worker_mode())
