"""Takes a loss apart into data loss and penalty terms: the columns of a row, and their values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tb_regplugin.capture.graph.operations import (
    REFERENCES,
    Tensor,
    constant,
    is_data_source,
    is_opaque,
    single_element,
    strip,
)
from tb_regplugin.capture.graph.other_losses import mark_entries_of_others
from tb_regplugin.capture.graph.penalties import (
    both_norms,
    penalty_of_activations,
    penalty_of_weights,
    summed,
)
from tb_regplugin.capture.graph.sources import Reaches, Sources, ancestors
from tb_regplugin.capture.graph.structure import Collected, CollectedEntry
from tb_regplugin.capture.graph.walk import Addend, walk, whole
from tb_regplugin.capture.step_ring import stack_scalars
from tb_regplugin.finding import Finding
from tb_regplugin.terms import Layout, Role, Term, with_distinct_names

# What a collected entry is that is no summand of the loss.
_UNUSED: tuple[Role, str] = ("unused", "Collected, but not part of the loss.")
_INSIDE: tuple[Role, str] = (
    "inside", "In the loss, but not as a summand: its share is unknown."
)  # fmt: skip

# What is said of values that depend on TF1's reference variables.
_RACES = (
    "TensorFlow may update reference variables before it reads them for values of the same step. "
    "These may be off by up to one update; tf.enable_resource_variables() makes them exact."
)

# More data losses than this are one column: nobody tells so many curves apart.
_MAX_DATA_PARTS = 8


@dataclass(eq=False)
class Part:
    """One column of a loss, and the tensors whose weighted sum is its value."""

    term: Term
    addends: list[Addend]


@dataclass(eq=False)
class Decomposition:
    """What a loss is made of.

    Attributes:
      total: The loss.
      parts: What adds up to it, and the collected terms that don't, which have the role "inside"
        where the loss depends on them, "unused" where not.
      hyperparameters: What the parts' weights name by its number.
      collected: REGULARIZATION_LOSSES, or what was given in its place, and how it reaches the loss.
      visited_operations: How many operations were looked at.
      warning: Why nothing could be taken apart, or penalties may be off, in a sentence.
    """

    total: Tensor
    parts: list[Part]
    hyperparameters: list[Tensor] = field(default_factory=list)
    collected: Collected = field(default_factory=Collected)
    visited_operations: int = 0
    warning: str | None = None

    @property
    def terms(self) -> list[Addend]:
        """What adds up to the loss."""
        return [a for part in self.parts if part.term.role != "unused" for a in part.addends]


def decompose(
    total_loss: Tensor, collection: Iterable[Any] | None = None, variables: Iterable[Any] = ()
) -> Decomposition:
    """Takes a loss apart: a scalar tensor of a TF1 graph, or of the graph of a ``tf.function``.

    Additions, differences, products with constants and hyperparameters, and sums and means of
    scalars are followed back from the loss. What reaches a placeholder, an iterator or chance is
    data loss; what reaches only variables is a penalty term, and so is every entry of the
    collection, the graph's REGULARIZATION_LOSSES when left out. What lies in a ``tf.cond``, a
    ``tf.while_loop``, a ``tf.function`` or under a custom gradient is one part called
    "unexplained". Variables that a ``tf.function`` uses are given to name them.

    Takes time in proportion to the number of operations, once; adds none to the graph. It never
    raises: a loss that cannot be taken apart is one unexplained part.
    """
    try:
        return _Decomposer(total_loss, collection, variables).decompose()
    except Exception as error:  # noqa: BLE001 - no graph of a user's may stop a training
        note = f"The loss could not be taken apart ({type(error).__name__}: {error})."
        return Decomposition(total_loss, [_unexplained([whole(total_loss)], note)], warning=note)


class GraphRow(NamedTuple):
    """A tensor of the values of one step, float32 ``[columns]``, and what they are."""

    layout: Layout
    values: Any


def build_row(decomposition: Decomposition, findings: tuple[Finding, ...] = ()) -> GraphRow:
    """Adds the operations that put a loss and its parts into one row.

    The values are those of the very tensors that the loss is made of, so that they fit together
    although the weights move in the same step. One operation collects them, however many.
    """
    note = _RACES if any(part.term.note == _RACES for part in decomposition.parts) else None
    total = Part(Term("total", "total", note=note), [whole(decomposition.total)])
    parts = [total, *decomposition.parts]
    scalars, constants, numbers = [], [], []
    for number, part in enumerate(parts):
        for addend in part.addends:
            for product, factor in addend.weight.items():
                scalar = _one_number(addend.tensor)
                for which in product:
                    other = tf.cast(_one_number(decomposition.hyperparameters[which]), tf.float32)
                    scalar = tf.cast(scalar, tf.float32) * other
                scalars.append(scalar)
                constants.append(factor)
                numbers.append(number)
    values = stack_scalars(scalars) * np.array(constants, np.float32)
    if numbers != list(range(len(parts))):
        values = tf.math.unsorted_segment_sum(values, numbers, len(parts))
    return GraphRow(Layout(tuple(part.term for part in parts), findings), values)


def _one_number(tensor: Tensor) -> Any:
    if single_element(tensor):
        return tensor
    # As optimisers take a loss that is no scalar.
    return tf.reduce_sum(tf.cast(tensor, tf.float32))


def describe_penalties(scalars: Sequence[Any], variables: Iterable[Any] = ()) -> tuple[Term, ...]:
    """Describes penalties that came without names, such as ``model.losses``, of these variables.

    What is of no function's graph, or no one penalty there, is numbered. All names are different.
    """
    variables = tuple(variables)
    terms = []
    for number, scalar in enumerate(scalars):
        term = Term(f"penalty {number}", kind="custom")
        if tf.is_symbolic_tensor(scalar):
            found = [part.term for part in decompose(scalar, [scalar], variables).parts]
            if [(each.role, each.note) for each in found] == [("penalty", None)]:
                term = found[0]
        terms.append(term)
    return tuple(with_distinct_names(terms))


class _Decomposer:
    def __init__(
        self, total: Tensor, collection: Iterable[Any] | None, variables: Iterable[Any]
    ) -> None:
        self.total = total
        is_given = collection is not None
        if collection is None:
            collection = total.graph.get_collection(tf.compat.v1.GraphKeys.REGULARIZATION_LOSSES)
        self.sources = Sources(total.graph, variables)
        with total.graph.as_default():
            self.collected = Collected(collection, is_given)
        for entry in self.collected.entries:
            met, _ = walk(entry.tensor, self.sources)
            # The first one is the entry.
            entry.holds_entries = any(self.collected.find(part.tensor) for part in met[1:])

    def decompose(self) -> Decomposition:
        warning = None
        if single_element(self.total):
            parts = self._parts()
        else:
            warning = (
                f"The loss has the shape {self.total.shape}, so it is not a scalar. "
                "Optimisers minimise the sum of its elements."
            )
            parts = [_unexplained([whole(self.total)], warning)]
        warning = warning or self._note_races(parts)
        visited = self.collected.structure.visited.keys() | self.sources.reaches_data.visited.keys()
        tensors = self.sources.hyperparameters
        return Decomposition(self.total, parts, tensors, self.collected, len(visited), warning)

    def _note_races(self, parts: list[Part]) -> str | None:
        """Notes which values may be off; returns what to say if penalties are among them."""
        may_be_off = Reaches(lambda op: op.type in REFERENCES and self.sources.is_trained(op))
        off = [p for p in parts if any(may_be_off(addend.tensor.op) for addend in p.addends)]
        for part in off:
            part.term = replace(part.term, note=part.term.note or _RACES)
        return _RACES if any(part.term.role == "penalty" for part in off) else None

    def _parts(self) -> list[Part]:
        def is_part(tensor: Tensor) -> bool:
            entry = self.collected.find(tensor)
            return entry is not None and not entry.holds_entries

        met, terms = walk(self.total, self.sources, stops_at=is_part)
        for addend in met:
            if (entry := self.collected.find(addend.tensor)) is not None:
                entry.addends.append(addend)
        mark_entries_of_others(self.total, terms, self.collected)
        loose = [term for term in terms if self.collected.find(term.tensor) is None]
        data, penalties, opaque = self._sort(loose)
        for entry in self.collected.entries:
            # What was given is shown, whatever it is.
            is_shown = self.collected.is_given or not entry.is_others
            if is_shown and not entry.holds_entries:
                penalties.extend(self._parts_of(entry))
        parts = _with_distinct_names([*_data_parts(data), *_one_a_variable(penalties, both_norms)])
        if opaque:
            parts.append(_unexplained(opaque, _hidden(opaque)))
        return parts

    def _sort(self, addends: list[Addend]) -> tuple[list[Addend], list[Part], list[Addend]]:
        """Tells data losses, penalties that were not collected, and what is neither apart."""
        data: list[Addend] = []
        without_data: list[Addend] = []
        opaque: list[Addend] = []
        for addend in addends:
            tensor = addend.tensor
            if is_opaque(tensor.op):
                opaque.append(addend)
            elif constant(tensor) != 0.0:
                is_data = tensor.op.type == "Const" or self.sources.reaches_data(tensor.op)
                (data if is_data else without_data).append(addend)
        penalties: list[Part] = []
        # Where nothing brings data in, data came as constants.
        data_are_constants = not self.sources.reaches_data(self.total.op)
        for addend in without_data:
            term = penalty_of_weights(addend, addend.coefficient, self.sources)
            if data_are_constants and term.kind == "custom":
                data.append(addend)
            else:
                penalties.append(Part(term, [addend]))
        return data, penalties, opaque

    def _parts_of(self, entry: CollectedEntry) -> list[Part]:
        """Describes a collected entry, split by variables."""
        if entry.addends:
            return [part for addend in entry.addends for part in self._split(entry, addend)]
        role, note = _UNUSED
        if self.collected.structure.key(entry.tensor)[0] in self._expressions:
            role, note = _INSIDE
        elif self._reaches_foreign_data(entry.tensor.op):
            return []
        parts = self._split(entry, whole(strip(entry.tensor)))
        return [Part(replace(p.term, role=role, note=note), p.addends) for p in parts]

    @functools.cached_property
    def _expressions(self) -> set[int]:
        """The numbers of all expressions that the total depends on."""
        structure = self.collected.structure
        structure.key(self.total)
        within = ancestors(self.total.op)
        return {structure.visited[op] for op in within if op in structure.visited}

    @functools.cached_property
    def _reaches_foreign_data(self) -> Reaches:
        """Tells what needs data that the total does not need.

        Evaluating it could fail for a placeholder that is not fed, or take a batch out of an
        iterator.
        """
        known = ancestors(self.total.op)
        return Reaches(lambda op: is_data_source(op) and op not in known)

    def _split(self, entry: CollectedEntry, outer: Addend) -> list[Part]:
        _, inner = walk(outer.tensor, self.sources)
        inner = [addend for addend in inner if constant(addend.tensor) != 0.0]
        if opaque := [addend for addend in inner if is_opaque(addend.tensor.op)]:
            term = Term(entry.name, kind="custom", entry=entry.name, note=_hidden(opaque))
            return [Part(term, [outer])]
        if self.sources.reaches_data(outer.tensor.op):
            return [Part(penalty_of_activations(outer.tensor, entry.name), [outer])]
        parts = []
        for own in inner:
            addend = own.within(outer)
            term = penalty_of_weights(addend, own.coefficient, self.sources, entry.name)
            parts.append(Part(term, [addend]))
        return _one_a_variable(parts, summed)


def _unexplained(addends: list[Addend], note: str) -> Part:
    return Part(Term("unexplained", "unexplained", note=note), addends)


def _hidden(opaque: list[Addend]) -> str:
    what = ", ".join(f"{a.tensor.op.name} ({a.tensor.op.type})" for a in opaque)
    return f"A branch, loop, function or custom gradient hides what this is: {what}."


def _data_parts(data: list[Addend]) -> list[Part]:
    # A constant beside one loss, as flooding has it, is no curve of its own.
    varying = [addend for addend in data if constant(addend.tensor) is None]
    if 1 < len(data) <= _MAX_DATA_PARTS and len(varying) != 1:
        return [Part(Term(addend.tensor.op.name, "data"), [addend]) for addend in data]
    return [Part(Term("data", "data"), data)] if data else []


def _one_a_variable(parts: list[Part], join: Callable[[Term, Term], Term]) -> list[Part]:
    """Makes one part of the norms of one variable that come from one collected entry."""
    merged: dict[Any, Part] = {}
    for number, part in enumerate(parts):
        term = part.term
        can_merge = term.entry is not None and term.variable is not None and term.kind != "custom"
        kind = term.kind if join is summed else None
        key = (term.entry, term.variable, term.role, kind) if can_merge else number
        if (before := merged.get(key)) is not None:
            part = Part(join(before.term, term), before.addends + part.addends)
        merged[key] = part
    return list(merged.values())


def _with_distinct_names(parts: list[Part]) -> list[Part]:
    """Gives parts of one role that share a name different ones: w, w (l1), w (2)."""
    by_role: dict[Role, list[Part]] = {}
    seen = set()
    for part in parts:
        term = part.term
        by_role.setdefault(term.role, []).append(part)
        if (term.role, term.name) in seen and term.kind not in (None, "custom"):
            part.term = replace(term, name=f"{term.name} ({term.kind})")
        seen.add((term.role, term.name))
    for of_role in by_role.values():
        terms = with_distinct_names(part.term for part in of_role)
        for part, term in zip(of_role, terms, strict=True):
            part.term = term
    return parts
