"""What a Keras step adds up to its loss, seen while it does so, and put into the ring."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
from keras import ops, tree

from tb_regplugin.capture.internals import observing_outputs
from tb_regplugin.capture.keras import internals
from tb_regplugin.capture.keras.backward import watching_gradients
from tb_regplugin.capture.keras.ring import TravellingRing
from tb_regplugin.capture.keras.row import (
    CapturedLoss,
    Row,
    penalties_of_weights,
    row_of,
    row_of_other,
    row_without_total,
    with_own_losses,
    without_total,
)
from tb_regplugin.capture.recorded_step import TEST, TRAIN, StepKind
from tb_regplugin.capture.rows import Ring
from tb_regplugin.capture.safety import RecordingError, overridden
from tb_regplugin.capture.watching import WatchedStep
from tb_regplugin.terms import Term


class PenaltiesBesideStep:
    """Records the penalties of the weights with which a step begins that keeps its loss to itself.

    Args:
      ring: Where its row goes.
      travelling: That ring, where variables travel with the step.

    Attributes:
      was_needed: Whether such a step has come by.
    """

    def __init__(self, ring: Ring, travelling: TravellingRing | None) -> None:
        self.was_needed = False
        self._ring = ring
        self._travelling = travelling
        # Strategies run a thread a replica.
        self._running = threading.local()

    @property
    def penalties(self) -> CapturedLoss | None:
        """What the step began with; None where that was not calculated."""
        return getattr(self._running, "penalties", None)

    def before(self, model: Any, *args: Any) -> None:
        """Calculates them; where the step turns out to be seen, compilers leave that out."""
        self._running.penalties = None
        self._ring.attempt(self._calculate, model, *args)

    def after(self, result: Any) -> Any:
        """Adds their row, and returns the step's result with it."""
        penalties = self.penalties
        row = ([], []) if penalties is None else row_without_total(penalties, is_beside=True)
        if not row[0]:
            return result
        self.was_needed = True
        if self._travelling is None:
            self._ring.attempt(self._ring.push, *row)
            return result
        try:
            logs, state = result
            return logs, self._travelling.updated(state, lambda: self._ring.push(*row))
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self._ring.failure = error
            return result

    def _calculate(self, model: Any, *args: Any) -> None:
        weights: Any = nullcontext()
        if self._travelling is not None:
            weights = keras.StatelessScope(zip(model.trainable_variables, args[0][0], strict=True))
        with weights:
            self._running.penalties = penalties_of_weights(model, self._ring.replicas)


class _Running(threading.local):
    """What the current thread is in the middle of: strategies run a thread a replica."""

    def __init__(self) -> None:
        # The calls that are running, the outermost first; those that are done.
        self.losses: list[CapturedLoss] = []
        self.seen: list[CapturedLoss] = []
        self.has_recorded = False
        self.watched: WatchedStep | None = None
        self.label: tuple[int, list[Term]] = (0, [])


