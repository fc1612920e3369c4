"""Where the gradients of a loss go: which of its parts they come from and what they update."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tb_regplugin.capture.graph.internals import differentiated
from tb_regplugin.capture.graph.operations import ADDITIONS, Operation, Tensor, written_variables
from tb_regplugin.capture.graph.sources import (
    Reaches,
    ancestors,
    backwards,
    differentiable_operands,
    operands,
)
from tb_regplugin.capture.graph.walk import Addend


class Gradients:
    """Tells the gradients of one loss from those of others that share operations with it.

    ``tf.gradients`` says of each operation that it makes which one that differentiates. A gradient
    of a part is the loss's if on its way it passed nothing that isn't part of the loss, or
    calculated from it, such as a scaled loss.

    Attributes:
      made: The gradient operations of each operation that is differentiated anywhere in the graph.
      of_parts: Those of them that are of a part of the loss, by what was differentiated; empty
        where the loss is differentiated nowhere, or nobody knows.
    """

    def __init__(self, total: Tensor, terms: Iterable[Addend]) -> None:
        self._within = ancestors(total.op)
        self._depends_on_total = Reaches(lambda op: op is total.op)
        self._operations = total.graph.get_operations()
        self.made: defaultdict[Operation, set[Operation]] = defaultdict(set)
        for op in self._operations:
            # Gradients within a loss, such as those that are penalised, are part of the loss.
            if op not in self._within:
                self.made[differentiated(op)].add(op)
        self.made.pop(None, None)
        self.of_parts: dict[Operation, set[Operation]] = {}
        for term in terms if self.made else ():
            # Additions pass their gradients on and need no operations for that.
            for part in backwards(
                [term.tensor.op], lambda op: () if op in self.made else differentiable_operands(op)
            ):
                made = {g for g in self.made.get(part, ()) if self._is_of_loss(g, part, term)}
                if made:
                    self.of_parts.setdefault(part, set()).update(made)

    def _is_of_loss(self, gradient: Operation, part: Operation, term: Addend) -> bool:
        on_its_way = backwards([gradient], lambda op: set(operands(op)) - self._within)
        passed = set(map(differentiated, on_its_way)) - {part}
        # Another loss can have the same part with the other sign, as an adversary has.
        is_subtracted = term.coefficient is not None and term.coefficient < 0
        is_ours = not is_subtracted or not passed.isdisjoint(self._within)
        # Shapes and the like, to which no gradient comes, pass nothing.
        return bool(passed) and is_ours and not any(map(self._is_foreign, passed - {None}))

    def _is_foreign(self, original: Operation) -> bool:
        # The same loss can be added up several times, by get_total_loss() for one.
        return not (
            original.type in ADDITIONS
            or original in self._within
            or self._depends_on_total(original)
        )

    def are_applied(self, operations: Iterable[Operation]) -> bool:
        """Whether among operations that run are updates by the gradients of the whole loss."""
        gradients = set().union(*self.made.values())
        updates = _updates(operations, gradients)
        used = gradients.intersection(backwards(updates, operands))
        covered = {part for part, made in self.of_parts.items() if not made.isdisjoint(used)}
        if not covered or covered == self.of_parts.keys():
            return bool(covered)
        # Optimisers can share a loss, so that each updates by the parts that its variables are in.
        written = set().union(*updates.values())
        moves = Reaches(lambda op: op in written, differentiable_operands)
        return all(part in covered or not moves(part) for part in self.of_parts) and not any(
            self._is_foreign(differentiated(op)) for op in used
        )

    def updated_variables(self) -> set[Operation]:
        """Returns the variables that the loss's gradients update anywhere in the graph."""
        ours = set().union(*self.of_parts.values())
        return set().union(*_updates(self._operations, ours).values())


def _updates(
    operations: Iterable[Operation], gradients: set[Operation]
) -> dict[Operation, list[Operation]]:
    """Returns the operations that write variables by some gradients, and what they write."""
    from_gradients = Reaches(gradients.__contains__)
    return {
        op: written
        for op in operations
        if (written := written_variables(op)) and any(map(from_gradients, operands(op)))
    }
