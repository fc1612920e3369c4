"""The columns and values of a step's row, of what was seen of its loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import keras
from keras import ops, tree

from tb_regplugin.capture.internals import layers_of
from tb_regplugin.capture.keras import internals, terms
from tb_regplugin.terms import Role, Term, as_written, with_distinct_names

if TYPE_CHECKING:
    from tb_regplugin.capture.graph.decompose import Part

Row = tuple[list[Term], list[Any]]

_UNSEEN = (
    "Calculated beside the training step, whose loss can't be seen: whether it holds this term is "
    "not known."
)
_UNPLACED = "Whether what the step trains on holds this term, and how often, is not known."


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
      terms: What the entries are.
      decay: What the optimiser shrinks beside the loss.
    """

    model: Any
    batch: Sequence[Any]
    total: Any = None
    outputs: list[tuple[str, Any]] = field(default_factory=list)
    data: list[list[tuple[str, Any]]] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    decay: Row = ([], [])

    @property
    def samples(self) -> Any:
        """How many samples the batch has."""
        tensors = (x for x in tree.flatten(self.batch) if len(getattr(x, "shape", ())))
        return ops.shape(next(tensors))[0]

    @property
    def named_data(self) -> list[tuple[str, Any]]:
        """What the compiled losses gave: it can be told where they were asked once."""
        return self.data[0] if len(self.data) == 1 else []

    def describe(self, replicas: int) -> None:
        """Says what the entries are, while the weights are those of this loss.

        The values will be added up over the replicas.
        """
        if not self.entries:
            # A compute_loss of the user's own, perhaps: say what it could have added.
            aggregate = internals.aggregate_of(self.model)
            self.entries = self.model.losses
            self.values = [aggregate(entry) for entry in self.entries]
        self.terms = terms.describe_losses(self.model, self.entries)
        self.decay = terms.weight_decay_row(self.model, replicas)


def penalties_of_weights(model: Any, replicas: int) -> CapturedLoss:
    """Returns what a loss could have added and how weights decay, where there is none to see."""
    variables = terms.regularized_variables(model)
    entries = [v.regularizer(v) for v in variables]
    values = [ops.sum(entry) / replicas for entry in entries]
    columns = terms.describe_variables(model, variables)
    decay = terms.weight_decay_row(model, replicas)
    return CapturedLoss(model, (), entries=entries, values=values, terms=columns, decay=decay)


def with_own_losses(loss: CapturedLoss) -> CapturedLoss:
    """Returns these penalties of weights with what layers have added by the end of the step."""
    layers = layers_of(loss.model)
    own = [entry for layer in layers for entry in internals.own_losses_of(layer)]
    entries = [*own, *loss.entries]
    described = terms.describe_losses(loss.model, entries)
    return replace(loss, entries=entries, values=[*own, *loss.values], terms=described)


def row_of(loss: CapturedLoss) -> Row:
    """Returns the row of a step that trains on what ``compute_loss`` returned."""
    is_keras_own = type(loss.model).compute_loss.__module__.startswith("keras.")
    row = None if is_keras_own else _taken_apart(loss.total, [loss])
    return row or _with_total(loss.total, loss)


def row_of_other(total: Any, losses: Sequence[CapturedLoss]) -> Row:
    """Returns the row of a step that trains on something else than these losses."""
    row = _taken_apart(total, losses)
    if row is not None:
        return row
    if len(losses) == 1 and losses[0].total is not None:
        return _with_total(total, losses[0])
    # No one's parts are those of the total: as its parts, they would not add up to it.
    loss = losses[0]
    columns = [replace(term, role="inside", note=_UNPLACED) for term in loss.terms]
    values = [total, *loss.values, *loss.decay[1]]
    return [Term("total", role="total"), *columns, *loss.decay[0]], values


def _with_total(total: Any, loss: CapturedLoss) -> Row:
    data = loss.named_data
    outputs = with_distinct_names(Term(name, role="data") for name, _ in data)
    columns = [Term("total", role="total"), *outputs, *loss.terms, *loss.decay[0]]
    return columns, [total, *(value for _, value in data), *loss.values, *loss.decay[1]]


