"""What penalties are: their kind, strength, coefficient and variable, by what calculates them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, NamedTuple

from tb_regplugin.capture.graph.internals import ACTIVITY_SCOPE, in_regularizers_of
from tb_regplugin.capture.graph.operations import (
    Operation,
    Tensor,
    constant,
    origin,
    scaled,
    single_element,
    strip,
    strip_shape,
)
from tb_regplugin.capture.graph.sources import Sources
from tb_regplugin.capture.graph.walk import Addend
from tb_regplugin.findings.forms import listed
from tb_regplugin.terms import Term, as_written


def penalty_of_weights(
    addend: Addend, written: float | None, sources: Sources, entry: str | None = None
) -> Term:
    """Describes a penalty that reaches only variables.

    ``written`` is what it is multiplied with where its strength was written, such as in the
    collected entry of this name; None where that is not constant.
    """
    tensor = addend.tensor
    norm = match_norm(tensor)
    whole = sources.variable(norm.argument) if norm.kind in ("l1", "l2") else None
    found = [whole] if whole else sources.variables(tensor)
    if len(found) != 1 or (whole is None and norm.kind != "orthogonal"):
        norm = Norm("custom", tensor)
    name, shape, size = found[0] if len(found) == 1 else (None, None, None)
    # Several variables are no path, by which it would be grouped with the first one's layer.
    several = listed([variable.name.replace("/", ".") for variable in found])
    return Term(
        name or several or strip(tensor).op.name,
        kind=norm.kind,
        strength=_product(written, norm.strength_factor),
        coefficient=_product(addend.coefficient, norm.factor),
        variable=name,
        shape=shape,
        size=size,
        entry=entry,
    )


def penalty_of_activations(tensor: Tensor, name: str) -> Term:
    """Describes a collected penalty that data go into, by its value and its name as collected."""
    layer, scope, _ = name.partition(ACTIVITY_SCOPE)
    tensor = strip(tensor)
    # Layers divide by the batch's size, which is not part of what the user wrote.
    if tensor.op.type == "RealDiv":
        tensor = strip(tensor.op.inputs[0])
    tensor, factor = _without_scale(tensor)
    norm = match_norm(tensor)
    strength = _product(factor, norm.strength_factor)
    title = f"{layer}/activity" if scope else name
    return Term(title, kind="activity", strength=strength, entry=name)


def summed(first: Term, second: Term) -> Term:
    """Describes two norms of one kind and variable in one entry, such as those of two replicas."""
    pairs: Any = (first.strength, second.strength), (first.coefficient, second.coefficient)
    strength, coefficient = (None if None in pair else as_written(sum(pair)) for pair in pairs)
    return replace(first, strength=strength, coefficient=coefficient)


def both_norms(first: Term, second: Term) -> Term:
    """Describes two penalties of one variable from one collected entry as one.

    L1 and L2 make ``"l1_l2"``. What is the same several times over (a collection that is
    evaluated twice) adds up.
    """
    if first.kind == second.kind:
        return replace(summed(first, second), strength=first.strength)
    if {first.kind, second.kind} != {"l1", "l2"}:
        return first
    l1, l2 = (first, second) if first.kind == "l1" else (second, first)
    strength = None
    if isinstance(l1.strength, float) and isinstance(l2.strength, float):
        strength = (l1.strength, l2.strength)
    return replace(first, kind="l1_l2", strength=strength, coefficient=None)


class Norm(NamedTuple):
    """The L1 norm or the squared L2 norm of a tensor, times a factor.

    Attributes:
      kind: Which of them; "custom" where it is neither.
      argument: The tensor.
      factor: 1/2 in TensorFlow's ``l2_loss``, 1/size in a mean; None where it is not known.
      strength_factor: What a number in front of it is to be multiplied with to get the number
        that the user wrote. ``tf_keras`` writes ``L2(s)`` as ``2 * s * l2_loss(w)``.
    """

    kind: Literal["l1", "l2", "orthogonal", "custom"]
    argument: Tensor
    factor: float | None = None
    strength_factor: float | None = None


def match_norm(tensor: Tensor) -> Norm:
    """Recognises a norm by the operations that calculate it."""
    inner = strip(tensor)
    op = inner.op
    if op.type == "L2Loss":
        strength_factor = 0.5 if in_regularizers_of("tf_keras", op) else 1.0
        return Norm("l2", op.inputs[0], 0.5, strength_factor)
    factor = 1.0
    if op.type in ("Sum", "Mean"):
        inner, factor = _without_scale(strip(op.inputs[0]))
    kind, argument = _match_elementwise(inner)
    if kind == "custom" or not single_element(op.outputs[0]):
        return Norm("custom", tensor)
    if op.type == "Mean":
        size = op.inputs[0].shape.num_elements()
        return Norm(kind, argument, factor / size if size else None, factor)
    if kind == "l1" and (pairs := _orthogonal_pairs(op, argument)) is not None:
        return Norm("orthogonal", argument, None, 2.0 * pairs)
    return Norm(kind, argument, factor, factor)


def _match_elementwise(tensor: Tensor) -> tuple[Literal["l1", "l2", "custom"], Tensor]:
    op = tensor.op
    if op.type == "Abs":
        return "l1", op.inputs[0]
    is_square = op.type == "Square" or (
        op.type == "Mul" and origin(op.inputs[0]) is origin(op.inputs[1])
    )
    if is_square or (op.type == "Pow" and constant(op.inputs[1]) == 2.0):
        base = strip(op.inputs[0])
        return "l2", base.op.inputs[0] if base.op.type == "Abs" else base
    return "custom", tensor


def _without_scale(tensor: Tensor) -> tuple[Tensor, float]:
    """Takes constant factors off a product."""
    factor = 1.0
    while (inner := scaled(tensor)) is not None:
        tensor, factor = inner[0], factor * inner[1]
    return tensor, factor


def _orthogonal_pairs(reduction: Operation, argument: Tensor) -> float | None:
    """Returns over how many pairs of vectors Keras' OrthogonalRegularizer takes its mean.

    Source: Keras' regularizers.py, ``0.5 * factor * sum(abs(product)) / num_pairs``.
    """
    product = strip_shape(argument).op
    if product.type != "Mul" or not in_regularizers_of("keras", reduction):
        return None
    if not any(strip(operand).op.type in ("MatMul", "BatchMatMulV2") for operand in product.inputs):
        return None
    vectors = product.outputs[0].shape[0]
    return None if vectors is None else float(vectors * (vectors - 1.0) / 2.0)


def _product(weight: float | None, factor: float | None) -> float | None:
    return None if weight is None or factor is None else as_written(weight * factor)
