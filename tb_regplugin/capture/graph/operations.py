"""What kinds of operations there are, as far as taking a loss apart is concerned."""

from __future__ import annotations

from collections.abc import Callable
from operator import add, mul, neg, sub, truediv
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from tb_regplugin.capture.graph.internals import has_custom_gradient, read_only_inputs
from tb_regplugin.terms import as_written

# TensorFlow has no types of its own: what is meant of a graph, for those who read.
Operation: TypeAlias = Any
Tensor: TypeAlias = Any

# Their result is their first input, as far as its value goes.
_TRANSPARENT = frozenset({
    "Cast", "CheckNumerics", "EnsureShape", "Identity", "PreventGradient", "Snapshot",
    "StopGradient",
})  # fmt: skip
_RESHAPING = frozenset({"ExpandDims", "Reshape", "Squeeze", "Transpose"})
ADDITIONS = frozenset({"Add", "AddN", "AddV2"})
REFERENCES = frozenset({"AutoReloadVariable", "Variable", "VariableV2"})
VARIABLES = REFERENCES | {"VarHandleOp"}
# Loops of TF1 are cycles; nothing here looks into them.
LOOPS = frozenset({"Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Switch"})
_OPAQUE = frozenset({
    "Case", "EagerPyFunc", "Exit", "If", "Merge", "PartitionedCall", "PyFunc", "PyFuncStateless",
    "RefExit", "RefMerge", "RemoteCall", "StatefulPartitionedCall", "StatelessCase", "StatelessIf",
    "StatelessWhile", "SymbolicGradient", "While",
})  # fmt: skip
# They take a variable and only read it.
_READS = frozenset({
    "Identity", "IsVariableInitialized", "ReadVariableOp", "ResourceGather", "ResourceGatherNd",
    "VarIsInitializedOp", "VariableShape",
})  # fmt: skip
# Stateful, and yet nothing that a training would notice.
_UNNOTICED = VARIABLES | _READS | {"Assert", "Print", "PrintV2"}
# Stateful, and yet no source of data.
_HARMLESS = _UNNOTICED | _OPAQUE

_FOLDED: dict[str, Callable[..., float]] = {
    "Add": add, "AddV2": add, "Div": truediv, "Mul": mul, "Neg": neg, "RealDiv": truediv, "Sub": sub
}  # fmt: skip
_MAX_FOLDING_DEPTH = 8

_stateful_types: dict[str, bool] = {}


def single_element(tensor: Tensor) -> bool:
    """Whether a tensor is known to hold exactly one number."""
    return bool(tensor.shape.is_fully_defined() and tensor.shape.num_elements() == 1)


def strip(tensor: Tensor) -> Tensor:
    """Returns the tensor whose value another one merely passes on."""
    while True:
        op = tensor.op
        reshapes_one = op.type in _RESHAPING and single_element(op.inputs[0])
        if op.type in _TRANSPARENT or reshapes_one:
            tensor = op.inputs[0]
        elif op.type == "IdentityN" and not has_custom_gradient(op):
            tensor = op.inputs[tensor.value_index]
        else:
            return tensor


def strip_shape(tensor: Tensor) -> Tensor:
    """Returns the tensor whose numbers another one holds, in whatever shape and order."""
    tensor = strip(tensor)
    while tensor.op.type in _RESHAPING:
        tensor = strip(tensor.op.inputs[0])
    return tensor


def origin(tensor: Tensor) -> Tensor:
    """Returns what a value is passed on from: of all reads of a variable, the variable."""
    tensor = strip(tensor)
    return tensor.op.inputs[0] if tensor.op.type == "ReadVariableOp" else tensor


def is_opaque(op: Operation) -> bool:
    """Whether what an operation computes lies in a function, a branch or a loop."""
    return op.type in _OPAQUE or has_custom_gradient(op)


def is_variable(op: Operation) -> bool:
    """Whether an operation is a variable, or what stands for one in a ``tf.function``'s graph."""
    return op.type in VARIABLES or (op.type == "Placeholder" and op.outputs[0].dtype == tf.resource)


def is_data_source(op: Operation) -> bool:
    """Whether an operation brings in something other than variables and constants."""
    if op.type.startswith("Placeholder"):
        return bool(op.outputs[0].dtype != tf.resource)
    if op.type in _HARMLESS or op.type == "Const":
        return False
    return _is_stateful(op) or not len(op.inputs)


def has_effect(op: Operation) -> bool:
    """Whether to run an operation once more could fail or change a training.

    It takes a batch, draws a number, needs to be fed, writes a variable, or calls who knows what.
    """
    if op.type == "Placeholder":
        return True
    return op.type not in _UNNOTICED and (_is_stateful(op) or bool(written_variables(op)))


def written_variables(op: Operation) -> list[Operation]:
    """Returns the variables that an operation may write through its inputs."""
    if op.type in VARIABLES or op.type in _READS:
        return []
    only_read = read_only_inputs(op)
    return [
        operand.op
        for number, operand in enumerate(op.inputs)
        # TF1's reference variables are written through references.
        if operand.op.type in VARIABLES
        and (operand.dtype == tf.resource or operand.dtype != operand.dtype.base_dtype)
        and number not in only_read
    ]


def _is_stateful(op: Operation) -> bool:
    if op.type not in _stateful_types:
        _stateful_types[op.type] = bool(op.op_def.is_stateful)
    return _stateful_types[op.type]


def constant(tensor: Tensor, depth: int = 0) -> float | None:
    """Returns the one number that a tensor always holds, to the digits of float32; else None."""
    tensor = strip(tensor)
    op = tensor.op
    try:
        # Or the sum of one, such as that of an empty collection.
        held = strip(op.inputs[0]) if op.type == "Sum" else tensor
        if held.op.type == "Const":
            is_number = tensor.dtype.is_floating or tensor.dtype.is_integer
            if not (single_element(tensor) and is_number):
                return None
            value = np.asarray(tf.get_static_value(held))
            return as_written(value.item() if value.size == 1 else float(np.sum(value)))
        if depth == _MAX_FOLDING_DEPTH or op.type not in _FOLDED:
            return None
        values = [constant(operand, depth + 1) for operand in op.inputs]
        return None if None in values else as_written(_FOLDED[op.type](*values))
    except (ArithmeticError, ValueError):
        # A division by zero; infinity.
        return None


def scaled(tensor: Tensor) -> tuple[Tensor, float] | None:
    """Returns what a tensor is a constant times, and the constant; None where it is no such."""
    op = tensor.op
    if op.type == "Neg":
        return strip(op.inputs[0]), -1.0
    if op.type in ("RealDiv", "Div"):
        divisor = constant(op.inputs[1])
        return (strip(op.inputs[0]), 1.0 / divisor) if divisor else None
    if op.type == "Mul":
        left, right = op.inputs
        for factor, part in ((left, right), (right, left)):
            if (value := constant(factor)) is not None:
                return strip(part), value
    return None
