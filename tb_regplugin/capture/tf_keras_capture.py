"""What a step of a tf_keras model adds up to its loss, seen while it does so."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.recorded_step import StepKind
from tb_regplugin.capture.safety import overridden


class CapturedLoss:
    """The parts of one loss, as they went into it.

    Attributes:
      model: The model.
      total: The loss.
      data: What the loss of each output gave, by its name.
      entries: Those entries of ``model.losses`` that were added.
      samples: How many samples the batch has.
    """

    def __init__(self, model: Any, batch: Any) -> None:
        self.model = model
        self.total: Any = None
        self.data: list[tuple[str, Any]] = []
        self.entries: list[Any] = []
        self._batch = batch

    @property
    def samples(self) -> Any:
        """How many samples the batch has."""
        tensors = (x for x in tf.nest.flatten(self._batch) if len(getattr(x, "shape", ())))
        return tf.shape(next(tensors))[0]


class LossCapture:
    """Reports the parts of a model's loss once a step, without computing anything twice.

    Args:
      report: Called once a step, inside of it, in the same trace. It must not raise.
      kind: Of which step.
    """

    def __init__(self, report: Callable[[CapturedLoss], None], kind: StepKind) -> None:
        self._report = report
        self._kind = kind
        # Strategies run a thread a replica.
        self._running = threading.local()

    @contextmanager
    def installed(self, model: Any) -> Iterator[None]:
        """Captures in a model's step for the length of a ``with`` block."""
        container = model.compiled_loss
        with overridden(
            model,
            **{self._kind.step: self._wrap_step(getattr(model, self._kind.step))},
            compute_loss=self._wrap_compute_loss(model),
            compiled_loss=_ObservedContainer(container, self._ask(model)),
        ):
            if container is None:
                yield
            else:
                with _observed_losses(container, self._add_output):
                    yield

    @contextmanager
    def _capture(self, model: Any, *batch: Any) -> Iterator[CapturedLoss]:
        """Reports what is noted in a ``with`` block, unless it is within another one."""
        outer = getattr(self._running, "capture", None)
        if outer is not None:
            yield outer
            return
        capture = self._running.capture = CapturedLoss(model, batch)
        try:
            yield capture
        finally:
            self._running.capture = None
        # A train_step of the user's own may compute losses several times.
        if not getattr(self._running, "has_reported", False):
            self._running.has_reported = True
            self._report(capture)

    def _wrap_step(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def capturing_step(*args: Any, **kwargs: Any) -> Any:
            self._running.has_reported = False
            return step(*args, **kwargs)

        return capturing_step

    def _wrap_compute_loss(self, model: Any) -> Callable[..., Any]:
        compute_loss = model.compute_loss

        @functools.wraps(compute_loss)
        def capturing_compute_loss(*args: Any, **kwargs: Any) -> Any:
            with self._capture(model, *args, *map(kwargs.get, ("x", "y", "y_pred"))) as capture:
                capture.total = compute_loss(*args, **kwargs)
            return capture.total

        return capturing_compute_loss

    def _ask(self, model: Any) -> Callable[..., Any]:
        def ask(container: Any, y_true: Any, *args: Any, **kwargs: Any) -> Any:
            with self._capture(model, y_true) as capture:
                capture.data = []
                capture.entries = list(kwargs.get("regularization_losses") or ())
                # A train_step of the user's own may ask without compute_loss.
                value = capture.total = container(y_true, *args, **kwargs)
            return value

        return ask

    def _add_output(self, name: str, value: Any) -> None:
        capture = getattr(self._running, "capture", None)
        if capture is not None:
            capture.data.append((name, value))


class _ObservedContainer:
    """A model's ``compiled_loss``, which may be asked by the user's own code too."""

    def __init__(self, container: Any, ask: Callable[..., Any]) -> None:
        self._container = container
        self._ask = ask

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(self._container, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)


class _ObservedLoss:
    """The loss of one output."""

    def __init__(self, loss: Any, note: Callable[[Any], None]) -> None:
        self._loss = loss
        self._note = note

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        value = self._loss(*args, **kwargs)
        self._note(value)
        return value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loss, name)


@contextmanager
def _observed_losses(container: Any, add: Callable[[str, Any], None]) -> Iterator[None]:
    """Reports what each output's loss adds to the total for the length of a ``with`` block."""
    namespace = container.__dict__
    build = container.build
    plain: Any = None

    def observe() -> None:
        nonlocal plain
        plain = namespace["_losses"]
        names, weights = container._output_names, namespace["_loss_weights"]
        is_one = sum(loss is not None for loss in plain) == 1
        namespace["_losses"] = [
            loss and _ObservedLoss(loss, _noting("data" if is_one else name, loss, weight, add))
            for loss, name, weight in zip(plain, names, weights, strict=True)
        ]

    def observing_build(*args: Any, **kwargs: Any) -> None:
        build(*args, **kwargs)
        observe()

    with overridden(container, build=observing_build):
        try:
            # Keras lists the losses when it first needs them.
            if container.built:
                observe()
            yield
        finally:
            if plain is not None:
                namespace["_losses"] = plain


def _noting(
    name: str, loss: Any, weight: Any, add: Callable[[str, Any], None]
) -> Callable[[Any], None]:
    means = ("auto", "sum_over_batch_size")

    def note(value: Any) -> None:
        if weight is not None:
            value = value * weight
        if loss.reduction in means:
            value = value / tf.distribute.get_strategy().num_replicas_in_sync
        add(name, value)

    return note
