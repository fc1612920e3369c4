"""How collected penalty terms and a loss contain each other, beyond sums."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.graph.additive_walk import Hyperparameters, walk
from tb_regplugin.capture.graph.collected import CollectedEntry
from tb_regplugin.capture.graph.operations import VARIABLES, strip
from tb_regplugin.capture.graph.sources import ancestors, reaches
from tb_regplugin.capture.graph.structure import Structure


class NestedEntries:
    """Tells which entries contain others, and which a loss contains. Linear in the graph's size.

    Args:
      total: The loss.
      entries: The collection's entries.
    """

    def __init__(self, total: Any, entries: Sequence[CollectedEntry]) -> None:
        self._total = total
        self._structure = Structure()
        self._keys = {self._structure.key(entry.tensor)[0] for entry in entries}
        self._memo: dict[Any, bool] = {}
        self._variables_memo: dict[Any, bool] = {}

    def is_of_penalties(self, entry: CollectedEntry) -> bool:
        """Whether an entry is a norm, or another function that is no sum, of other entries."""
        return self._contains_another(entry) and not self._adds_up_others(entry)

    def is_sum(self, entry: CollectedEntry) -> bool:
        """Whether an entry is a sum that other entries are part of."""
        return self._contains_another(entry) and self._adds_up_others(entry)

    def is_missing(self, entry: CollectedEntry) -> bool:
        """Whether a loss uses an entry's weights and nothing of the entry.

        What another network's loss is for is not missing from this one.
        """
        if self._number(entry.tensor) in self._in_total:
            return False
        return reaches(strip(entry.tensor).op, self._is_variable_of_total, self._variables_memo)

    def _contains_another(self, entry: CollectedEntry) -> bool:
        operands = [operand.op for operand in strip(entry.tensor).op.inputs]
        return any(reaches(op, self._is_entry, self._memo) for op in operands)

    def _adds_up_others(self, entry: CollectedEntry) -> bool:
        tensor = strip(entry.tensor)

        def is_another(part: Any) -> bool:
            return part.op is not tensor.op and self._number(part) in self._keys

        _, terms = walk(tensor, is_another, Hyperparameters(lambda _: False))
        return any(is_another(term.tensor) for term in terms)

    def _number(self, tensor: Any) -> int:
        return self._structure.key(tensor)[0]

    def _is_entry(self, op: Any) -> bool:
        return self._structure.visited.get(op) in self._keys

    def _is_variable_of_total(self, op: Any) -> bool:
        if op.type == "Placeholder":
            return op.outputs[0].dtype == tf.resource and op in self._ancestors
        return op.type in VARIABLES and op in self._ancestors

    @functools.cached_property
    def _ancestors(self) -> set[Any]:
        return ancestors(self._total.op)

    @functools.cached_property
    def _in_total(self) -> set[int]:
        self._structure.key(self._total)
        known = self._structure.visited
        return {known[op] for op in self._ancestors if op in known}
