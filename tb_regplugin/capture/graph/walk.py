"""Taking a scalar apart into the terms that it is the weighted sum of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tb_regplugin.capture.graph.operations import ADDITIONS, Tensor, scaled, single_element, strip
from tb_regplugin.capture.graph.sources import Sources, operands_first

# Of products of hyperparameters in front of one tensor. More of them explain nothing.
_MAX_MONOMIALS = 8

# What a tensor is multiplied with: constants, by the numbers of the hyperparameters multiplied
# with each; they add up.
Weight = dict[tuple[int, ...], float]

# What a sum is made of: a tensor, its factor, and the numbers of hyperparameters beside it.
_Summand = tuple[Tensor, float, tuple[int, ...]]


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
    """Takes a scalar tensor apart, down to where it is told to stop.

    Returns:
      Everything met on the way in the order of computing backwards, ``total`` first, and those of
      it that are terms. Sums that share a part are no problem: each tensor is visited once.
    """
    # By the tensors' references, since tensors have no hashes.
    start = strip(total).ref()
    summands: dict[Any, list[_Summand]] = {}

    def parts_of(reference: Any) -> list[Any]:
        tensor = reference.deref()
        summands[reference] = [] if stops_at(tensor) else _summands(tensor, sources)
        return [part.ref() for part, _, _ in summands[reference]]

    addends: dict[Any, Addend] = {}
    for reference in operands_first(start, parts_of, addends):
        addends[reference] = Addend(reference.deref())
    addends[start] = whole(start.deref())
    met, terms = [], []
    for reference, addend in reversed(addends.items()):
        parts = summands[reference]
        met.append(addend)
        if not parts or len(addend.weight) > _MAX_MONOMIALS:
            terms.append(addend)
            continue
        for part, factor, numbers in parts:
            inner = addends[part.ref()]
            inner.uses += addend.uses
            _add(inner.weight, addend.weight, factor, numbers)
    return met, terms


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
    if op.type in ADDITIONS:
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
    if op.type in ("Sum", "Mean"):
        argument = strip(inputs[0])
        if single_element(argument):
            return [(argument, 1.0, ())]
        parts = argument.op.inputs
        if argument.op.type == "Pack" and all(single_element(part) for part in parts):
            factor = 1.0 / len(parts) if op.type == "Mean" else 1.0
            return [(strip(part), factor, ()) for part in parts]
    return []
