"""What a step of a tf_keras model adds up to its loss, seen while it does so."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import tensorflow as tf
import tf_keras

from tb_regplugin.capture import regularizers
from tb_regplugin.capture.graph.differentiated import TAPE_METHODS, Differentiated
from tb_regplugin.capture.graph.sources import may_hold_data
from tb_regplugin.capture.internals import layers_of
from tb_regplugin.capture.row import CapturedLoss, Output
from tb_regplugin.capture.safety import overridden
from tb_regplugin.capture.tf_keras import internals
from tb_regplugin.capture.trained_on import TrainedOn
from tb_regplugin.capture.watching import WatchedStep, of_optimizers, watching
from tb_regplugin.terms import Kind, Term, with_distinct_names


class LossCapture(TrainedOn):
    """Puts a row with the parts of a model's loss into a ring, and computes nothing twice."""

    @contextmanager
    def installed(self, model: Any) -> Iterator[None]:
        """Captures in a model's step for the length of a ``with`` block."""
        container = model.compiled_loss
        with (
            overridden(
                model,
                train_step=self._wrap_train_step(model, model.train_step),
                compute_loss=self._wrap_compute_loss(model),
                compiled_loss=internals.Observed(container, self._ask(model)),
            ),
            internals.reporting_outputs(container, self._add_output),
        ):
            yield

    def watching(self, model: Any) -> AbstractContextManager[WatchedStep]:
        """Watches what this thread differentiates in a ``with`` block."""
        optimizers = tf_keras.optimizers
        classes = (
            optimizers.Optimizer,
            optimizers.legacy.Optimizer,
            *tf_keras.mixed_precision.LossScaleOptimizer.__subclasses__(),
        )
        methods = of_optimizers(classes, "get_scaled_loss", "apply_gradients", _note_applied)
        return watching(Differentiated(), [*TAPE_METHODS, *methods])

    def describe(self, loss: CapturedLoss) -> None:
        """Says what a loss' entries are, while the weights are those of this loss."""
        loss.entries = loss.entries or loss.model.losses
        has_data_loss = regularizers.has_own_loss(loss.model) or bool(loss.data)
        _complete(loss, _describe_entries(loss.model, loss.entries, has_data_loss))

    def with_own_losses(self, penalties: CapturedLoss) -> CapturedLoss:
        """Returns penalties of weights with what layers have added by the end of the step."""
        layers = layers_of(penalties.model)
        own = [entry for layer in layers for entry in internals.own_losses(layer)]
        described = [term for layer in layers for term in _describe_own(layer, penalties.model)]
        return replace(
            penalties,
            entries=[*own, *penalties.entries],
            values=[*own, *penalties.values],
            terms=with_distinct_names([*described, *penalties.terms]),
        )

    def penalties_of(self, model: Any, *_: Any) -> CapturedLoss:
        """Returns the penalties of the weights with which a step begins."""
        known = [
            (loss, _describe_weight(loss, layer, model))
            for layer in layers_of(model)
            for loss in internals.weight_losses(layer)
            if internals.regularized_by(loss) is not None
        ]
        loss = CapturedLoss(model, self._ring.replicas, entries=[loss() for loss, _ in known])
        _complete(loss, with_distinct_names(term for _, term in known))
        return loss

    @contextmanager
    def _loss_of(self, model: Any) -> Iterator[CapturedLoss]:
        """Notes what is computed in a ``with`` block as a loss, unless it is part of another."""
        losses = self._running.losses
        if losses:
            yield losses[-1]
            return
        losses.append(CapturedLoss(model, self._ring.replicas))
        try:
            yield losses[-1]
        finally:
            loss = losses.pop()
        self._ring.attempt(self._note, loss)

    def _wrap_compute_loss(self, model: Any) -> Callable[..., Any]:
        compute_loss = model.compute_loss

        @functools.wraps(compute_loss)
        def capturing_compute_loss(*args: Any, **kwargs: Any) -> Any:
            with self._loss_of(model) as loss:
                value = loss.total = compute_loss(*args, **kwargs)
                loss.is_whole = not regularizers.has_own_loss(model)
            return value

        return capturing_compute_loss

    def _ask(self, model: Any) -> Callable[..., Any]:
        def ask(
            container: Any,
            y_true: Any,
            y_pred: Any,
            sample_weight: Any = None,
            regularization_losses: Any = None,
        ) -> Any:
            with self._loss_of(model) as loss:
                loss.outputs = []
                loss.entries = list(regularization_losses or ())
                # A train_step of the user's own may ask without compute_loss.
                loss.is_whole = bool(loss.entries)
                value = loss.total = container(y_true, y_pred, sample_weight, regularization_losses)
                if loss.outputs:
                    loss.data.append(loss.outputs)
            return value

        return ask

    def _add_output(self, output: Output) -> None:
        if self._running.losses:
            self._running.losses[-1].outputs.append(output)


