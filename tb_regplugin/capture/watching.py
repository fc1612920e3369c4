"""Watching which gradients a step takes and what it gives its optimisers, on any framework.

Gradient tapes and optimisers can't be asked afterwards, and a user's may be any: so methods of
their classes are wrapped as long as a thread watches. For other threads they only pass on.
"""

from __future__ import annotations

import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

# Wraps a method; None comes back where nothing is to be wrapped.
Wrap = Callable[[Any], Any]


class WatchedStep(ABC):
    """What one run of a step's Python differentiates, and what it gives its optimisers.

    Attributes:
      depth: How many calls of an optimiser's ``apply`` are running, one within the other.
      failure: What looking at it has raised.
      losses: What each ``compute_loss`` returned.
      is_eager: Whether the step runs as its Python does.
    """

    is_eager = True

    def __init__(self) -> None:
        self.depth = 0
        self.failure: Exception | None = None
        self.losses: list[Any] = []
        self._unscaled: list[tuple[Any, Any]] = []

    @property
    @abstractmethod
    def has_calls(self) -> bool:
        """Whether any gradient was taken."""

    @abstractmethod
    def total(self) -> Any:
        """Returns what the step trains on; in its graph, this may add the operations of a sum.

        Raises:
          RecordingError: It can't be told; the message says why.
        """

    @abstractmethod
    def note_applied(self, gradients: Any, variables: Any) -> None:
        """Notes what an optimiser was given."""

    def holds(self, tensor: Any) -> bool:
        """Whether a tensor can be used in the step: those of a loop or function within can't."""
        return True

    def is_same(self, tensor: Any, total: Any) -> bool:
        """Whether a tensor is the total, perhaps passed on."""
        return tensor is total

    def note_loss(self, loss: Any) -> None:
        """Notes what a ``compute_loss`` returned."""
        self.losses.append(loss)

    def attempt(self, note: Callable[..., None], *args: Any) -> None:
        """Calls what takes a note; a failure is kept, and is never the training's."""
        try:
            note(*args)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self.failure = error

    def without_scale(self, target: Any) -> Any:
        """Returns the loss that an optimiser has scaled, where it is such."""
        for scaled_loss, loss in reversed(self._unscaled):
            if scaled_loss is target:
                target = loss
        return target

    def note_scaled(self, loss: Any, scaled_loss: Any) -> None:
        """Notes what an optimiser made of a loss."""
        if scaled_loss is not loss:
            self._unscaled.append((scaled_loss, loss))


class _Watching(threading.local):
    step: WatchedStep | None = None


_Step = TypeVar("_Step", bound=WatchedStep)
_watching = _Watching()
_lock = threading.Lock()
# What the wrapped methods were, while any thread watches.
_originals: list[tuple[Any, str, Any, Any]] = []
_watchers = 0


def watched_step() -> Any:
    """Returns what this thread watches; None where it does not."""
    return _watching.step


@contextmanager
def watching(
    step: _Step,
    gradients: Iterable[tuple[Any, str, Wrap]],
    optimizers: Iterable[type],
    scale: str,
    trained_by: Callable[[Any], list[Any]],
) -> Iterator[_Step]:
    """Watches what this thread does in a ``with`` block.

    Args:
      step: What takes the notes.
      gradients: What takes gradients: owner, name, and what wraps it.
      optimizers: The classes whose ``apply`` and scaling of a loss are watched.
      scale: What that scaling is called.
      trained_by: Returns the variables of an optimiser that is given gradients alone.
    """
    global _watchers
    before, _watching.step = _watching.step, step
    with _lock:
        _watchers += 1
        if _watchers == 1:
            apply = functools.partial(_watched_apply, trained_by)
            for owner, name, wrap in gradients:
                _wrap(owner, name, wrap)
            for cls in dict.fromkeys(base for each in optimizers for base in each.__mro__):
                _wrap(cls, scale, _watched_scale)
                _wrap(cls, "apply", apply)
    try:
        yield step
    finally:
        _watching.step = before
        with _lock:
            _watchers -= 1
            while not _watchers and _originals:
                owner, name, original, wrapped = _originals.pop()
                if vars(owner).get(name) is wrapped:
                    setattr(owner, name, original)


def _wrap(owner: Any, name: str, wrap: Wrap) -> None:
    original = vars(owner).get(name)
    if callable(original):
        wrapped = functools.wraps(original)(wrap(original))
        setattr(owner, name, wrapped)
        _originals.append((owner, name, original, wrapped))


def _watched_scale(original: Any) -> Any:
    def scale_loss(optimizer: Any, loss: Any) -> Any:
        scaled_loss = original(optimizer, loss)
        step = _watching.step
        if step is not None:
            step.note_scaled(loss, scaled_loss)
        return scaled_loss

    return scale_loss


def _watched_apply(trained_by: Callable[[Any], list[Any]], original: Any) -> Any:
    def apply(optimizer: Any, grads: Any, trainable_variables: Any = None) -> Any:
        step = _watching.step
        if step is None:
            return original(optimizer, grads, trainable_variables)
        step.depth += 1
        try:
            if step.depth == 1:
                # They may come as iterators.
                grads = list(grads)
                if trainable_variables is not None:
                    trainable_variables = list(trainable_variables)
                step.attempt(_note_applied, step, optimizer, grads, trainable_variables, trained_by)
            return original(optimizer, grads, trainable_variables)
        finally:
            step.depth -= 1

    return apply


def _note_applied(
    step: WatchedStep, optimizer: Any, grads: Any, variables: Any, trained_by: Any
) -> None:
    step.note_applied(grads, trained_by(optimizer) if variables is None else variables)
