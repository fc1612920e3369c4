"""Taking a scalar apart into the terms that it is the weighted sum of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tb_regplugin.capture.graph.operations import (
    Operation,
    Tensor,
    scaled,
    single_element,
    strip,
)
from tb_regplugin.capture.graph.sources import Sources, operands_first

# Of products of hyperparameters in front of one tensor. More of them explain nothing.
_MAX_MONOMIALS = 8

# What a tensor is multiplied with: constants, by the numbers of the hyperparameters multiplied
# with each; they add up.
Weight = dict[tuple[int, ...], float]

# What a sum is made of: a tensor, its factor, and the numbers of hyperparameters beside it.
_Summand = tuple[Tensor, float, tuple[int, ...]]

# Tensors have no hashes.
_Node = tuple[Operation, int]


@dataclass(eq=False)
class Addend:
    """A tensor on the way from a total to its terms.

    Attributes:
      tensor: One number.
      weight: What it is multiplied with in the total.
      uses: By how many ways of additions it gets there.
    """

    tensor: Tensor
    weight: Weight = field(default_factory=dict)
    uses: int = 0

    @property
    def coefficient(self) -> float | None:
        """The constant that it is multiplied with, if that is all."""
        return self.weight.get((), 0.0) if set(self.weight) <= {()} else None

    def within(self, outer: Addend) -> Addend:
        """Returns an addend of another addend's tensor as one of what that one is in."""
        addend = Addend(self.tensor, uses=outer.uses)
        for product, factor in self.weight.items():
            _add(addend.weight, outer.weight, factor, product)
        return addend


def whole(tensor: Tensor) -> Addend:
    """Returns a tensor as its own only term."""
    return Addend(tensor, {(): 1.0}, uses=1)


def walk(
    total: Tensor, sources: Sources, stops_at: Callable[[Tensor], bool] = lambda _: False
) -> tuple[list[Addend], list[Addend]]:
    """Takes a scalar tensor apart.

    Args:
      total: The scalar.
      sources: Numbers the hyperparameters that multiply something.
      stops_at: Which tensors are not to be taken apart further.

    Returns:
      Everything met on the way in the order of computing backwards, ``total`` first, and those of
      it that are terms. Sums that share a part are no problem: each tensor is visited once.
    """
    total = strip(total)
    summands: dict[_Node, list[_Summand]] = {}

    def parts_of(node: _Node) -> list[_Node]:
        tensor = _tensor(node)
        summands[node] = [] if stops_at(tensor) else _summands(tensor, sources)
        return [_node(part) for part, _, _ in summands[node]]

    addends: dict[_Node, Addend] = {}
    for node in operands_first(_node(total), parts_of, addends):
        addends[node] = Addend(_tensor(node))
    addends[_node(total)] = whole(total)
    met, terms = [], []
    for node, addend in reversed(addends.items()):
        parts = summands[node]
        met.append(addend)
        if not parts or len(addend.weight) > _MAX_MONOMIALS:
            terms.append(addend)
            continue
        for part, factor, numbers in parts:
            addends[_node(part)].uses += addend.uses
            _add(addends[_node(part)].weight, addend.weight, factor, numbers)
    return met, terms


def _node(tensor: Tensor) -> _Node:
    return tensor.op, tensor.value_index


def _tensor(node: _Node) -> Tensor:
    return node[0].outputs[node[1]]


def _add(weight: Weight, added: Weight, factor: float, hyperparameters: tuple[int, ...]) -> None:
    for product, value in added.items():
        key = tuple(sorted((*product, *hyperparameters)))
        weight[key] = weight.get(key, 0.0) + value * factor


def _summands(tensor: Tensor, sources: Sources) -> list[_Summand]:
    """Returns what a tensor is the sum of; nothing where it is no sum."""
    op = tensor.op
    inputs = list(op.inputs)
    if not single_element(tensor):
        return []
    if op.type in ("Add", "AddV2", "AddN"):
        return [(strip(part), 1.0, ()) for part in inputs]
    if op.type == "Sub":
        return [(strip(inputs[0]), 1.0, ()), (strip(inputs[1]), -1.0, ())]
    if (scaled_part := scaled(tensor)) is not None:
        return [(*scaled_part, ())]
    if op.type == "Mul":
        for factor, part in (inputs, reversed(inputs)):
            number = sources.hyperparameter_number(factor)
            if number is not None and sources.hyperparameter_number(part) is None:
                return [(strip(part), 1.0, (number,))]
        return []
    if op.type in ("Sum", "Mean"):
        return _reduction(op.type, strip(inputs[0]))
    return []


def _reduction(kind: str, argument: Tensor) -> list[_Summand]:
    if single_element(argument):
        return [(argument, 1.0, ())]
    parts = list(argument.op.inputs)
    if argument.op.type != "Pack" or not all(single_element(part) for part in parts):
        return []
    factor = 1.0 / len(parts) if kind == "Mean" else 1.0
    return [(strip(part), factor, ()) for part in parts]
