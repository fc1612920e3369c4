"""Watching which gradients a step takes and what it gives its optimisers, on any framework.

Gradient tapes and optimisers can't be asked afterwards, and a user's may be any: so methods of
their classes are wrapped as long as a thread watches. For other threads they only pass on.
"""

from __future__ import annotations

import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from tb_regplugin.capture.safety import RecordingError

# Wraps a method; None comes back where nothing is to be wrapped.
Wrap = Callable[[Any], Any]


class Trained(NamedTuple):
    """A loss that a step trains on.

    Attributes:
      total: The loss.
      variables: What it trains; None where it is the step's only one.
      updates: How often in a step; the total is the last one's.
    """

    total: Any
    variables: list[Any] | None = None
    updates: int = 1


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
        # The variables of each call of an optimiser.
        self._updated: list[list[Any]] = []

    @property
    @abstractmethod
    def has_calls(self) -> bool:
        """Whether any gradient was taken."""

    @abstractmethod
    def total_of(self, updates: Sequence[int] | None = None) -> Any:
        """Returns what some of the optimisers' calls train on, by their numbers, or all of them.

        Raises:
          RecordingError: It can't be told; the message says why.
        """

    def trained(self) -> list[Trained]:
        """Returns what the step trains on; in its graph, this may add the operations of sums.

        Optimisers of different variables may each have a loss of their own.

        Raises:
          RecordingError: It can't be told; the message says why.
        """
        if self.failure is not None:
            raise RecordingError(f"looking at its gradients failed ({self.failure!r})")
        try:
            return [Trained(self.total_of())]
        except RecordingError:
            groups: dict[frozenset[int], list[int]] = {}
            for number, variables in enumerate(self._updated):
                groups.setdefault(frozenset(map(id, variables)), []).append(number)
            if len(groups) < 2:
                raise
            return [
                Trained(self.total_of(numbers[-1:]), self._updated[numbers[-1]], len(numbers))
                for numbers in groups.values()
            ]

    def note_applied(self, gradients: Any, variables: Any) -> None:
        """Notes what an optimiser was given."""
        self._updated.append(list(variables))

    def holds(self, tensor: Any) -> bool:
        """Whether a tensor can be used in the step: those of a loop or function within can't."""
        return True

    def is_same(self, tensor: Any, total: Any) -> bool:
        """Whether a tensor is the total, perhaps passed on."""
        return tensor is total

    def note_loss(self, loss: Any) -> None:
        """Notes what a ``compute_loss`` returned."""
        self.losses.append(loss)

    def attempt(self, note: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Calls what takes a note; a failure is kept, and is never the training's."""
        try:
            note(*args, **kwargs)
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
def watching(step: _Step, methods: Iterable[tuple[Any, str, Wrap]]) -> Iterator[_Step]:
    """Watches what this thread does in a ``with`` block.

    The methods are those that take and use gradients: owner, name, and what wraps it.
    """
    global _watchers
    before, _watching.step = _watching.step, step
    with _lock:
        _watchers += 1
        if _watchers == 1:
            for owner, name, wrap in methods:
                _wrap(owner, name, wrap)
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


def of_optimizers(
    optimizers: Iterable[type], scale: str, apply: str, note: Callable[..., None]
) -> list[tuple[Any, str, Wrap]]:
    """Returns the methods of optimisers to be watched: what scales a loss, what is given gradients.

    ``note`` is called with the step, the optimiser, and what ``apply`` is called with.
    """
    classes = dict.fromkeys(base for each in optimizers for base in each.__mro__)
    wraps = ((scale, _watched_scale), (apply, functools.partial(_watched_apply, note)))
    return [(cls, name, wrap) for cls in classes for name, wrap in wraps]


def _wrap(owner: Any, name: str, wrap: Wrap) -> None:
    original = vars(owner).get(name)
    if callable(original):
        wrapped = functools.wraps(original)(wrap(original))
        setattr(owner, name, wrapped)
        _originals.append((owner, name, original, wrapped))


def _watched_scale(original: Any) -> Any:
    def scale_loss(optimizer: Any, loss: Any) -> Any:
        step = _watching.step
        if step is not None and callable(loss):
            # Keras 2 takes functions, too: what they return is scaled when it is there.
            return lambda: scale_loss(optimizer, loss())
        scaled_loss = original(optimizer, loss)
        if step is not None:
            step.note_scaled(loss, scaled_loss)
        return scaled_loss

    return scale_loss


def _watched_apply(note: Callable[..., None], original: Any) -> Any:
    def apply(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        step = _watching.step
        if step is None:
            return original(optimizer, *args, **kwargs)
        step.depth += 1
        try:
            if step.depth == 1:
                args = tuple(map(_listed, args))
                kwargs = {name: _listed(value) for name, value in kwargs.items()}
                step.attempt(note, step, optimizer, *args, **kwargs)
            return original(optimizer, *args, **kwargs)
        finally:
            step.depth -= 1

    return apply


def _listed(value: Any) -> Any:
    """Makes a list of an iterator, which could be read only once."""
    return list(value) if isinstance(value, Iterator) else value