def row_without_total(loss: CapturedLoss, is_beside: bool = False) -> Row:
    """Returns the penalties alone, each with a note that its place in the loss is not known."""
    note = _UNSEEN if is_beside else _UNPLACED
    columns = [replace(term, note=note) for term in loss.terms]
    return columns + loss.decay[0], loss.values + loss.decay[1]


def without_total(columns: Sequence[Term]) -> list[Term]:
    """Describes the columns of a ``compute_loss`` that is not known to be all of the loss."""
    described = []
    for term in columns:
        if term.role in ("total", "data"):
            name = "compute_loss" if term.role == "total" else term.name
            term = replace(term, name=name, role="inside", note=_UNPLACED)
        elif term.role == "penalty":
            term = replace(term, note=_UNPLACED)
        described.append(term)
    return described


def _taken_apart(total: Any, losses: Sequence[CapturedLoss]) -> Row | None:
    """Finds in the graph what a loss of the user's own adds up.

    Args:
      total: The loss.
      losses: What may be in it: their data losses and entries are recognised.

    Returns:
      The columns and values, total first. None where there is no graph: on other backends than
      TensorFlow, and in eager steps.
    """
    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if not tf.is_symbolic_tensor(total):
        return None
    from tb_regplugin.capture.graph.decompose import Decomposition, build_row, decompose

    known: dict[str, tuple[Any, Term]] = {}
    for loss in losses:
        outputs = [(value, Term(name, role="data")) for name, value in loss.named_data]
        for tensor, term in (*outputs, *zip(loss.entries, loss.terms, strict=True)):
            # Those of a loop or function within the step can't be looked at from here.
            if tf.is_symbolic_tensor(tensor) and tensor.graph is total.graph:
                known[tensor.op.name] = tensor, term
    variables = [variable.value for variable in losses[0].model.variables]
    found = decompose(total, [tensor for tensor, _ in known.values()], variables)
    parts = _as_keras_has_them(found.parts, {name: term for name, (_, term) in known.items()})
    row = build_row(Decomposition(found.total, parts, found.hyperparameters))
    decay = losses[0].decay
    return [*row.layout.columns, *decay[0]], tf.unstack(row.values) + decay[1]


def _as_keras_has_them(parts: Iterable[Part], known: Mapping[str, Term]) -> list[Part]:
    """Describes parts that are known by what is known: it knows more than the graph.

    What is known by one name, such as the data losses of several batches, becomes one part.

    Returns:
      The parts as in other models: data, entries; then what is in none of them.
    """
    merged: dict[tuple[Term, Role], Part] = {}
    data: list[Part] = []
    others: list[Part] = []
    for part in parts:
        term = known.get(part.term.entry or "")
        if term is None:
            part.term = replace(part.term, entry=None)
            (data if part.term.role == "data" else others).append(part)
            continue
        role = term.role if part.term.role == "penalty" else part.term.role
        # As the total has it, which may hold half of it, or it twice.
        coefficient = part.term.coefficient if term.coefficient is not None else None
        part.term = replace(term, role=role, coefficient=coefficient, note=part.term.note)
        before = merged.setdefault((term, role), part)
        if before is not part:
            before.addends += part.addends
            one, other = before.term.coefficient, coefficient
            both = None if one is None or other is None else as_written(one + other)
            before.term = replace(before.term, coefficient=both)
    own = [
        part
        for (term, role), part in merged.items()
        # Not what another pass of the step had, or what this one has.
        if role != "unused" or not (term.role == "data" or (term, term.role) in merged)
    ]
    own_data = [part for part in own if part.term.role == "data"]
    if len(data) == 1 and any(part.term.name == data[0].term.name for part in own):
        # Beside the model's own data loss, another one is called what it is.
        data[0].term = replace(data[0].term, name=data[0].addends[0].tensor.op.name)
    entries = [part for part in own if part.term.role != "data"]
    found = [*own_data, *data, *entries, *others]
    names = with_distinct_names(part.term for part in found)
    for part, term in zip(found, names, strict=True):
        part.term = term
    return found
