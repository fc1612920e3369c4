"""The columns and values of a step's row, of what was seen of its loss, in either Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tb_regplugin.capture.watching import Trained
from tb_regplugin.finding import Finding
from tb_regplugin.terms import OUTSIDE_OF_LOSS, Term, with_distinct_names

_UNSEEN = (
    "Calculated beside the training step, whose loss can't be seen: whether it contains this term "
    "is unknown."
)
_UNPLACED = "Whether the loss that is trained contains this term, and how often, is unknown."


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
        note = f"From the last of {trained.updates} updates in a step."
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
    """Finds in the graph what a loss of the user's own adds up.

    None where there is no graph: on other backends than TensorFlow, and in eager steps.
    """
    if not hasattr(total, "graph"):
        return None
    from tb_regplugin.capture.graph.keras_loss import take_apart

    return take_apart(total, losses)
