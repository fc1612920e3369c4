"""Gradients of a Keras step, seen where the optimiser gets them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
from keras import ops

from tb_regplugin.capture import gradient_pull
from tb_regplugin.capture.recorded_step import SPARE_COLUMNS, Rows, rows_by_layout
from tb_regplugin.capture.ring_buffer import RingBuffer
from tb_regplugin.capture.safety import overridden
from tb_regplugin.terms import GRADIENT_ROLES, Layout

_BACKENDS = ("tensorflow", "torch")


def can_capture(strategy: Any) -> bool:
    """Whether gradients can be seen, and added up over the replicas of this strategy."""
    if keras.config.backend() not in _BACKENDS:
        return False
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return True
    import tensorflow as tf

    # Other strategies have replicas that one process can't add up by itself.
    return isinstance(strategy, tf.distribute.MirroredStrategy)


class GradientCapture:
    """Puts a row of gradient norms into a ring on the device, for every few recorded steps.

    Gradients are those of the step's loss: before clipping, without the scale of mixed precision,
    and added up over the replicas.

    Args:
      model: A compiled and built model.
      every: Of how many recorded steps one has such a row.
      rows: How many rows the ring holds.
      strategy: The model's distribution strategy.
      on_narrow: Called where a row does not fit: another capture is needed.

    Attributes:
      failure: Why no more gradients are recorded.
    """

    def __init__(
        self,
        model: Any,
        every: int,
        rows: int,
        strategy: Any,
        on_narrow: Callable[[], None],
    ) -> None:
        self.every = every
        self.failure: Exception | None = None
        self._on_narrow = on_narrow
        self._replicas = 1 if strategy is None else strategy.num_replicas_in_sync
        # With the factors of their variables, in the order of their labels.
        self._layouts: dict[Layout, tuple[float, ...]] = {}
        self._lock = threading.Lock()
        # Strategies run a thread a replica.
        self._running = threading.local()
        # Before its first step, a model may not be built.
        variables = len(gradient_pull.pulled_variables(model)) + SPARE_COLUMNS
        columns = len(GRADIENT_ROLES) * variables
        with nullcontext() if strategy is None else strategy.scope():
            self._ring = RingBuffer(rows, columns)

    def start(self, next_step: int, every: int) -> None:
        """Begins a training at a step of which every so many are recorded."""
        self._ring.start(next_step, every * self.every)

    def expect(self, step: Any) -> None:
        """Takes the gradients that come next for those of this step; call it in the step."""
        self._running.step = step

    def drain(self) -> list[Rows]:
        """Takes the rows that came since the last call."""
        if not self._layouts:
            return []
        drained = self._ring.drain(self._replicas)
        # Rows are added up over the replicas, which all have the same.
        return [
            rows._replace(
                values=gradient_pull.finish(
                    rows.values / self._replicas, self._layouts[rows.layout]
                )
            )
            for rows in rows_by_layout(drained, list(self._layouts), with_samples=False)
        ]

    @contextmanager
    def installed(self, model: Any) -> Iterator[None]:
        """Captures in a model's step for the length of a ``with`` block."""
        self._running.step = None
        with overridden(model.optimizer, apply=self._wrap(model, model.optimizer)):
            yield

    def _wrap(self, model: Any, optimizer: Any) -> Callable[..., Any]:
        apply = optimizer.apply

        @functools.wraps(apply)
        def capturing_apply(grads: Any, trainable_variables: Any = None) -> Any:
            # A train_step may apply gradients of several losses: the first are of the one seen.
            step, self._running.step = getattr(self._running, "step", None), None
            if step is not None and self.failure is None:
                try:
                    variables = trainable_variables or optimizer._trainable_variables
                    self._record(model, step, list(grads), list(variables))
                except Exception as error:  # noqa: BLE001 - recording never breaks training
                    self.failure = error
            return apply(grads, trainable_variables)

        return capturing_apply

    def _record(self, model: Any, step: Any, grads: list[Any], variables: list[Any]) -> None:
        known = {id(v): g for g, v in zip(grads, variables, strict=True) if g is not None}
        pulled = [v for v in gradient_pull.pulled_variables(model) if id(v) in known]
        if not pulled:
            return
        if len(GRADIENT_ROLES) * len(pulled) > self._ring.columns:
            self._on_narrow()
            return
        scale = model.optimizer.scale_loss(1.0)
        layout = Layout(tuple(gradient_pull.describe(model, pulled)))

        def push() -> Any:
            gradients = self._added_up([known[id(v)] for v in pulled])
            if not (isinstance(scale, float) and scale == 1.0):
                gradients = [g / ops.cast(scale, g.dtype) for g in gradients]
            values = gradient_pull.measure(pulled, gradients)
            self._ring.push(self._label(layout, gradient_pull.factors(pulled)), values, step)
            return step

        if self._ring_is_due(step) is None:
            push()
        else:
            ops.cond(self._ring_is_due(step), push, lambda: step)

    def _ring_is_due(self, step: Any) -> Any:
        """Whether a step has a row; None where that is not worth, or not possible, to ask.

        Replicas can't add up anything within a branch.
        """
        if self._replicas > 1 or self.every == 1:
            return None
        return self._ring.is_due(step)

    def _added_up(self, gradients: list[Any]) -> list[Any]:
        if keras.config.backend() != "tensorflow":
            return gradients
        import tensorflow as tf

        # Of embeddings: rows and where they belong.
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        if self._replicas == 1:
            return gradients

        def add(_: Any, values: list[Any]) -> Any:
            # No collective operation: another model's strategy may have numbered its own alike.
            reduction = tf.distribute.ReductionToOneDevice()
            pairs = [(value, value) for value in values]
            return reduction.batch_reduce(tf.distribute.ReduceOp.SUM, pairs)

        return list(tf.distribute.get_replica_context().merge_call(add, args=(gradients,)))

    def _label(self, layout: Layout, factors: tuple[float, ...]) -> int:
        with self._lock:
            self._layouts.setdefault(layout, factors)
            return list(self._layouts).index(layout)
