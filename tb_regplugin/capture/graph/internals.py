"""What the walk knows of TensorFlow and Keras that they do not promise to keep.

None of it is needed for a recording's values. Each function says what is lost once it is gone;
``tests/graph_capture/test_internals.py`` calls each on the versions installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

# tf_keras adds the penalties of activations within a name scope of this name. Without it: they
# are named by their tensors, not by their layers.
ACTIVITY_SCOPE = "/ActivityRegularizer/"


def captures(graph: Any) -> Iterable[tuple[Any, Any]]:
    """Returns what a ``tf.function``'s graph takes from outside: (outer, inner) tensors.

    Without ``FuncGraph.captures``: variables in functions have no names.
    """
    return getattr(graph, "captures", ())


def whole_of_part(variable: Any) -> tuple[str, tuple[int, ...]] | None:
    """Returns name and shape of what ``get_variable`` made a part of; None of what is no part.

    Without ``_save_slice_info``: penalties of all parts are named as of several variables.
    """
    info = getattr(variable, "_save_slice_info", None)
    return None if info is None else (info.full_name, tuple(info.full_shape))


def handles(variable: Any) -> Iterable[Any]:
    """Returns a variable's resource handles: one a replica; none of a TF1 reference variable.

    Without ``handle`` or, for replicas, ``values``: variables in functions have no names.
    """
    # Keras 3 wraps TensorFlow's variable, and raises where that has several handles.
    inner = variable if isinstance(variable, tf.Variable) else getattr(variable, "value", None)
    for replica in getattr(inner, "values", None) or [inner]:
        if hasattr(replica, "handle"):
            yield replica.handle


def has_custom_gradient(op: Any) -> bool:
    """Whether a ``tf.custom_gradient`` stands here, so that value and gradient differ in form.

    Without ``_gradient_op_type``: its value is taken apart, although its gradient may not be.
    """
    return op.type == "IdentityN" and "_gradient_op_type" in op.node_def.attr


def differentiated(op: Any) -> Any:
    """Returns the operation whose gradient ``tf.gradients`` made an operation for; None if none.

    Without ``_original_op``, and in imported graphs: the hook records calls that run the loss
    itself while they change a trainable variable, and those named by ``train_op``.
    """
    return getattr(op, "_original_op", None)


def read_only_inputs(op: Any) -> Iterable[int]:
    """Returns which inputs a branch, a loop or a call of a function does not write.

    Without ``_read_only_resource_inputs``: what reads a variable there counts as writing it.
    """
    calls = any(kind in op.type for kind in ("Call", "Case", "If", "While"))
    return op.node_def.attr["_read_only_resource_inputs"].list.i if calls else ()


def in_regularizers_of(package: str, op: Any) -> bool:
    """Whether an operation was made in the ``regularizers`` module of ``keras`` or ``tf_keras``.

    It tells ``2 * s * l2_loss(w)``, tf_keras' L2(s), from what others mean by it, and Keras'
    orthogonal regulariser from an L1 norm. Without that path in the traceback: the strength of
    the former is shown twice as large, the latter is one of no kind; values stay right.
    """
    ending = "src/regularizers"
    return any(
        package in (path := frame.filename.replace("\\", "/")) and ending in path
        for frame in op.traceback or ()
    )
