"""What kinds of operations there are, as far as taking a loss apart is concerned."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

# Their result is their first input, as far as its value goes. A read is its variable's handle.
_TRANSPARENT = frozenset(
    {
        "Cast",
        "CheckNumerics",
        "EnsureShape",
        "Identity",
        "PreventGradient",
        "ReadVariableOp",
        "Snapshot",
        "StopGradient",
    }
)
_RESHAPING = frozenset({"ExpandDims", "Reshape", "Squeeze", "Transpose"})
VARIABLES = frozenset({"AutoReloadVariable", "VarHandleOp", "Variable", "VariableV2"})
# Loops of TF1 are cycles; nothing here looks into them.
LOOPS = frozenset({"Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Switch"})
_OPAQUE = frozenset(
    {
        "Case",
        "EagerPyFunc",
        "Exit",
        "If",
        "Merge",
        "PartitionedCall",
        "PyFunc",
        "PyFuncStateless",
        "RefExit",
        "RefMerge",
        "RemoteCall",
        "StatefulPartitionedCall",
        "StatelessCase",
        "StatelessIf",
        "StatelessWhile",
        "SymbolicGradient",
        "While",
    }
)
# Stateful, and yet no source of data.
_HARMLESS = VARIABLES | _OPAQUE | {"Assert", "Print", "PrintV2", "ReadVariableOp", "ResourceGather"}

_MAX_FOLDING_DEPTH = 8

_is_stateful: dict[str, bool] = {}


def single_element(tensor: Any) -> bool:
    """Whether a tensor is known to hold exactly one number."""
    return bool(tensor.shape.is_fully_defined() and tensor.shape.num_elements() == 1)


def strip(tensor: Any) -> Any:
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


def strip_shape(tensor: Any) -> Any:
    """Returns the tensor whose numbers another one holds, in whatever shape and order."""
    tensor = strip(tensor)
    while tensor.op.type in _RESHAPING:
        tensor = strip(tensor.op.inputs[0])
    return tensor


def has_custom_gradient(op: Any) -> bool:
    """Whether a ``tf.custom_gradient`` stands here, so that value and gradient differ in form."""
    return op.type == "IdentityN" and "_gradient_op_type" in op.node_def.attr


def is_opaque(op: Any) -> bool:
    """Whether what an operation computes lies in a function, a branch or a loop."""
    return op.type in _OPAQUE or has_custom_gradient(op)


def is_data_source(op: Any) -> bool:
    """Whether an operation brings in something other than variables and constants."""
    if op.type.startswith("Placeholder"):
        return bool(op.outputs[0].dtype != tf.resource)
    if op.type in _HARMLESS or op.type == "Const":
        return False
    if op.type not in _is_stateful:
        _is_stateful[op.type] = bool(op.op_def.is_stateful)
    return _is_stateful[op.type] or not len(op.inputs)


def constant(tensor: Any, depth: int = 0) -> float | None:
    """Returns the one number that a tensor always holds, to the digits of float32; else None."""
    tensor = strip(tensor)
    op = tensor.op
    if op.type == "Const":
        if not single_element(tensor) or not (tensor.dtype.is_floating or tensor.dtype.is_integer):
            return None
        return rounded(float(np.asarray(tf.get_static_value(tensor)).reshape(-1)[0]))
    if op.type == "Sum" and (terms := strip(op.inputs[0])).op.type == "Const":
        # Such as the sum of an empty collection.
        return (
            rounded(float(np.sum(tf.get_static_value(terms)))) if single_element(tensor) else None
        )
    if depth == _MAX_FOLDING_DEPTH or op.type not in _FOLDED:
        return None
    values = [constant(operand, depth + 1) for operand in op.inputs]
    try:
        return None if None in values else rounded(_FOLDED[op.type](*values))
    except (ArithmeticError, ValueError, TypeError):
        return None


_FOLDED: dict[str, Any] = {
    "Add": lambda x, y: x + y,
    "AddV2": lambda x, y: x + y,
    "Div": lambda x, y: x / y,
    "Mul": lambda x, y: x * y,
    "Neg": lambda x: -x,
    "RealDiv": lambda x, y: x / y,
    "Sub": lambda x, y: x - y,
}


def rounded(number: float) -> float:
    """Returns the number people wrote, from what float32 made of it.

    Example:
      >>> rounded(0.009999999776482582)
      0.01
    """
    return float(f"{number:.7g}")
