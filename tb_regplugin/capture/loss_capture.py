"""What a Keras training step adds up to its loss, seen while it does so."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tb_regplugin.capture.instance_overrides import overridden

_MODEL_METHODS = ("train_step", "compute_loss", "_aggregate_additional_loss")


class CapturedLoss:
    """The parts of one call of ``compute_loss``, as they went into its result.

    Attributes:
      model: The model.
      total: What ``compute_loss`` returned.
      entries: Those entries of ``model.losses`` that were added.
      values: The number that each of them added.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.total: Any = None
        self.entries: list[Any] = []
        self.values: list[Any] = []
        self._data: list[Any] = []

    @property
    def data(self) -> Any:
        """What the compiled losses gave; None where they were not asked exactly once."""
        return self._data[0] if len(self._data) == 1 else None

    def add_data(self, value: Any) -> None:
        """Notes what the compiled losses gave."""
        self._data.append(value)

    def add_entry(self, entry: Any, value: Any) -> None:
        """Notes an entry of ``model.losses`` and the number that it added."""
        self.entries.append(entry)
        self.values.append(value)


class _Running(threading.local):
    """What the current thread is in the middle of: strategies run a thread a replica."""

    def __init__(self) -> None:
        self.captures: list[CapturedLoss] = []
        self.reported_step = False


class LossCapture:
    """Reports the parts of a model's loss once a training step, without computing anything twice.

    Args:
      report: Called once a step, inside of it, in the same trace. It must not raise.
    """

    def __init__(self, report: Callable[[CapturedLoss], None]) -> None:
        self._report = report
        self._running = _Running()
        self._replaced: tuple[Any, ...] | None = None
        self._methods: dict[str, Callable[..., Any]] = {}
        self._call: Callable[..., Any] | None = None

    @contextmanager
    def installed(self, model: Any) -> Iterator[None]:
        """Captures in a model's training step for the length of a ``with`` block."""
        self._running.reported_step = False
        compile_loss = model._compile_loss
        # Made once, and again where somebody else has overridden a method.
        replaced = (
            *map(model.__dict__.get, _MODEL_METHODS),
            compile_loss,
            None if compile_loss is None else compile_loss.__dict__.get("call"),
        )
        if replaced != self._replaced:
            self._replaced = replaced
            self._methods = dict(zip(_MODEL_METHODS, self._wrap_model(model), strict=True))
            if compile_loss is not None:
                self._call = self._wrap_compile_loss(compile_loss.call)
        with overridden(model, **self._methods):
            if compile_loss is None:
                yield
            else:
                with overridden(compile_loss, call=self._call):
                    yield

    def _wrap_model(self, model: Any) -> tuple[Callable[..., Any], ...]:
        return (
            self._wrap_train_step(model.train_step),
            self._wrap_compute_loss(model),
            self._wrap_aggregate(model._aggregate_additional_loss),
        )

    def _wrap_train_step(self, train_step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(train_step)
        def capturing_train_step(*args: Any, **kwargs: Any) -> Any:
            self._running.reported_step = False
            return train_step(*args, **kwargs)

        return capturing_train_step

    def _wrap_compute_loss(self, model: Any) -> Callable[..., Any]:
        compute_loss = model.compute_loss

        @functools.wraps(compute_loss)
        def capturing_compute_loss(*args: Any, **kwargs: Any) -> Any:
            capture = CapturedLoss(model)
            self._running.captures.append(capture)
            try:
                capture.total = compute_loss(*args, **kwargs)
            finally:
                self._running.captures.pop()
            # A train_step of the user's own may compute losses several times.
            if not self._running.reported_step and not self._running.captures:
                self._running.reported_step = True
                self._report(capture)
            return capture.total

        return capturing_compute_loss

    def _wrap_compile_loss(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def capturing_call(*args: Any, **kwargs: Any) -> Any:
            value = call(*args, **kwargs)
            if self._running.captures and value is not None:
                self._running.captures[-1].add_data(value)
            return value

        return capturing_call

    def _wrap_aggregate(self, aggregate: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(aggregate)
        def capturing_aggregate(entry: Any, *args: Any, **kwargs: Any) -> Any:
            value = aggregate(entry, *args, **kwargs)
            if self._running.captures:
                self._running.captures[-1].add_entry(entry, value)
            return value

        return capturing_aggregate
