"""The entries of ``REGULARIZATION_LOSSES``, and where each of them is in a loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.graph.additive_walk import Addend, Weight
from tb_regplugin.capture.graph.operations import single_element, strip
from tb_regplugin.capture.graph.structure import Structure


@dataclass(eq=False)
class CollectedEntry:
    """An entry of the collection.

    Attributes:
      name: Its tensor's name, without the output's number.
      tensor: It.
      times_collected: How often it is in the collection.
      uses: By how many ways of additions it reaches the loss: 0 if it never does.
      weight: What it is multiplied with there: constants, by hyperparameters' numbers.
      found: Where it is in the loss. More than one where it was calculated several times.
      holds_entries: Whether it is a sum of others, so that its parts are theirs.
    """

    name: str
    tensor: Any
    times_collected: int = 1
    uses: int = 0
    weight: Weight = field(default_factory=dict)
    found: list[Addend] = field(default_factory=list)
    holds_entries: bool = False

    @property
    def coefficient(self) -> float | None:
        """The constant that it is multiplied with in the loss; None where it is not constant."""
        return self.weight.get((), 0.0) if set(self.weight) <= {()} else None


class Collected:
    """The collection's entries, by the expressions that they are.

    Args:
      collection: What ``get_collection(REGULARIZATION_LOSSES)`` returned.
      structure: Tells which expressions are equal.

    Attributes:
      entries: Its entries that are scalars, each expression once.
      raw_variables: The names of variables in it: weights instead of their penalties.
      not_scalars: The names of the other tensors in it.
    """

    def __init__(self, collection: Iterable[Any], structure: Structure) -> None:
        self.entries: list[CollectedEntry] = []
        self.raw_variables: list[str] = []
        self.not_scalars: list[str] = []
        self._structure = structure
        self._by_key: dict[tuple[int, int], CollectedEntry] = {}
        for item in collection:
            self._add(item)
        self._types = {strip(entry.tensor).op.type for entry in self.entries}

    def _add(self, item: Any) -> None:
        if is_variable(item):
            self.raw_variables.append(str(item.name).removesuffix(":0"))
            return
        # A lazy entry's tensor; asking for its value would make new operations.
        tensor = getattr(item, "_master_tensor", item)
        if not tf.is_tensor(tensor):
            tensor = tf.convert_to_tensor(tensor)
        name = str(tensor.op.name)
        if not single_element(tensor):
            self.not_scalars.append(name)
            return
        key = self._structure.key(tensor)
        if key in self._by_key:
            self._by_key[key].times_collected += 1
        else:
            self._by_key[key] = CollectedEntry(name, tensor)
            self.entries.append(self._by_key[key])

    def find(self, tensor: Any) -> CollectedEntry | None:
        """Returns the entry that a tensor is, whichever operations calculate it."""
        # Most tensors are ruled out by their type, without a look at all that they come from.
        if strip(tensor).op.type not in self._types:
            return None
        return self._by_key.get(self._structure.key(tensor))


def is_variable(item: Any) -> bool:
    """Whether something is a variable of TensorFlow or Keras."""
    return isinstance(item, tf.Variable) or (
        hasattr(item, "assign") and isinstance(getattr(item, "value", None), tf.Variable)
    )
