"""What a Keras step adds up to its loss, seen while it does so, and put into the ring."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import keras
from keras import ops, tree

from tb_regplugin.capture.chance import chance_level
from tb_regplugin.capture.internals import layers_of, observing_outputs
from tb_regplugin.capture.keras import internals, terms
from tb_regplugin.capture.keras.backward import watching_gradients
from tb_regplugin.capture.keras.ring import TravellingRing
from tb_regplugin.capture.recorded_step import TEST, TRAIN, StepKind
from tb_regplugin.capture.regularizers import has_own_loss
from tb_regplugin.capture.ring import Ring
from tb_regplugin.capture.row import CapturedLoss, Output, Row, row_of
from tb_regplugin.capture.safety import overridden
from tb_regplugin.capture.trained_on import TrainedOn
from tb_regplugin.capture.watching import WatchedStep


class LossCapture(TrainedOn):
    """Puts a row with the parts of a model's loss into a ring, and computes nothing twice.

    Attributes:
      on_loss: Called before the first loss of a step is computed, inside of the step.
    """

    def __init__(self, ring: Ring, kind: StepKind, travelling: TravellingRing | None) -> None:
        super().__init__(ring)
        self._kind = kind
        self._travelling = travelling
        self.on_loss: Callable[[], None] | None = None
        self.waits = kind is TRAIN and keras.config.backend() in ("tensorflow", "torch")
        if keras.config.backend() != "tensorflow":
            self.other_way = (
                "return it from the step, and give it to tb_regplugin.Writer in a callback's "
                "on_train_batch_end"
            )
        self._method_names = (kind.step, "compute_loss", internals.AGGREGATE)
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

    def watching(self, model: Any) -> AbstractContextManager[WatchedStep]:
        """Watches what this thread differentiates in a ``with`` block."""
        return watching_gradients(model)

    def describe(self, loss: CapturedLoss) -> None:
        """Says what a loss' entries are, while the weights are those of this loss."""
        if not loss.entries:
            # A compute_loss of the user's own, perhaps: say what it could have added.
            aggregate = internals.aggregate_of(loss.model)
            loss.entries = loss.model.losses
            loss.values = [aggregate(entry) for entry in loss.entries]
        loss.terms = terms.describe_losses(loss.model, loss.entries)
        loss.decay = terms.weight_decay_row(loss.model, loss.replicas)

    def penalties_of(self, model: Any, *args: Any) -> CapturedLoss:
        """Returns the penalties of the weights with which a step begins, given what the step is."""
        weights: Any = nullcontext()
        if self._travelling is not None:
            weights = keras.StatelessScope(zip(model.trainable_variables, args[0][0], strict=True))
        with weights:
            replicas = self._ring.replicas
            variables = terms.regularized_variables(model)
            entries = [v.regularizer(v) for v in variables]
            return CapturedLoss(
                model,
                replicas,
                entries=entries,
                values=[ops.sum(entry) / replicas for entry in entries],
                terms=terms.describe_variables(model, variables),
                decay=terms.weight_decay_row(model, replicas),
            )

    def with_own_losses(self, penalties: CapturedLoss) -> CapturedLoss:
        """Returns penalties of weights with what layers have added by the end of the step."""
        layers = layers_of(penalties.model)
        own = [entry for layer in layers for entry in internals.own_losses_of(layer)]
        entries = [*own, *penalties.entries]
        described = terms.describe_losses(penalties.model, entries)
        values = [*own, *penalties.values]
        return replace(penalties, entries=entries, values=values, terms=described)

    def _with_row(self, row: Row, result: Any) -> Any:
        """Records a row, and returns the step's result with it."""
        if self._travelling is None:
            return super()._with_row(row, result)
        try:
            logs, state = result
            push = functools.partial(self._ring.push, row.columns, row.values)
            return logs, self._travelling.updated(state, push)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self._ring.failure = error
            return result

    def _wrap_step(self, model: Any, step: Callable[..., Any]) -> Callable[..., Any]:
        if self._kind is TRAIN:
            return self._wrap_train_step(model, step)

        @functools.wraps(step)
        def capturing_step(*args: Any, **kwargs: Any) -> Any:
            self._running.has_recorded = False
            return step(*args, **kwargs)

        return capturing_step

    def _wrap_compute_loss(self, model: Any) -> Callable[..., Any]:
        compute_loss = model.compute_loss
        is_whole = not has_own_loss(model)

        @functools.wraps(compute_loss)
        def capturing_compute_loss(*args: Any, **kwargs: Any) -> Any:
            running = self._running
            loss = CapturedLoss(model, self._ring.replicas, is_whole=is_whole)
            is_first = not (running.losses or running.seen or running.has_recorded)
            if is_first and self.on_loss is not None:
                self._ring.attempt(self.on_loss)
            running.losses.append(loss)
            try:
                loss.total = compute_loss(*args, **kwargs)
            finally:
                running.losses.pop()
            if self.waits and not running.losses:
                self._ring.attempt(self._note, loss)
            elif is_first:
                # A train_step of the user's own may compute losses several times.
                running.has_recorded = True
                batch = [*args, *map(kwargs.get, ("x", "y", "y_pred"))]
                self._ring.attempt(self._record, loss, batch)
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
                level = loss.outputs[0].chance_level if loss.outputs else None
                loss.data.append(loss.outputs if is_split else [Output("data", value, level)])
            return value

        return capturing_call

    def _observe(self, losses: list[Any]) -> list[Any]:
        if losses is not self._plain:
            self._plain = losses
            self._observed = [internals.with_loss(entry, self._wrap_output) for entry in losses]
        return self._observed

    def _wrap_output(self, entry: Any) -> Callable[..., Any]:
        @functools.wraps(entry.loss)
        def observed_loss(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            value = entry.loss(y_true, y_pred, sample_weight)
            if self._running.losses:
                weighted = ops.cast(value, self._dtype)
                if entry.loss_weights is not None:
                    weighted = ops.multiply(weighted, entry.loss_weights)
                level = chance_level(entry.loss, y_pred, sample_weight, entry.loss_weights)
                self._running.losses[-1].outputs.append(Output(entry.name, weighted, level))
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

    def _record(self, loss: CapturedLoss, batch: Any) -> None:
        self.describe(loss)
        columns, values, _ = row_of(loss)
        samples = _samples_of(batch) if self._kind is TEST else None
        self._running.label = self._ring.push(columns, values, samples), columns


def _samples_of(batch: Any) -> Any:
    """Returns how many samples the tensors of a batch are of."""
    tensors = (x for x in tree.flatten(batch) if len(getattr(x, "shape", ())))
    return ops.shape(next(tensors))[0]
