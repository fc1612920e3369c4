"""When two tensors are the same expression, although other operations compute them.

``get_collection(REGULARIZATION_LOSSES)`` hands out lazy tensors that make new operations at each
use, so what was collected and what is in the loss share neither operations nor names.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.graph.internals import has_custom_gradient
from tb_regplugin.capture.graph.operations import (
    LOOPS,
    Operation,
    Tensor,
    is_data_source,
    origin,
    single_element,
    strip,
)
from tb_regplugin.capture.graph.sources import operands_first
from tb_regplugin.capture.graph.walk import Addend


class Structure:
    """Numbers expressions such that equal ones get equal numbers. Linear in the graph's size."""

    def __init__(self) -> None:
        # The operations looked at, and the numbers of their expressions.
        self.visited: dict[Operation, int] = {}
        self._numbers: dict[Hashable, int] = {}

    def key(self, tensor: Tensor) -> tuple[int, int]:
        """Returns what identifies a tensor's expression."""
        tensor = origin(tensor)
        for op in operands_first(tensor.op, _operands, self.visited):
            self.visited[op] = self._number(op)
        return self.visited[tensor.op], tensor.value_index

    def _number(self, op: Operation) -> int:
        expression: Hashable = (op.type, op.name)
        if not _stands_for_itself(op):
            attributes = tuple(
                (name, value.SerializeToString(deterministic=True))
                for name, value in sorted(op.node_def.attr.items())
                if not name.startswith("_")
            )
            operands = [origin(operand) for operand in op.inputs]
            inputs = tuple((self.visited[operand.op], operand.value_index) for operand in operands)
            expression = (op.type, attributes, inputs)
        return self._numbers.setdefault(expression, len(self._numbers))


def _operands(op: Operation) -> list[Operation]:
    return [] if _stands_for_itself(op) else [origin(operand).op for operand in op.inputs]


def _stands_for_itself(op: Operation) -> bool:
    if op.type == "Const":
        return False
    return op.type in LOOPS or has_custom_gradient(op) or not len(op.inputs) or is_data_source(op)


@dataclass(eq=False)
class CollectedEntry:
    """An entry of the collection.

    Attributes:
      name: Its tensor's name, without the output's number.
      tensor: One number.
      times_collected: How often it is in the collection.
      addends: Where it is in the loss. More than one where it was calculated several times.
      holds_entries: Whether it is a sum of others, so that its parts are theirs.
      is_others: Whether it is no part of the loss and need be none: it is another loss's.
    """

    name: str
    tensor: Tensor
    times_collected: int = 0
    addends: list[Addend] = field(default_factory=list)
    holds_entries: bool = False
    is_others: bool = False

    @property
    def uses(self) -> int:
        """By how many ways of additions it reaches the loss: 0 if it never does."""
        return sum(addend.uses for addend in self.addends)

    @property
    def coefficient(self) -> float | None:
        """The constant that it is multiplied with in the loss; None where it is not constant."""
        coefficients: list[Any] = [addend.coefficient for addend in self.addends]
        return None if None in coefficients else sum(coefficients)


class Collected:
    """What ``get_collection(REGULARIZATION_LOSSES)`` returned, by the expressions that it holds.

    Attributes:
      is_given: Whether it was given in its place, as what is meant to be in the loss.
      entries: Its entries that are scalars, each expression once.
      raw_variables: The names of variables in it: weights instead of their penalties.
      structure: Tells which expressions are equal.
    """

    def __init__(self, collection: Iterable[Any] = (), is_given: bool = False) -> None:
        self.is_given = is_given
        self.structure = Structure()
        self.raw_variables: list[str] = []
        self._by_key: dict[tuple[int, int], CollectedEntry] = {}
        for item in collection:
            # Keras wraps TensorFlow's variables.
            wrapped = getattr(item, "value", None)
            if isinstance(item, tf.Variable) or isinstance(wrapped, tf.Variable):
                self.raw_variables.append(str(item.name).removesuffix(":0"))
                continue
            if not hasattr(item, "op"):
                item = tf.convert_to_tensor(item)
            # Of a lazy entry, too, the tensor that it was made with: its value would be another.
            tensor = item.op.outputs[item.value_index]
            if single_element(tensor):
                entry = CollectedEntry(tensor.op.name, tensor)
                self._by_key.setdefault(self.structure.key(tensor), entry).times_collected += 1
        self.entries = list(self._by_key.values())
        self._types = {strip(entry.tensor).op.type for entry in self.entries}

    def find(self, tensor: Tensor) -> CollectedEntry | None:
        """Returns the entry that a tensor is, whichever operations calculate it."""
        # Most tensors are ruled out by their type, without a look at all that they come from.
        if strip(tensor).op.type not in self._types:
            return None
        return self._by_key.get(self.structure.key(tensor))
