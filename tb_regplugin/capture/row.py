"""The columns and values of a step's row, of what was seen of its loss, in either Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tb_regplugin.capture.watching import Trained
from tb_regplugin.finding import Finding
from tb_regplugin.terms import OUTSIDE_OF_LOSS, Role, Term, as_written, with_distinct_names

if TYPE_CHECKING:
    from tb_regplugin.capture.graph.decompose import Part

_UNSEEN = (
    "Calculated beside the training step, whose loss can't be seen: whether it holds this term is "
    "not known."
)
_UNPLACED = "Whether what the step trains on holds this term, and how often, is not known."


class Row(NamedTuple):
    """What a step records.

    Attributes:
      columns: What the values are.
      values: A tensor or number a column.
      findings: What is wrong with the way the penalties reach the loss.
    """

    columns: list[Term]
    values: list[Any]
    findings: tuple[Finding, ...] = ()


class Output(NamedTuple):
    """What the loss of one output added.

    Attributes:
      name: What the output is called.
      value: The number, as weighted.
      chance_level: What that is for a model that knows nothing; None where it is not known.
    """

    name: str
    value: Any
    chance_level: float | None = None


@dataclass
class CapturedLoss:
    """The parts of one loss that was computed, as they went into it.

    Attributes:
      model: The model.
      replicas: Over how many replicas the values will be added up.
      total: The loss, such as what ``compute_loss`` returned.
      is_whole: Whether data losses and entries are known to be all of it.
      outputs: What each output gave since the compiled losses were asked.
      data: For each time that these were asked, what they gave: one number, or one an output.
      entries: Those entries of ``model.losses`` that were added.
      values: The number that each of them added.
      terms: What the entries are.
      decay: What the optimiser shrinks beside the loss.
    """

    model: Any
    replicas: int
    total: Any = None
    is_whole: bool = False
    outputs: list[Output] = field(default_factory=list)
    data: list[list[Output]] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    decay: tuple[list[Term], list[Any]] = ([], [])

    @property
    def named_data(self) -> list[Output]:
        """What the compiled losses gave: it can be told where they were asked once."""
        return self.data[0] if len(self.data) == 1 else []


def row_of(loss: CapturedLoss) -> Row:
    """Returns the row of a step that trains on what ``compute_loss`` returned."""
    row = None if loss.is_whole else _taken_apart(loss.total, [loss])
    return row or _with_total(loss.total, loss)


def row_of_other(total: Any, losses: Sequence[CapturedLoss]) -> Row:
    """Returns the row of a step that trains on something else than these losses."""
    if not losses:
        return Row([Term("total", role="total")], [total])
    row = _taken_apart(total, losses)
    if row is not None:
        return row
    if len(losses) == 1 and losses[0].total is not None:
        return _with_total(total, losses[0])
    # No one's parts are those of the total: as its parts, they would not add up to it.
    loss = losses[0]
    columns = [replace(term, role="inside", note=_UNPLACED) for term in loss.terms]
    values = [total, *loss.values, *loss.decay[1]]
    return Row([Term("total", role="total"), *columns, *loss.decay[0]], values)


def of_trained(row: Row, trained: Trained) -> Row:
    """Returns the row of one of a step's losses, without what the others' variables pay."""
    paths = {getattr(v, "path", None) or v.name.partition(":")[0] for v in trained.variables or ()}
    kept = [
        (term, value)
        for term, value in zip(row.columns, row.values, strict=True)
        if term.role not in OUTSIDE_OF_LOSS or term.variable in paths
    ]
    columns = [term for term, _ in kept]
    if trained.updates > 1:
        note = f"Of the last of {trained.updates} updates in a step."
        columns = [replace(t, note=note) if t.role == "total" else t for t in columns]
    return Row(columns, [value for _, value in kept], row.findings)


def joined(rows: Sequence[Row]) -> Row:
    """Returns the rows of several losses as one."""
    columns = [term for row in rows for term in row.columns]
    values = [value for row in rows for value in row.values]
    return Row(columns, values, tuple(finding for row in rows for finding in row.findings))


def _with_total(total: Any, loss: CapturedLoss) -> Row:
    data = loss.named_data
    outputs = with_distinct_names(
        Term(output.name, role="data", chance_level=output.chance_level) for output in data
    )
    columns = [Term("total", role="total"), *outputs, *loss.terms, *loss.decay[0]]
    return Row(columns, [total, *(output.value for output in data), *loss.values, *loss.decay[1]])


def row_without_total(loss: CapturedLoss, is_beside: bool = False) -> Row:
    """Returns the penalties alone, each with a note that its place in the loss is not known."""
    note = _UNSEEN if is_beside else _UNPLACED
    columns = [replace(term, note=note) for term in loss.terms]
    return Row(columns + loss.decay[0], loss.values + loss.decay[1])


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
    """Finds in the graph what a loss of the user's own adds up: entries and data losses of these.

    Returns:
      The row, total first. None where there is no graph: on other backends than TensorFlow, and
      in eager steps.
    """
    if not hasattr(total, "graph"):
        return None
    import tensorflow as tf

    from tb_regplugin.capture.graph.audit import counted_twice
    from tb_regplugin.capture.graph.decompose import Decomposition, build_row, decompose

    replicas = losses[0].replicas
    known: dict[str, tuple[Any, Term, int]] = {}
    for loss in losses:
        # A replica's data loss is its share, an entry all of it. The loss may hold a multiple of an
        # output, so that nothing is said of its chance level.
        outputs = [(value, Term(name, role="data"), 1) for name, value, _ in loss.named_data]
        entries = zip(loss.entries, loss.terms, [replicas] * len(loss.terms), strict=True)
        for tensor, term, divisor in (*outputs, *entries):
            # Those of a loop or function within the step can't be looked at from here.
            if tf.is_symbolic_tensor(tensor) and tensor.graph is total.graph:
                known[tensor.op.name] = tensor, term, divisor
    # Keras 3 wraps those of TensorFlow.
    variables = [v if hasattr(v, "handle") else v.value for v in losses[0].model.variables]
    found = decompose(total, [tensor for tensor, *_ in known.values()], variables)
    findings = counted_twice(found, {name: term for name, (_, term, _) in known.items()}, replicas)
    parts = _as_keras_has_them(found.parts, {name: facts for name, (_, *facts) in known.items()})
    row = build_row(Decomposition(found.total, parts, found.hyperparameters))
    columns, values = losses[0].decay
    return Row([*row.layout.columns, *columns], tf.unstack(row.values) + values, findings)


def _as_keras_has_them(parts: Iterable[Part], known: Mapping[str, list[Any]]) -> list[Part]:
    """Describes parts that are known by what is known: it knows more than the graph.

    What is known by one name, such as the data losses of several batches, becomes one part. First
    come data and entries, as in other models, then what is in none of them. ``known`` has terms by
    names of the graph, each with what a replica's value is divided by.
    """
    merged: dict[tuple[Term, Role], Part] = {}
    data: list[Part] = []
    others: list[Part] = []
    for part in parts:
        term, divisor = known.get(part.term.entry or "", (None, 1))
        if term is None:
            part.term = replace(part.term, entry=None)
            (data if part.term.role == "data" else others).append(part)
            continue
        role = term.role if part.term.role == "penalty" else part.term.role
        # As the total has it, which may hold half of it, or it twice.
        coefficient = part.term.coefficient if term.coefficient is not None else None
        if role in OUTSIDE_OF_LOSS:
            # The replicas' values are added up, and none divides it.
            for addend in part.addends:
                addend.weight = {key: f / divisor for key, f in addend.weight.items()}
        elif coefficient is not None:
            coefficient = as_written(coefficient * divisor)
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
