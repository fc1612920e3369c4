"""Which tensors are norms: what a penalty's form and strength are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tb_regplugin.capture.graph.operations import constant, single_element, strip, strip_shape

_REDUCTIONS = ("Sum", "Mean")


@dataclass(frozen=True)
class Norm:
    """The L1 norm or the squared L2 norm of a tensor, times a factor.

    Attributes:
      kind: Which.
      argument: Of what.
      factor: Times what: 1/2 in TensorFlow's ``l2_loss``, 1/size in a mean.
      strength_factor: What a number in front of it is to be multiplied with to get the number
        that the user wrote. ``tf_keras`` writes ``L2(s)`` as ``2 * s * l2_loss(w)``.
    """

    kind: Literal["l1", "l2", "orthogonal"]
    argument: Any
    factor: float | None
    strength_factor: float | None


def match_norm(tensor: Any) -> Norm | None:
    """Recognises a norm by the operations that calculate it; None where it is none."""
    op = strip(tensor).op
    if op.type == "L2Loss":
        strength_factor = 0.5 if _written_in(op, "tf_keras") else 1.0
        return Norm("l2", op.inputs[0], 0.5, strength_factor)
    if not single_element(op.outputs[0]):
        return None
    factor = 1.0
    inner = strip(op.outputs[0])
    if op.type in _REDUCTIONS:
        inner = strip(op.inputs[0])
        inner, factor = _without_scale(inner)
    elementwise = _match_elementwise(inner)
    if elementwise is None:
        return None
    kind, argument = elementwise
    strength_factor = factor
    if op.type == "Mean":
        size = op.inputs[0].shape.num_elements()
        if not size:
            return Norm(kind, argument, None, factor)
        factor /= size
    if kind == "l1" and (pairs := _orthogonal_pairs(op, argument)) is not None:
        return Norm("orthogonal", argument, None, 2.0 * pairs)
    return Norm(kind, argument, factor, strength_factor)


def _match_elementwise(tensor: Any) -> tuple[Literal["l1", "l2"], Any] | None:
    op = tensor.op
    if op.type == "Abs":
        return "l1", op.inputs[0]
    is_square = op.type == "Square" or (
        op.type == "Mul" and strip(op.inputs[0]) is strip(op.inputs[1])
    )
    if is_square or (op.type == "Pow" and constant(op.inputs[1]) == 2.0):
        base = strip(op.inputs[0])
        return "l2", base.op.inputs[0] if base.op.type == "Abs" else base
    return None


def _without_scale(tensor: Any) -> tuple[Any, float]:
    """Takes constant factors off an elementwise product."""
    factor = 1.0
    while tensor.op.type in ("Mul", "RealDiv", "Neg"):
        operands = tensor.op.inputs
        if tensor.op.type == "Neg":
            tensor, factor = strip(operands[0]), -factor
            continue
        scale = constant(operands[1])
        if scale is not None and (scale or tensor.op.type == "Mul"):
            factor = factor / scale if tensor.op.type == "RealDiv" else factor * scale
            tensor = strip(operands[0])
            continue
        scale = constant(operands[0]) if tensor.op.type == "Mul" else None
        if scale is None:
            break
        tensor, factor = strip(operands[1]), factor * scale
    return tensor, factor


def _orthogonal_pairs(reduction: Any, argument: Any) -> float | None:
    """Returns over how many pairs of vectors Keras' OrthogonalRegularizer takes its mean.

    Source: Keras' regularizers.py, ``0.5 * factor * sum(abs(product)) / num_pairs``.
    """
    product = strip_shape(argument).op
    if product.type != "Mul" or not _written_in(reduction, "keras"):
        return None
    if not any(strip(operand).op.type in ("MatMul", "BatchMatMulV2") for operand in product.inputs):
        return None
    vectors = product.outputs[0].shape[0]
    return None if vectors is None else vectors * (vectors - 1.0) / 2.0


def _written_in(op: Any, package: str) -> bool:
    """Whether a library's regulariser made an operation: where two libraries write alike."""
    ending = "src/regularizers"
    return any(
        package in (path := frame.filename.replace("\\", "/")) and ending in path
        for frame in op.traceback or ()
    )
