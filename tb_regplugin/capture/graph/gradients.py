"""Where the gradients of a loss go: which of its parts they come from and what they update."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tb_regplugin.capture.graph.internals import differentiated
from tb_regplugin.capture.graph.operations import ADDITIONS, Operation, Tensor, written_variables
from tb_regplugin.capture.graph.sources import Reaches, ancestors, backwards, operands
from tb_regplugin.capture.graph.walk import Addend


class Gradients:
    """Tells the gradients of one loss from those of others that share operations with it.

    ``tf.gradients`` says of each operation that it makes which one that differentiates. A
    gradient of a part is the loss's if on its way it passed nothing that isn't part of the loss,
    or calculated from it, such as a scaled loss.

    Args:
      total: The loss.
      terms: What adds up to it.

    Attributes:
      of_parts: The gradient operations of each part of the loss, by what was differentiated;
        empty where the loss is differentiated nowhere, or nobody knows.
    """

    def __init__(self, total: Tensor, terms: Iterable[Addend]) -> None:
        self._within = ancestors(total.op)
        self._depends_on_total = Reaches(lambda op: op is total.op)
        self._operations = total.graph.get_operations()
        # Gradients within a loss, such as those that are penalised, are part of the loss.
        self._made: defaultdict[Operation, list[Operation]] = defaultdict(list)
        for op in self._operations:
            original = differentiated(op)
            if original is not None and op not in self._within:
                self._made[original].append(op)
        self._from_gradients = Reaches(self._is_gradient)
        self.of_parts: dict[Operation, set[Operation]] = {}
        for term in terms if self._made else ():
            for part in backwards([term.tensor.op], self._until_differentiated):
                made = {g for g in self._made.get(part, ()) if self._is_of_loss(g, part, term)}
                if made:
                    self.of_parts.setdefault(part, set()).update(made)

    def _is_gradient(self, op: Operation) -> bool:
        return op not in self._within and differentiated(op) is not None

    def _until_differentiated(self, op: Operation) -> list[Operation]:
        # Additions pass their gradients on and need no operations for that.
        return [] if op in self._made else _differentiable_operands(op)

    def _is_of_loss(self, gradient: Operation, part: Operation, term: Addend) -> bool:
        passed = set(map(differentiated, backwards([gradient], self._operands_without)))
        passed.discard(part)
        if not passed:
            # It is a shape or the like, to which no gradient comes.
            return False
        passed.discard(None)
        # Another loss can have the same part with the other sign, as an adversary has.
        is_subtracted = term.coefficient is not None and term.coefficient < 0
        return not any(map(self._is_foreign, passed)) and (
            not is_subtracted or not passed.isdisjoint(self._within)
        )

    def _operands_without(self, op: Operation) -> list[Operation]:
        return [operand for operand in operands(op) if operand not in self._within]

    def _is_foreign(self, original: Operation) -> bool:
        # The same loss can be added up several times, by get_total_loss() for one.
        return not (
            original.type in ADDITIONS
            or original in self._within
            or self._depends_on_total(original)
        )

    def are_applied(self, operations: Iterable[Operation]) -> bool:
        """Whether among operations that run are updates by the gradients of the whole loss."""
        updates = [
            op
            for op in operations
            if written_variables(op) and any(map(self._from_gradients, operands(op)))
        ]
        used = {op for op in backwards(updates, operands) if self._is_gradient(op)}
        covered = {part for part, made in self.of_parts.items() if not made.isdisjoint(used)}
        if not covered or covered == self.of_parts.keys():
            return bool(covered)
        # Optimisers can share a loss, so that each updates by the parts that its variables are in.
        written = {variable for op in updates for variable in written_variables(op)}
        moves = Reaches(lambda op: op in written, _differentiable_operands)
        return all(part in covered or not moves(part) for part in self.of_parts) and not any(
            self._is_foreign(differentiated(op)) for op in used
        )

    def updated_variables(self) -> set[Operation]:
        """Returns the variables that the loss's gradients update anywhere in the graph."""
        ours = set().union(*self.of_parts.values())
        from_ours = Reaches(lambda op: op in ours)
        return {
            variable
            for op in (self._operations if ours else ())
            for variable in written_variables(op)
            if any(map(from_ours, operands(op)))
        }

    def differentiates(self, op: Operation) -> bool:
        """Whether an operation is differentiated anywhere in the graph."""
        return op in self._made


def _differentiable_operands(op: Operation) -> list[Operation]:
    return [] if op.type == "StopGradient" else operands(op)
