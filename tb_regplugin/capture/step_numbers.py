"""How many training steps each model has had, in either Keras."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple


class _History(NamedTuple):
    next_step: int
    optimizer: weakref.ref[Any] | None
    iterations: int | None


_histories: weakref.WeakKeyDictionary[Any, _History] = weakref.WeakKeyDictionary()


def next_step_of(model: Any) -> int:
    """Returns the number of a model's next training step. Call it as training begins.

    A model seen for the first time continues at its optimiser's iterations, so a loaded one goes
    on where it was saved. After that it continues where it was; with the same optimiser at other
    iterations (a restored checkpoint, a training that was not recorded) it moves as they moved.
    """
    history = _histories.get(model, _History(0, None, None))
    iterations = iterations_of(model.optimizer)
    if history.optimizer is not None and history.optimizer() is model.optimizer:
        if iterations is None or history.iterations is None:
            return history.next_step
        return max(0, history.next_step + iterations - history.iterations)
    return iterations or history.next_step


def remember(model: Any, next_step: int, iterations: int | None) -> None:
    """Notes where a model's training has come to: its next step, and its optimiser's iterations.

    These are given, as far as they are known, because reading them costs time.
    """
    try:
        optimizer = weakref.ref(model.optimizer)
    except TypeError:
        optimizer = None
    _histories[model] = _History(next_step, optimizer, iterations)


def iterations_of(optimizer: Any) -> int | None:
    """Returns how many steps an optimiser has had; None where it does not say."""
    try:
        updates = int(optimizer.iterations.numpy())
        return updates * (getattr(optimizer, "gradient_accumulation_steps", None) or 1)
    except Exception:  # noqa: BLE001 - not Keras' optimiser: whatever it is, it counts nothing
        return None
