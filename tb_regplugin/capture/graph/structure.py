"""When two tensors are the same expression, although other operations compute them.

``get_collection(REGULARIZATION_LOSSES)`` hands out lazy tensors that make new operations at each
use, so what was collected and what is in the loss share neither operations nor names.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from tb_regplugin.capture.graph.operations import LOOPS, has_custom_gradient, is_data_source, strip


class Structure:
    """Numbers expressions such that equal ones get equal numbers. Linear in the graph's size.

    Attributes:
      visited: The operations looked at.
    """

    def __init__(self) -> None:
        self.visited: dict[Any, int] = {}
        self._numbers: dict[Hashable, int] = {}

    def key(self, tensor: Any) -> tuple[int, int]:
        """Returns what identifies a tensor's expression."""
        tensor = strip(tensor)
        # By hand, since graphs are deeper than Python's stack.
        waiting = [tensor.op]
        while waiting:
            op = waiting[-1]
            if op in self.visited:
                waiting.pop()
                continue
            operands = [] if _stands_for_itself(op) else [strip(t) for t in op.inputs]
            missing = [operand.op for operand in operands if operand.op not in self.visited]
            if missing:
                waiting.extend(missing)
            else:
                waiting.pop()
                self.visited[op] = self._number(op, operands)
        return self.visited[tensor.op], tensor.value_index

    def _number(self, op: Any, operands: list[Any]) -> int:
        expression: Hashable
        if _stands_for_itself(op):
            expression = (op.type, op.name)
        else:
            attributes = tuple(
                (name, value.SerializeToString(deterministic=True))
                for name, value in sorted(op.node_def.attr.items())
                if not name.startswith("_")
            )
            inputs = tuple((self.visited[operand.op], operand.value_index) for operand in operands)
            expression = (op.type, attributes, inputs)
        return self._numbers.setdefault(expression, len(self._numbers))


def _stands_for_itself(op: Any) -> bool:
    if op.type == "Const":
        return False
    return op.type in LOOPS or has_custom_gradient(op) or not len(op.inputs) or is_data_source(op)
