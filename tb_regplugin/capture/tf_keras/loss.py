"""What a step of a tf_keras model adds up to its loss, seen while it does so."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf
import tf_keras

from tb_regplugin.capture import regularizers
from tb_regplugin.capture.graph.sources import may_hold_data
from tb_regplugin.capture.internals import layers_of
from tb_regplugin.capture.rows import Ring
from tb_regplugin.capture.safety import overridden
from tb_regplugin.capture.tf_keras import internals
from tb_regplugin.terms import Term, with_distinct_names


@dataclass
class CapturedLoss:
    """The parts of one loss, as they went into it.

    Attributes:
      total: The loss.
      data: What the loss of each output gave, by its name.
      entries: Those entries of ``model.losses`` that were added.
    """

    total: Any = None
    data: list[tuple[str, Any]] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)


class _Running(threading.local):
    """What is going on in a step: strategies run a thread a replica."""

    capture: CapturedLoss | None = None
    has_recorded = False


class LossCapture:
    """Puts a row with the parts of a model's loss into a ring, and computes nothing twice.

    Args:
      ring: Where each step's row goes, inside of the step, in the same trace.
    """

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._running = _Running()

    @contextmanager
    def installed(self, model: Any) -> Iterator[None]:
        """Captures in a model's step for the length of a ``with`` block."""
        container = model.compiled_loss
        with (
            overridden(
                model,
                train_step=self._wrap_step(model.train_step),
                compute_loss=self._wrap_compute_loss(model),
                compiled_loss=internals.Observed(container, self._ask(model)),
            ),
            internals.reporting_outputs(container, self._add_output),
        ):
            yield

    @contextmanager
    def _capture(self, model: Any) -> Iterator[CapturedLoss]:
        """Records what is noted in a ``with`` block, unless it is within another one."""
        if self._running.capture is not None:
            yield self._running.capture
            return
        capture = self._running.capture = CapturedLoss()
        try:
            yield capture
        finally:
            self._running.capture = None
        # A train_step of the user's own may compute losses several times.
        if not self._running.has_recorded:
            self._running.has_recorded = True
            self._ring.attempt(self._record, model, capture)

    def _record(self, model: Any, loss: CapturedLoss) -> None:
        self._ring.push(*row_of(model, loss, self._ring.replicas))

    def _wrap_step(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def capturing_step(*args: Any, **kwargs: Any) -> Any:
            self._running.has_recorded = False
            return step(*args, **kwargs)

        return capturing_step

    def _wrap_compute_loss(self, model: Any) -> Callable[..., Any]:
        compute_loss = model.compute_loss

        @functools.wraps(compute_loss)
        def capturing_compute_loss(*args: Any, **kwargs: Any) -> Any:
            with self._capture(model) as capture:
                capture.total = compute_loss(*args, **kwargs)
            return capture.total

        return capturing_compute_loss

    def _ask(self, model: Any) -> Callable[..., Any]:
        def ask(container: Any, *args: Any, **kwargs: Any) -> Any:
            with self._capture(model) as capture:
                capture.data = []
                capture.entries = list(kwargs.get("regularization_losses") or ())
                # A train_step of the user's own may ask without compute_loss.
                value = capture.total = container(*args, **kwargs)
            return value

        return ask

    def _add_output(self, name: str, value: Any) -> None:
        if self._running.capture is not None:
            self._running.capture.data.append((name, value))


def row_of(model: Any, loss: CapturedLoss, replicas: int) -> tuple[list[Term], list[Any]]:
    """Returns the columns and values of a step whose loss was captured; call it in the step.

    The values will be added up over the replicas.
    """
    entries = loss.entries or model.losses
    columns = [
        Term("total", role="total"),
        *with_distinct_names(Term(name, role="data") for name, _ in loss.data),
        *_describe_entries(model, entries, has_data_loss=_has_own_loss(model) or bool(loss.data)),
    ]
    values = [loss.total, *(value for _, value in loss.data)]
    values += [tf.cast(entry, tf.float32) / replicas for entry in entries]
    decay_columns, decay_values = regularizers.weight_decay_row(
        model,
        replicas,
        functools.partial(_describe_variable, model),
        lambda variable: tf.nn.l2_loss(tf.cast(variable, tf.float32)),
    )
    return columns + decay_columns, values + decay_values


def count_columns(model: Any) -> int:
    """How many columns a model's row will have, generously guessed."""
    layers = layers_of(model)
    if not model.built:
        # Nothing is known before the first step, which makes the variables and their penalties.
        return 1 + 16 * len(layers)
    losses = sum(4 + len(internals.weight_losses(layer)) for layer in layers)
    return 1 + losses + len(regularizers.weight_decay_of(model)[1])


def _has_own_loss(model: Any) -> bool:
    """Whether a model's data loss may be in a ``compute_loss`` of the user's own."""
    return not type(model).compute_loss.__module__.startswith("tf_keras.")


def _describe_entries(model: Any, entries: Sequence[Any], has_data_loss: bool) -> list[Term]:
    """Names the entries of ``model.losses``, in the order in which Keras lists them.

    Without a data loss, what ``add_loss`` was given is it.
    """
    terms = []
    for layer in layers_of(model):
        path = "" if layer is model else f"{layer.name}/"
        own, activity = internals.count_own_losses(layer), internals.activity_regularizer(layer)
        may_add_losses = not type(layer).__module__.startswith("tf_keras.")
        for number in range(1, own + 1):
            # Keras adds a call's activity term after what the call itself added.
            if activity is not None and (number == own or not may_add_losses):
                strength = describe_regularizer(activity).strength
                terms.append(Term(f"{path}activity", kind="activity", strength=strength))
            else:
                terms.append(Term(f"{path}add_loss", kind="add_loss"))
        for loss in internals.weight_losses(layer):
            found = internals.regularized_by(loss)
            if found is None:
                terms.append(Term(f"{path}add_loss", kind="add_loss"))
            else:
                variable, regularizer = found
                form = describe_regularizer(regularizer)
                terms.append(_describe_variable(model, variable, form))
    if len(terms) != len(entries):
        terms = [Term(f"term {number}", kind="custom") for number in range(1, len(entries) + 1)]
    if not has_data_loss:
        terms = [
            Term(term.name, "data") if term.kind == "add_loss" and may_hold_data(entry) else term
            for term, entry in zip(terms, entries, strict=True)
        ]
    return with_distinct_names(terms)


def describe_regularizer(regularizer: Any) -> regularizers.RegularizerForm:
    """Reads a weight regulariser's form."""
    return regularizers.form_of(regularizer, tf_keras.regularizers)


def _describe_variable(model: Any, variable: Any, form: regularizers.RegularizerForm) -> Term:
    path = variable.name.partition(":")[0]
    return regularizers.penalty_of(path, f"{model.name}/", variable.shape, form)
