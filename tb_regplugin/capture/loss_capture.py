"""What a Keras step adds up to its loss, seen while it does so."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from keras import ops, tree

from tb_regplugin.capture.output_losses import OutputLosses
from tb_regplugin.capture.safety import overridden
from tb_regplugin.capture.step_kind import StepKind


class CapturedLoss:
    """The parts of one call of ``compute_loss``, as they went into its result.

    Args:
      model: The model.
      batch: What the call was given of the batch, its input first.

    Attributes:
      model: The model.
      total: What ``compute_loss`` returned.
      entries: Those entries of ``model.losses`` that were added.
      values: The number that each of them added.
    """

    def __init__(self, model: Any, batch: Any = None) -> None:
        self.model = model
        self._batch = batch
        self.total: Any = None
        self.entries: list[Any] = []
        self.values: list[Any] = []
        self._data: list[list[tuple[str, Any]]] = []
        self._outputs: list[tuple[str, Any]] = []

    @property
    def data(self) -> list[tuple[str, Any]]:
        """What the compiled losses gave: one number, or one an output, named.

        Empty where they were not asked exactly once.
        """
        return self._data[0] if len(self._data) == 1 else []

    @property
    def samples(self) -> Any:
        """How many samples the batch has."""
        tensors = (x for x in tree.flatten(self._batch) if len(getattr(x, "shape", ())))
        return ops.shape(next(tensors))[0]

    def begin_data(self) -> None:
        """Notes that the compiled losses are asked."""
        self._outputs = []

    def add_output(self, name: str, value: Any) -> None:
        """Notes what one of the compiled losses gave."""
        self._outputs.append((name, value))

    def add_data(self, value: Any, *, is_sum: bool) -> None:
        """Notes what the compiled losses gave in all.

        Args:
          value: That number.
          is_sum: Whether it is the sum over all outputs.
        """
        parts = self._outputs if is_sum and len(self._outputs) > 1 else [("data", value)]
        self._data.append(parts)

    def add_entry(self, entry: Any, value: Any) -> None:
        """Notes an entry of ``model.losses`` and the number that it added."""
        self.entries.append(entry)
        self.values.append(value)


class _Running(threading.local):
    """What the current thread is in the middle of: strategies run a thread a replica."""

    def __init__(self) -> None:
        self.captures: list[CapturedLoss] = []
        self.reported_step = False


class UnseenStep(Protocol):
    """Who records a step that never calls ``compute_loss``; it must not raise."""

    def before(self, model: Any, *args: Any) -> None:
        """Looks at a model whose step comes now, with these arguments, in the same trace."""

    def after(self, result: Any) -> Any:
        """Records that step, and returns its result."""


class LossCapture:
    """Reports the parts of a model's loss once a step, without computing anything twice.

    Args:
      report: Called once a step, inside of it, in the same trace. It must not raise.
      kind: Of which step.
      unseen: Records steps in which there is nothing to report.
    """

    def __init__(
        self,
        report: Callable[[CapturedLoss], None],
        kind: StepKind,
        unseen: UnseenStep | None = None,
    ) -> None:
        self._report = report
        self._unseen = unseen
        self._method_names = (kind.step, "compute_loss", "_aggregate_additional_loss")
        self._running = _Running()
        self._replaced: tuple[Any, ...] | None = None
        self._methods: dict[str, Callable[..., Any]] = {}
        self._call: Callable[..., Any] | None = None
        self._outputs = OutputLosses(self._add_output)

    @contextmanager
    def installed(self, model: Any) -> Iterator[None]:
        """Captures in a model's step for the length of a ``with`` block."""
        self._running.reported_step = False
        compile_loss = model._compile_loss
        # Made once, and again where somebody else has overridden a method.
        replaced = (
            *map(model.__dict__.get, self._method_names),
            compile_loss,
            None if compile_loss is None else compile_loss.__dict__.get("call"),
        )
        if replaced != self._replaced:
            self._replaced = replaced
            self._methods = dict(zip(self._method_names, self._wrap_model(model), strict=True))
            if compile_loss is not None:
                self._call = self._wrap_compile_loss(compile_loss.call)
        with overridden(model, **self._methods):
            if compile_loss is None:
                yield
            else:
                with (
                    overridden(compile_loss, call=self._call),
                    self._outputs.installed(compile_loss),
                ):
                    yield

    def _wrap_model(self, model: Any) -> tuple[Callable[..., Any], ...]:
        return (
            self._wrap_step(model),
            self._wrap_compute_loss(model),
            self._wrap_aggregate(model._aggregate_additional_loss),
        )

    def _wrap_step(self, model: Any) -> Callable[..., Any]:
        step = getattr(model, self._method_names[0])

        @functools.wraps(step)
        def capturing_step(*args: Any, **kwargs: Any) -> Any:
            self._running.reported_step = False
            unseen = self._unseen
            if unseen is not None:
                unseen.before(model, *args)
            result = step(*args, **kwargs)
            if self._running.reported_step:
                # One that was seen once is looked at no more.
                self._unseen = None
            elif unseen is not None:
                result = unseen.after(result)
            return result

        return capturing_step

    def _wrap_compute_loss(self, model: Any) -> Callable[..., Any]:
        compute_loss = model.compute_loss

        @functools.wraps(compute_loss)
        def capturing_compute_loss(*args: Any, **kwargs: Any) -> Any:
            batch = (*args, *map(kwargs.get, ("x", "y", "y_pred")))
            capture = CapturedLoss(model, batch)
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
        def capturing_call(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._running.captures:
                return call(y_true, y_pred, *args, **kwargs)
            capture = self._running.captures[-1]
            capture.begin_data()
            value = call(y_true, y_pred, *args, **kwargs)
            if value is not None:
                # Of several losses of a single output, Keras takes the first.
                is_sum = tree.is_nested(y_true) or tree.is_nested(y_pred)
                capture.add_data(value, is_sum=is_sum)
            return value

        return capturing_call

    def _add_output(self, name: str, value: Any) -> None:
        if self._running.captures:
            self._running.captures[-1].add_output(name, value)

    def _wrap_aggregate(self, aggregate: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(aggregate)
        def capturing_aggregate(entry: Any, *args: Any, **kwargs: Any) -> Any:
            value = aggregate(entry, *args, **kwargs)
            if self._running.captures:
                self._running.captures[-1].add_entry(entry, value)
            return value

        return capturing_aggregate
