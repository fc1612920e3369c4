"""Which collected penalties belong to other losses of the graph, such as an adversary's."""

from __future__ import annotations

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


def mark_entries_of_others(total: Tensor, terms: Iterable[Addend], collected: Collected) -> None:
    """Marks entries that are not in a loss and need not be there, as they are another loss's.

    What a loss moves tells: its penalties are those of the variables that its gradients update.
    As long as the graph has no gradients of it, an entry that is added to other data is another
    loss's.
    """
    unused = [entry for entry in collected.entries if not entry.uses]
    if not unused:
        return
    operations, within = total.graph.get_operations(), ancestors(total.op)
    # What was given is meant to be in this loss.
    gradients = None if collected.is_given else Gradients(total, terms)
    updated = set() if gradients is None else gradients.updated_variables() & within
    is_moved = Reaches((updated or set(filter(is_variable, within))).__contains__)
    for entry in unused:
        entry.is_others = not is_moved(entry.tensor.op)
    if gradients is None:
        return
    # Each use of a lazy entry makes its operations anew.
    made: defaultdict[CollectedEntry | None, list[Operation]] = defaultdict(list)
    for op in operations:
        if len(op.outputs) == 1:
            made[collected.find(op.outputs[0])].append(op)
    made.pop(None, None)
    entries = set().union(*made.values())
    if updated:
        theirs = entries.intersection(gradients.made)
    else:
        has_data = Reaches(is_data_source, lambda op: [] if op in entries else operands(op))
        has_total = Reaches(lambda op: op is total.op)
        sums = [op for op in operations if op.type in ADDITIONS and single_element(op.outputs[0])]
        others = [op for op in sums if has_data(op) and not has_total(op)]
        theirs = set(backwards(others, operands))
    for entry in unused:
        # Within the loss it can be, though no summand of it: a penalty on a penalty is.
        if within.isdisjoint(made[entry]) and not theirs.isdisjoint(made[entry]):
            entry.is_others = True