def _note_applied(
    step: WatchedStep, _: Any, grads_and_vars: Any, *args: Any, **kwargs: Any
) -> None:
    pairs = list(grads_and_vars)
    step.note_applied([gradient for gradient, _ in pairs], [variable for _, variable in pairs])


def _complete(loss: CapturedLoss, terms: list[Term]) -> None:
    loss.terms = terms
    loss.values = [tf.cast(entry, tf.float32) / loss.replicas for entry in loss.entries]
    loss.decay = regularizers.weight_decay_row(
        loss.model,
        loss.replicas,
        functools.partial(_describe_variable, loss.model),
        lambda variable: tf.nn.l2_loss(tf.cast(variable, tf.float32)),
    )


def count_columns(model: Any) -> int:
    """How many columns a model's row will have, generously guessed."""
    layers = layers_of(model)
    if not model.built:
        # Nothing is known before the first step, which makes the variables and their penalties.
        return 1 + 16 * len(layers)
    losses = sum(4 + len(internals.weight_losses(layer)) for layer in layers)
    return 1 + losses + len(regularizers.weight_decay_of(model)[1])


def _describe_entries(model: Any, entries: Sequence[Any], has_data_loss: bool) -> list[Term]:
    """Names the entries of ``model.losses``, in the order in which Keras lists them.

    Without a data loss, what ``add_loss`` was given is it.
    """
    terms = []
    for layer in layers_of(model):
        terms += _describe_own(layer, model)
        terms += [_describe_weight(loss, layer, model) for loss in internals.weight_losses(layer)]
    if len(terms) != len(entries):
        terms = regularizers.unnamed(entries)
    if not has_data_loss:
        terms = regularizers.with_data(terms, entries, may_hold_data)
    return with_distinct_names(terms)


def _describe_own(layer: Any, model: Any) -> list[Term]:
    """Names what a layer itself has added in this step."""
    terms = [_added(layer, model) for _ in internals.own_losses(layer)]
    activity = internals.activity_regularizer(layer)
    if activity is not None and terms:
        # Keras adds a call's activity term after what the call itself added.
        at = 0 if type(layer).__module__.startswith("tf_keras.") else -1
        term = _added(layer, model, "activity", describe_regularizer(activity).strength)
        terms[at:] = [term] * len(terms[at:])
    return terms


def _added(layer: Any, model: Any, kind: Kind = "add_loss", strength: Any = None) -> Term:
    path = "" if layer is model else f"{layer.name}/"
    return Term(f"{path}{kind}", kind=kind, strength=strength)


def _describe_weight(loss: Callable[[], Any], layer: Any, model: Any) -> Term:
    found = internals.regularized_by(loss)
    if found is None:
        return _added(layer, model)
    variable, regularizer = found
    return _describe_variable(model, variable, describe_regularizer(regularizer))


def describe_regularizer(regularizer: Any) -> regularizers.RegularizerForm:
    """Reads a weight regulariser's form."""
    return regularizers.form_of(regularizer, tf_keras.regularizers)


def _describe_variable(model: Any, variable: Any, form: regularizers.RegularizerForm) -> Term:
    path = variable.name.partition(":")[0]
    return regularizers.penalty_of(path, f"{model.name}/", variable.shape, form)
