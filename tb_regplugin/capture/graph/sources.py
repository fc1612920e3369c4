"""Where a tensor's value comes from: variables, data, or neither."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from math import prod
from typing import Any, NamedTuple, TypeVar

import tensorflow as tf

from tb_regplugin.capture.graph import internals
from tb_regplugin.capture.graph.operations import (
    VARIABLES,
    Operation,
    Tensor,
    is_data_source,
    is_variable,
    origin,
    single_element,
    strip_shape,
)

_Node = TypeVar("_Node")

# A hyperparameter is a short expression.
_MAX_HYPERPARAMETER_OPERATIONS = 64


class VariableFacts(NamedTuple):
    """What a term says of its variable: path, shape and number of parameters."""

    name: str
    shape: tuple[int, ...] | None
    size: int | None


class Sources:
    """Answers where values of one graph come from. Linear in the graph's size.

    Variables are given where a ``tf.function``'s graph captures them; graphs of TF1 need none.

    Attributes:
      reaches_data: Tells whether data, or chance, goes into what an operation computes.
      hyperparameters: The tensors found so far that multiply terms without being constants, such
        as a schedule of λ; a weight names them by their numbers.
    """

    def __init__(self, graph: Any, variables: Iterable[Any]) -> None:
        self.reaches_data = Reaches(is_data_source)
        self.hyperparameters: list[Tensor] = []
        self._hyperparameter_numbers: dict[Operation, int | None] = {}
        self._captures: dict[Any, dict[int, Any]] = {}
        collected = graph.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)
        # As Python has them: by their operations or, where functions capture them, by handles.
        self._variables = {getattr(variable, "op", None): variable for variable in collected} | {
            id(handle): variable for variable in variables for handle in internals.handles(variable)
        }

    def hyperparameter_number(self, tensor: Tensor) -> int | None:
        """Returns a hyperparameter's number; None if it is none."""
        op, numbers = origin(tensor).op, self._hyperparameter_numbers
        if op not in numbers:
            numbers[op] = None
            if self._is_hyperparameter(tensor):
                numbers[op] = len(self.hyperparameters)
                self.hyperparameters.append(tensor)
        return numbers[op]

    def _is_hyperparameter(self, tensor: Tensor) -> bool:
        """Whether a tensor is calculated from single numbers alone."""

        def but_defaults(op: Operation) -> list[Operation]:
            return [] if op.type.startswith("Placeholder") else operands(op)

        for number, op in enumerate(backwards([tensor.op], but_defaults)):
            if number == _MAX_HYPERPARAMETER_OPERATIONS:
                return False
            if is_variable(op):
                facts = self._facts(op)
                # A schedule's variable may be nobody's: what is read of it says its size.
                if facts.size != 1 if facts is not None else not _is_read_as_one_number(op):
                    return False
            elif op.type.startswith("Placeholder"):
                if op.outputs[0].shape.rank != 0:
                    return False
            elif is_data_source(op):
                return False
        return True

    def variable(self, tensor: Tensor) -> VariableFacts | None:
        """Returns the variable whose numbers a tensor holds, if it is one, perhaps in parts."""
        whole = origin(strip_shape(tensor))
        parts = list(whole.op.inputs)[:-1] if whole.op.type == "ConcatV2" else [whole]
        ops = {op for part in parts if self._facts(op := origin(strip_shape(part)).op)}
        found = self._joined(ops)
        return found[0] if len(found) == 1 and len(ops) == len(parts) else None

    def variables(self, tensor: Tensor) -> list[VariableFacts]:
        """Returns the variables that a tensor's value depends on, by name.

        Among several it is those in training: others are schedules, or weights to stay near to.
        """
        found = self._joined(ancestors(tensor.op))
        moved = backwards([tensor.op], differentiable_operands)
        return self._joined(filter(self.is_trained, moved)) or found

    def _joined(self, ops: Iterable[Operation]) -> list[VariableFacts]:
        """Describes the variables among operations; one that is there in all its parts, as one."""
        by_whole: defaultdict[Any, list[VariableFacts]] = defaultdict(list)
        for op in ops:
            if (facts := self._facts(op)) is not None:
                by_whole[internals.whole_of_part(self._object(op))].append(facts)
        joined = by_whole.pop(None, [])
        for (name, shape), parts in by_whole.items():
            is_whole = sum(part.size or 0 for part in parts) == prod(shape)
            joined += [VariableFacts(name, shape, prod(shape))] if is_whole else parts
        return sorted(joined, key=lambda facts: facts.name)

    def is_trained(self, op: Operation) -> bool:
        """Whether an operation is a variable that is meant to be trained."""
        return bool(getattr(self._object(op), "trainable", False))

    def _object(self, op: Operation) -> Any:
        if not is_variable(op):
            return None
        key = op if op.type in VARIABLES else id(self._outermost(op.outputs[0]))
        return self._variables.get(key)

    def _facts(self, op: Operation) -> VariableFacts | None:
        if op.type in VARIABLES:
            name, shape = op.name, tf.TensorShape(op.get_attr("shape"))
        elif (variable := self._object(op)) is not None:
            name = getattr(variable, "path", None) or variable.name.removesuffix(":0")
            shape = tf.TensorShape(variable.shape)
        else:
            return None
        size = shape.num_elements()
        return VariableFacts(name, None if size is None else tuple(shape.as_list()), size)

    def _outermost(self, tensor: Any) -> Any:
        """Follows a capture out of nested function graphs."""
        while (graph := getattr(tensor, "graph", None)) is not None:
            if graph not in self._captures:
                self._captures[graph] = {
                    id(inner): outer for outer, inner in internals.captures(graph)
                }
            if id(tensor) not in self._captures[graph]:
                break
            tensor = self._captures[graph][id(tensor)]
        return tensor


