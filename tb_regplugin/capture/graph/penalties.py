"""From the terms of a loss to penalties: their kind, strength, coefficient and variable."""

from __future__ import annotations

from typing import Any

from tb_regplugin.capture.graph.additive_walk import Addend, Hyperparameters, walk
from tb_regplugin.capture.graph.collected import CollectedEntry
from tb_regplugin.capture.graph.norms import match_norm
from tb_regplugin.capture.graph.operations import constant, is_opaque, rounded, strip
from tb_regplugin.capture.graph.parts import Part
from tb_regplugin.capture.graph.sources import Sources

_ACTIVITY_SCOPE = "/ActivityRegularizer/"


class Penalties:
    """Describes the penalty terms of one graph.

    Args:
      sources: Says which variables they reach.
      hyperparameters: What multiplies them.
    """

    def __init__(self, sources: Sources, hyperparameters: Hyperparameters) -> None:
        self._sources = sources
        self._hyperparameters = hyperparameters

    def describe(self, term: Addend, own: Addend | None = None) -> Part:
        """Describes a term that reaches only variables.

        Args:
          term: It, with its weight in the loss.
          own: It, with its weight in its collected entry, where the strength stands.
        """
        part = Part(
            strip(term.tensor).op.name,
            "penalty",
            [self._hyperparameters.contribution(term)],
            kind="custom",
        )
        norm = match_norm(term.tensor)
        variable = None
        if norm is not None:
            variable = self._sources.variable(norm.argument)
            if variable is None and norm.kind == "orthogonal":
                variable = self._sources.only_variable(norm.argument)
        if norm is not None and variable is not None:
            part.kind = norm.kind
            part.coefficient = _product(term.coefficient, norm.factor)
            part.strength = _product((own or term).coefficient, norm.strength_factor)
        else:
            variable = self._sources.only_variable(term.tensor)
        if variable is not None:
            part.name = part.variable = variable.name
            part.shape, part.size = variable.shape, variable.size
        return part

    def of_entry(self, entry: CollectedEntry, addend: Addend | None) -> list[Part]:
        """Describes a collected entry, split by variables.

        Args:
          entry: It.
          addend: Where it is in the loss; None where it is not.
        """
        outer = addend or Addend(strip(entry.tensor), {(): 1.0})
        _, own_terms = walk(outer.tensor, lambda _: False, self._hyperparameters)
        own_terms = [term for term in own_terms if constant(term.tensor) != 0.0]
        if self._sources.reaches_data(outer.tensor) or any(
            is_opaque(term.tensor.op) for term in own_terms
        ):
            parts = [self._whole(entry, outer)]
        else:
            parts = [
                self.describe(Addend(own.tensor, _times(own.weight, outer.weight)), own)
                for own in own_terms
            ]
        for part in parts:
            part.entry = entry.name
            if addend is None:
                part.role = "unused"
                part.note = "Collected, but not part of the loss."
        return parts

    def _whole(self, entry: CollectedEntry, outer: Addend) -> Part:
        """Describes an entry that reaches data: a regulariser of activations."""
        is_activity = self._sources.reaches_data(outer.tensor)
        layer, scope, _ = entry.name.partition(_ACTIVITY_SCOPE)
        return Part(
            f"{layer}/activity" if scope else entry.name,
            "penalty",
            [self._hyperparameters.contribution(outer)],
            kind="activity" if is_activity else "custom",
            strength=self._activity_strength(outer.tensor) if is_activity else None,
        )

    def _activity_strength(self, tensor: Any) -> float | None:
        # Layers divide by the batch's size, which is not part of what the user wrote.
        if tensor.op.type == "RealDiv":
            tensor = strip(tensor.op.inputs[0])
        _, terms = walk(tensor, lambda _: False, self._hyperparameters)
        if len(terms) != 1 or (norm := match_norm(terms[0].tensor)) is None:
            return None
        return _product(terms[0].coefficient, norm.strength_factor)


def merge_l1_and_l2(parts: list[Part]) -> list[Part]:
    """Makes one part of an L1 and an L2 term of one variable from one collected entry.

    Terms that are the same several times over (a collection that is evaluated twice) are one
    part too.
    """
    merged: dict[Any, Part] = {}
    for number, part in enumerate(parts):
        key: Any = number
        if part.entry is not None and part.variable is not None and part.kind != "custom":
            key = (part.entry, part.variable, part.role)
        before = merged.setdefault(key, part)
        if before is part:
            continue
        before.contributions += part.contributions
        if part.kind == before.kind:
            before.coefficient = _sum(before.coefficient, part.coefficient)
        elif {before.kind, part.kind} == {"l1", "l2"}:
            first, second = (before, part) if before.kind == "l1" else (part, before)
            if isinstance(first.strength, float) and isinstance(second.strength, float):
                before.strength = (first.strength, second.strength)
            else:
                before.strength = None
            before.kind, before.coefficient = "l1_l2", None
    return list(merged.values())


def with_own_names(parts: list[Part]) -> None:
    """Gives parts of one role that share a name names of their own."""
    names: dict[tuple[str, str], int] = {}
    for part in parts:
        base = part.name
        if (part.role, part.name) in names and part.kind not in (None, "custom"):
            base = part.name = f"{part.name} ({part.kind})"
        while (part.role, part.name) in names:
            names[part.role, base] = names.get((part.role, base), 1) + 1
            part.name = f"{base} ({names[part.role, base]})"
        names[part.role, part.name] = 1


def _times(left: dict[tuple[int, ...], float], right: dict[tuple[int, ...], float]) -> Any:
    product: dict[tuple[int, ...], float] = {}
    for key, value in left.items():
        for other_key, other in right.items():
            both = tuple(sorted((*key, *other_key)))
            product[both] = product.get(both, 0.0) + value * other
    return product


def _product(weight: float | None, factor: float | None) -> float | None:
    return None if weight is None or factor is None else rounded(weight * factor)


def _sum(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else rounded(left + right)
