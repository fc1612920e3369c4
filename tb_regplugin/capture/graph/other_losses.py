"""Which collected penalties belong to other losses of the graph, such as an adversary's."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable

from tb_regplugin.capture.graph.gradients import Gradients
from tb_regplugin.capture.graph.operations import (
    ADDITIONS,
    Operation,
    Tensor,
    is_data_source,
    is_variable,
    single_element,
)
from tb_regplugin.capture.graph.sources import Reaches, ancestors, backwards, operands
from tb_regplugin.capture.graph.structure import Collected, CollectedEntry
from tb_regplugin.capture.graph.walk import Addend


class OtherLosses:
    """Tells whether an entry that is not in a loss is missing there or another loss's.

    What a loss moves tells: its penalties are those of the variables that its gradients update.
    As long as the graph has no gradients of it, an entry that is added to other data is another
    loss's.
    """

    def __init__(self, total: Tensor, terms: Iterable[Addend], collected: Collected) -> None:
        self._total = total
        self._terms = terms
        self._collected = collected
        self._within = ancestors(total.op)

    def have(self, entry: CollectedEntry) -> bool:
        """Whether an entry that is not in the loss is not missing there."""
        if not self._moves(entry.tensor.op):
            return True
        made = self._made[entry]
        # Within the loss it can be, though no summand of it: a penalty on a penalty is.
        return self._within.isdisjoint(made) and not self._theirs.isdisjoint(made)

    @functools.cached_property
    def _gradients(self) -> Gradients:
        return Gradients(self._total, self._terms)

    @functools.cached_property
    def _updated(self) -> set[Operation]:
        """The loss's variables that its gradients update; empty as long as there are none."""
        if self._collected.is_given:
            return set()
        return self._gradients.updated_variables() & self._within

    @functools.cached_property
    def _moves(self) -> Reaches:
        variables = self._updated or set(filter(is_variable, self._within))
        return Reaches(lambda op: op in variables)

    @functools.cached_property
    def _made(self) -> defaultdict[CollectedEntry | None, list[Operation]]:
        """The operations of entries: each use of a lazy entry makes them anew."""
        made: defaultdict[CollectedEntry | None, list[Operation]] = defaultdict(list)
        # What was given is meant to be in this loss.
        if self._collected.is_given:
            return made
        for op in self._total.graph.get_operations():
            if len(op.outputs) == 1:
                made[self._collected.find(op.outputs[0])].append(op)
        return made

    @functools.cached_property
    def _theirs(self) -> set[Operation]:
        entries = {op for entry in self._collected.entries for op in self._made[entry]}
        if self._updated:
            return set(filter(self._gradients.differentiates, entries))

        def but_entries(op: Operation) -> list[Operation]:
            return [] if op in entries else operands(op)

        has_data = Reaches(is_data_source, but_entries)
        has_total = Reaches(lambda op: op is self._total.op)
        sums = [
            op
            for op in self._total.graph.get_operations()
            if op.type in ADDITIONS and single_element(op.outputs[0])
        ]
        others = [op for op in sums if has_data(op) and not has_total(op)]
        return set(backwards(others, operands))