def _is_read_as_one_number(variable: Operation) -> bool:
    reads = [op for op in variable.outputs[0].consumers() if op.type == "ReadVariableOp"]
    return bool(reads) and all(single_element(read.outputs[0]) for read in reads)


def operands(op: Operation) -> list[Operation]:
    """Returns the operations whose results go into an operation."""
    return [operand.op for operand in op.inputs]


def differentiable_operands(op: Operation) -> list[Operation]:
    """Returns the operations to whose results gradients go."""
    return [] if op.type == "StopGradient" else operands(op)


def backwards(
    start: Iterable[Operation], leading_to: Callable[[Operation], Iterable[Operation]]
) -> Iterator[Operation]:
    """Yields operations and all that lead to them, each once."""
    waiting = list(start)
    seen = set(waiting)
    while waiting:
        op = waiting.pop()
        yield op
        fresh = set(leading_to(op)) - seen
        seen |= fresh
        waiting.extend(fresh)


def ancestors(op: Operation) -> set[Operation]:
    """Returns an operation and all whose results go into its."""
    return set(backwards([op], operands))


def operands_first(
    node: _Node, operands_of: Callable[[_Node], Iterable[_Node]], done: Container[_Node]
) -> Iterator[_Node]:
    """Yields an operation, or one output of it, and what is before it: each after its operands.

    It asks once for the operands of each; the caller puts into ``done`` what it was given.
    """
    # By hand, since graphs are deeper than Python's stack.
    waiting = [node]
    entered: set[_Node] = set()
    while waiting:
        current = waiting[-1]
        if current in done:
            waiting.pop()
            continue
        if current not in entered:
            entered.add(current)
            # In a TF1 loop, an operation is among its own ancestors.
            missing = [o for o in operands_of(current) if o not in done and o not in entered]
            if missing:
                waiting.extend(missing)
                continue
        waiting.pop()
        yield current


class Reaches:
    """Tells whether an operation that is wanted is among an operation and its ancestors.

    Looks at each operation of a graph once, however often it is asked.
    """

    def __init__(
        self,
        wanted: Callable[[Operation], bool],
        leading_to: Callable[[Operation], list[Operation]] = operands,
    ) -> None:
        self._wanted = wanted
        self._leading_to = leading_to
        self.visited: dict[Operation, bool] = {}

    def __call__(self, op: Operation) -> bool:
        """Answers for an operation."""
        visited, leading_to = self.visited, self._leading_to
        for each in operands_first(op, leading_to, visited):
            visited[each] = self._wanted(each) or any(visited.get(o) for o in leading_to(each))
        return visited[op]


def may_hold_data(value: Any) -> bool:
    """Whether data, or chance, goes into a value; True where it is of no graph."""
    return not tf.is_symbolic_tensor(value) or Reaches(is_data_source)(value.op)
