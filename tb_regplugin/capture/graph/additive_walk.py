"""Taking a scalar apart into the terms that it is the weighted sum of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tb_regplugin.capture.graph.contribution import Contribution
from tb_regplugin.capture.graph.operations import constant, single_element, strip

# Of products of hyperparameters in front of one tensor. More of them explain nothing.
_MAX_MONOMIALS = 8

# What a tensor is multiplied with: constants, by the hyperparameters multiplied with each.
Weight = dict[tuple[int, ...], float]


@dataclass(eq=False)
class Addend:
    """A tensor on the way from a total to its terms.

    Attributes:
      tensor: It.
      weight: Its weight in the total.
      uses: By how many ways of additions it gets there.
    """

    tensor: Any
    weight: Weight = field(default_factory=dict)
    uses: int = 0

    @property
    def coefficient(self) -> float | None:
        """The constant that it is multiplied with, if that is all."""
        return self.weight.get((), 0.0) if set(self.weight) <= {()} else None


class Hyperparameters:
    """The tensors that multiply terms without being constants: a schedule of λ."""

    def __init__(self, is_hyperparameter: Callable[[Any], bool]) -> None:
        self.tensors: list[Any] = []
        self._is_hyperparameter = is_hyperparameter
        self._memo: dict[Any, int | None] = {}

    def number_of(self, tensor: Any) -> int | None:
        """Returns a hyperparameter's number; None if it is none."""
        op = strip(tensor).op
        if op not in self._memo:
            self._memo[op] = None
            if self._is_hyperparameter(tensor):
                self._memo[op] = len(self.tensors)
                self.tensors.append(tensor)
        return self._memo[op]

    def contribution(self, addend: Addend) -> Contribution:
        """Returns what an addend contributes to the loss."""
        return Contribution(
            addend.tensor,
            [
                (constant, tuple(self.tensors[number] for number in product))
                for product, constant in addend.weight.items()
            ],
        )


def walk(
    total: Any, stops_at: Callable[[Any], bool], hyperparameters: Hyperparameters
) -> tuple[list[Addend], list[Addend]]:
    """Takes a scalar tensor apart.

    Args:
      total: It.
      stops_at: Which tensors are not to be taken apart further.
      hyperparameters: Gets those that multiply something.

    Returns:
      Everything met on the way in the order of computing backwards, and those of it that are terms.
      Sums that share a part are no problem: each tensor is visited once.
    """
    total = strip(total)
    expansions: dict[tuple[Any, int], list[tuple[Any, float, int | None]]] = {}
    order: list[Any] = []
    waiting = [(total, False)]
    while waiting:
        tensor, is_done = waiting.pop()
        if is_done:
            order.append(tensor)
            continue
        if _node(tensor) in expansions:
            continue
        parts = [] if stops_at(tensor) else _expand(tensor, hyperparameters)
        expansions[_node(tensor)] = parts
        waiting.append((tensor, True))
        # The last part first, so that the terms come out in their order.
        waiting.extend((part, False) for part, _, _ in parts)
    addends = {_node(tensor): Addend(tensor) for tensor in order}
    addends[_node(total)].weight = {(): 1.0}
    addends[_node(total)].uses = 1
    met, terms = [], []
    for tensor in reversed(order):
        addend = addends[_node(tensor)]
        parts = expansions[_node(tensor)]
        met.append(addend)
        if not parts or len(addend.weight) > _MAX_MONOMIALS:
            terms.append(addend)
            continue
        for part, factor, hyperparameter in parts:
            _add(addends[_node(part)], addend, factor, hyperparameter)
    return met, terms


def _node(tensor: Any) -> tuple[Any, int]:
    return tensor.op, tensor.value_index


def _add(part: Addend, whole: Addend, factor: float, hyperparameter: int | None) -> None:
    part.uses += whole.uses
    for product, weight in whole.weight.items():
        key = product if hyperparameter is None else tuple(sorted((*product, hyperparameter)))
        part.weight[key] = part.weight.get(key, 0.0) + weight * factor


def _expand(tensor: Any, hyperparameters: Hyperparameters) -> list[tuple[Any, float, int | None]]:
    """Returns the parts a tensor is the sum of, each with its factor and hyperparameter, if any."""
    op = tensor.op
    inputs = list(op.inputs)
    if not single_element(tensor):
        return []
    if op.type in ("Add", "AddV2", "AddN"):
        return [(strip(part), 1.0, None) for part in inputs]
    if op.type == "Sub":
        return [(strip(inputs[0]), 1.0, None), (strip(inputs[1]), -1.0, None)]
    if op.type == "Neg":
        return [(strip(inputs[0]), -1.0, None)]
    if op.type in ("RealDiv", "Div"):
        divisor = constant(inputs[1])
        return [(strip(inputs[0]), 1.0 / divisor, None)] if divisor else []
    if op.type == "Mul":
        return _expand_product(inputs[0], inputs[1], hyperparameters)
    if op.type in ("Sum", "Mean"):
        return _expand_reduction(op.type, strip(inputs[0]))
    return []


def _expand_product(
    left: Any, right: Any, hyperparameters: Hyperparameters
) -> list[tuple[Any, float, int | None]]:
    for factor, part in ((left, right), (right, left)):
        value = constant(factor)
        if value is not None:
            return [(strip(part), value, None)]
    for factor, part in ((left, right), (right, left)):
        number = hyperparameters.number_of(factor)
        if number is not None and hyperparameters.number_of(part) is None:
            return [(strip(part), 1.0, number)]
    return []


def _expand_reduction(kind: str, argument: Any) -> list[tuple[Any, float, int | None]]:
    if single_element(argument):
        return [(argument, 1.0, None)]
    parts = list(argument.op.inputs)
    if argument.op.type != "Pack" or not all(single_element(part) for part in parts):
        return []
    factor = 1.0 / len(parts) if kind == "Mean" else 1.0
    return [(strip(part), factor, None) for part in parts]
