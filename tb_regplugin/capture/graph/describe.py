"""What scalars are, by the graphs that compute them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tb_regplugin.capture.graph.decompose import decompose
from tb_regplugin.capture.graph.row import term_of
from tb_regplugin.terms import Term


def describe(scalars: Sequence[Any], variables: Iterable[Any] = ()) -> tuple[Term, ...]:
    """Describes penalties that came without names, such as ``model.losses``.

    Args:
      scalars: Tensors of a function's graph. Others, without a graph, are numbered.
      variables: The variables that they may penalise.

    Returns:
      One term each, with different names.
    """
    variables = tuple(variables)
    names: set[str] = set()
    return tuple(
        _with_own_name(_describe(scalar, number, variables), names)
        for number, scalar in enumerate(scalars)
    )


def _describe(scalar: Any, number: int, variables: tuple[Any, ...]) -> Term:
    # Eager tensors raise on being asked for it.
    if getattr(type(scalar), "__name__", "") == "EagerTensor" or not hasattr(scalar, "op"):
        return Term(f"penalty {number}", kind="custom")
    parts = decompose(scalar, [scalar], variables).parts
    if len(parts) != 1 or parts[0].role != "penalty":
        return Term(scalar.op.name, kind="custom")
    return term_of(parts[0])


def _with_own_name(term: Term, names: set[str]) -> Term:
    base, number = term.name, 1
    name = base
    while name in names:
        number += 1
        name = f"{base} ({number})"
    names.add(name)
    fields = {**term.__dict__, "name": name}
    return Term(**fields)
