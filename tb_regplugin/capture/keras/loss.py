"""What a Keras step adds up to its loss, seen while it does so, and put into the ring."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import keras
from keras import ops, tree

from tb_regplugin.capture.internals import observing_outputs
from tb_regplugin.capture.keras import internals, terms
from tb_regplugin.capture.keras.ring import TravellingRing
from tb_regplugin.capture.recorded_step import TEST, StepKind
from tb_regplugin.capture.rows import Ring
from tb_regplugin.capture.safety import overridden
from tb_regplugin.terms import Term, with_distinct_names

_UNSEEN = (
    "Calculated beside the training step, which does not call compute_loss: whether its loss "
    "holds this term is not known."
)


@dataclass
class CapturedLoss:
    """The parts of one call of ``compute_loss``, as they went into its result.

    Attributes:
      model: The model.
      batch: What the call was given of the batch, its input first.
      total: What ``compute_loss`` returned.
      outputs: What each output gave, by name, since the compiled losses were asked.
      data: For each time that these were asked, what they gave: one number, or one an output.
      entries: Those entries of ``model.losses`` that were added.
      values: The number that each of them added.
    """

    model: Any
    batch: Sequence[Any]
    total: Any = None
    outputs: list[tuple[str, Any]] = field(default_factory=list)
    data: list[list[tuple[str, Any]]] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    @property
    def samples(self) -> Any:
        """How many samples the batch has."""
        tensors = (x for x in tree.flatten(self.batch) if len(getattr(x, "shape", ())))
        return ops.shape(next(tensors))[0]


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

    def before(self, model: Any, *args: Any) -> None:
        """Calculates them; where the step turns out to be seen, compilers leave that out."""
        self._running.row = None
        self._ring.attempt(self._calculate, model, *args)

    def after(self, result: Any) -> Any:
        """Adds their row, and returns the step's result with it."""
        row = self._running.row
        if row is None or not row[0]:
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
            variables = terms.regularized_variables(model)
            columns = terms.describe_variables(model, variables)
            values = [ops.sum(v.regularizer(v)) / self._ring.replicas for v in variables]
            decay_columns, decay_values = terms.weight_decay_row(model, self._ring.replicas)
        columns = [replace(term, note=_UNSEEN) for term in columns] + decay_columns
        self._running.row = columns, values + decay_values


class _Running(threading.local):
    """What the current thread is in the middle of: strategies run a thread a replica."""

    def __init__(self) -> None:
        self.losses: list[CapturedLoss] = []
        self.has_recorded = False


class LossCapture:
    """Puts a row with the parts of a model's loss into a ring, and computes nothing twice.

    Args:
      ring: Where each step's row goes, inside of the step, in the same trace.
      kind: Of which step.
      unseen: Records steps in which there is no loss to be seen.

    Attributes:
      on_row: Called after a row was pushed, inside of the step.
    """

    def __init__(
        self, ring: Ring, kind: StepKind, unseen: PenaltiesBesideStep | None = None
    ) -> None:
        self._ring = ring
        self._kind = kind
        self._unseen = unseen
        self.on_row: Callable[[], None] | None = None
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
            unseen = self._unseen
            if unseen is not None:
                unseen.before(model, *args)
            result = step(*args, **kwargs)
            if self._running.has_recorded:
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
            loss = CapturedLoss(model, (*args, *map(kwargs.get, ("x", "y", "y_pred"))))
            self._running.losses.append(loss)
            try:
                loss.total = compute_loss(*args, **kwargs)
            finally:
                self._running.losses.pop()
            # A train_step of the user's own may compute losses several times.
            if not self._running.has_recorded and not self._running.losses:
                self._running.has_recorded = True
                self._ring.attempt(self._record, loss)
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
        columns, values = row_of(loss, self._ring.replicas)
        self._ring.push(columns, values, loss.samples if self._kind is TEST else None)
        if self.on_row is not None:
            self.on_row()


def row_of(loss: CapturedLoss, replicas: int) -> tuple[list[Term], list[Any]]:
    """Returns the columns and values of a step whose loss was captured; call it in the step.

    The values will be added up over the replicas.
    """
    if not loss.entries:
        # A compute_loss of the user's own, perhaps: say what it could have added.
        aggregate = internals.aggregate_of(loss.model)
        loss.entries = loss.model.losses
        loss.values = [aggregate(entry) for entry in loss.entries]
    described = terms.describe_losses(loss.model, loss.entries)
    # What the compiled losses gave can be told where they were asked once.
    data = loss.data[0] if len(loss.data) == 1 else []
    is_keras_own = type(loss.model).compute_loss.__module__.startswith("keras.")
    row = None if is_keras_own else _take_apart(loss, data, described)
    if row is None:
        outputs = with_distinct_names(Term(name, role="data") for name, _ in data)
        columns = [Term("total", role="total"), *outputs, *described]
        row = columns, [loss.total, *(value for _, value in data), *loss.values]
    decay_columns, decay_values = terms.weight_decay_row(loss.model, replicas)
    return row[0] + decay_columns, row[1] + decay_values


def _take_apart(
    loss: CapturedLoss, data: Sequence[tuple[str, Any]], described: Sequence[Term]
) -> tuple[list[Term], list[Any]] | None:
    """Finds in the graph what a ``compute_loss`` of the user's own adds up.

    Returns:
      The columns and values, total first. None where there is no graph: on other backends than
      TensorFlow, and in eager steps.
    """
    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if not tf.is_symbolic_tensor(loss.total):
        return None
    from tb_regplugin.capture.graph.decompose import build_row, decompose

    outputs = [(value, Term(name, role="data")) for name, value in data]
    known = {
        tensor.op.name: (tensor, term)
        for tensor, term in (*outputs, *zip(loss.entries, described, strict=True))
        if tf.is_symbolic_tensor(tensor)
    }
    collection = [tensor for tensor, _ in known.values()]
    variables = [variable.value for variable in loss.model.variables]
    row = build_row(decompose(loss.total, collection, variables))
    found = row.layout.columns
    columns = _as_keras_has_them(found, {name: term for name, (_, term) in known.items()})
    # As in other models: total, data, entries; then what is in none of them.
    ranks = {"total": 0, "data": 1}
    order = sorted(
        range(len(columns)),
        key=lambda at: ranks.get(columns[at].role, 3 if found[at].entry is None else 2),
    )
    values = tf.unstack(row.values)
    return with_distinct_names(columns[at] for at in order), [values[at] for at in order]


def _as_keras_has_them(columns: Sequence[Term], known: Mapping[str, Term]) -> list[Term]:
    """Describes columns that are an entry each by the entry: it knows more than the graph."""
    counts = Counter(column.entry for column in columns)
    described = []
    for column in columns:
        term = known.get(column.entry or "")
        if term is None or counts[column.entry] > 1:
            described.append(replace(column, entry=None))
            continue
        role = term.role if column.role == "penalty" else column.role
        # As the total has it, which may hold half of it.
        coefficient = column.coefficient if term.coefficient is not None else None
        described.append(replace(term, role=role, coefficient=coefficient, note=column.note))
    return described