class LossCapture:
    """Puts a row with the parts of a model's loss into a ring, and computes nothing twice.

    Args:
      ring: Where each step's row goes, inside of the step, in the same trace.
      kind: Of which step.
      unseen: Records steps in which there is no loss to be seen.

    Attributes:
      on_loss: Called before the first loss of a step is computed, inside of the step.
      unknown: Why it is not known which loss a step trains on; None where that is known.
    """

    def __init__(
        self, ring: Ring, kind: StepKind, unseen: PenaltiesBesideStep | None = None
    ) -> None:
        self._ring = ring
        self._kind = kind
        self._unseen = unseen
        self.on_loss: Callable[[], None] | None = None
        self.unknown: str | None = None
        # What a step trains on is known at its end. JAX has functions that no value may leave:
        # there, rows are put in place before that, and described anew.
        self._waits = kind is TRAIN and keras.config.backend() in ("tensorflow", "torch")
        self._method_names = (kind.step, "compute_loss", internals.AGGREGATE)
        self._running = _Running()
        self._replaced: tuple[Any, ...] | None = None
        self._methods: dict[str, Callable[..., Any]] = {}
        self._call: Callable[..., Any] | None = None
        self._dtype = ""
        # The losses of the outputs, and what stands in for them.
        self._plain: list[Any] = []
        self._observed: list[Any] = []

    @contextmanager
    def installed(self, model: Any) -> Iterator[None]:
        """Captures in a model's step for the length of a ``with`` block."""
        self._running.has_recorded = False
        compile_loss = internals.compile_loss_of(model)
        # Made once, and again where somebody else has overridden a method.
        replaced = (
            *map(model.__dict__.get, self._method_names),
            compile_loss,
            None if compile_loss is None else compile_loss.__dict__.get("call"),
        )
        if replaced != self._replaced:
            self._replaced = replaced
            wrapped = (
                self._wrap_step(model, getattr(model, self._kind.step)),
                self._wrap_compute_loss(model),
                self._wrap_aggregate(internals.aggregate_of(model)),
            )
            self._methods = dict(zip(self._method_names, wrapped, strict=True))
            if compile_loss is not None:
                self._call = self._wrap_compile_loss(compile_loss.call)
                self._dtype = compile_loss.dtype
        with overridden(model, **self._methods):
            if compile_loss is None:
                yield
            else:
                with (
                    overridden(compile_loss, call=self._call),
                    observing_outputs(compile_loss, internals.LOSSES, self._observe),
                ):
                    yield

    def _wrap_step(self, model: Any, step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def capturing_step(*args: Any, **kwargs: Any) -> Any:
            self._running.has_recorded = False
            self._running.seen = []
            unseen = self._unseen
            if unseen is not None:
                unseen.before(model, *args)
            if self._kind is not TRAIN:
                return step(*args, **kwargs)
            with watching_gradients(model) as self._running.watched:
                result = step(*args, **kwargs)
            watched, self._running.watched = self._running.watched, None
            settle = self._settle if self._waits else self._describe_anew
            self._ring.attempt(settle, watched, unseen)
            has_losses, self._running.seen = bool(self._running.seen), []
            if self._running.has_recorded:
                if watched.is_eager and (has_losses or not self._waits):
                    # One whose losses were seen once needs them calculated no more.
                    self._unseen = None
            elif unseen is not None:
                result = unseen.after(result)
            return result

        return capturing_step

    def _wrap_compute_loss(self, model: Any) -> Callable[..., Any]:
        compute_loss = model.compute_loss

        @functools.wraps(compute_loss)
        def capturing_compute_loss(*args: Any, **kwargs: Any) -> Any:
            running = self._running
            loss = CapturedLoss(model, (*args, *map(kwargs.get, ("x", "y", "y_pred"))))
            is_first = not (running.losses or running.seen or running.has_recorded)
            if is_first and self.on_loss is not None:
                self._ring.attempt(self.on_loss)
            running.losses.append(loss)
            try:
                loss.total = compute_loss(*args, **kwargs)
            finally:
                running.losses.pop()
            if self._waits and not running.losses:
                self._ring.attempt(self._note, loss)
            elif is_first:
                # A train_step of the user's own may compute losses several times.
                running.has_recorded = True
                self._ring.attempt(self._record, loss)
            if running.watched is not None and not running.losses:
                running.watched.note_loss(loss.total)
            return loss.total

        return capturing_compute_loss

    def _wrap_compile_loss(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def capturing_call(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._running.losses:
                return call(y_true, y_pred, *args, **kwargs)
            loss = self._running.losses[-1]
            loss.outputs = []
            value = call(y_true, y_pred, *args, **kwargs)
            if value is not None:
                # Of several losses of a single output, Keras takes the first.
                is_sum = tree.is_nested(y_true) or tree.is_nested(y_pred)
                is_split = is_sum and len(loss.outputs) > 1
                loss.data.append(loss.outputs if is_split else [("data", value)])
            return value

        return capturing_call

    def _observe(self, losses: list[Any]) -> list[Any]:
        if losses is not self._plain:
            self._plain = losses
            self._observed = [internals.with_loss(entry, self._wrap_output) for entry in losses]
        return self._observed

    def _wrap_output(self, entry: Any) -> Callable[..., Any]:
        @functools.wraps(entry.loss)
        def observed_loss(*args: Any, **kwargs: Any) -> Any:
            value = entry.loss(*args, **kwargs)
            if self._running.losses:
                weighted = ops.cast(value, self._dtype)
                if entry.loss_weights is not None:
                    weighted = ops.multiply(weighted, entry.loss_weights)
                self._running.losses[-1].outputs.append((entry.name, weighted))
            return value

        return observed_loss

    def _wrap_aggregate(self, aggregate: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(aggregate)
        def capturing_aggregate(entry: Any, *args: Any, **kwargs: Any) -> Any:
            value = aggregate(entry, *args, **kwargs)
            if self._running.losses:
                self._running.losses[-1].entries.append(entry)
                self._running.losses[-1].values.append(value)
            return value

        return capturing_aggregate

    def _record(self, loss: CapturedLoss) -> None:
        loss.describe(self._ring.replicas)
        columns, values = row_of(loss)
        samples = loss.samples if self._kind is TEST else None
        self._running.label = self._ring.push(columns, values, samples), columns

    def _note(self, loss: CapturedLoss) -> None:
        loss.describe(self._ring.replicas)
        self._running.seen.append(loss)

    def _settle(self, differentiated: WatchedStep, unseen: PenaltiesBesideStep | None) -> None:
        """Records what a step has trained on, after its last operation."""
        seen = [loss for loss in self._running.seen if differentiated.holds(loss.total)]
        beside = None if unseen is None else unseen.penalties
        try:
            total = differentiated.total()
        except RecordingError as error:
            if seen or differentiated.has_calls or self._running.seen:
                self.unknown = str(error)
            if seen and seen[0].terms + seen[0].decay[0]:
                self._push(row_without_total(seen[0]))
            return
        same = [loss for loss in seen if differentiated.is_same(loss.total, total)]
        if same:
            self._push(row_of(same[-1]))
            return
        if not seen and beside is not None:
            seen = [with_own_losses(beside)]
        self._push(row_of_other(total, seen) if seen else ([Term("total", "total")], [total]))

    def _describe_anew(self, watched: WatchedStep, unseen: PenaltiesBesideStep | None) -> None:
        """Takes back that a row has a total, where another loss is trained on."""
        if not self._running.has_recorded:
            return
        try:
            watched.total()
        except RecordingError as error:
            self.unknown = str(error)
            label, columns = self._running.label
            self._ring.describe_anew(label, without_total(columns))

    def _push(self, row: Row) -> None:
        self._running.has_recorded = True
        self._ring.push(*row)
