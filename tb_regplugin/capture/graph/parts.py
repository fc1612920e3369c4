"""What a loss is made of, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tb_regplugin.capture.graph.collected import CollectedEntry
from tb_regplugin.capture.graph.contribution import Contribution
from tb_regplugin.terms import Kind, Role


@dataclass(eq=False)
class Part:
    """One column's worth of a loss: as in ``terms.Term``, with the tensors that hold its value."""

    name: str
    role: Role
    contributions: list[Contribution]
    kind: Kind | None = None
    strength: float | tuple[float, float] | None = None
    coefficient: float | None = None
    variable: str | None = None
    shape: tuple[int, ...] | None = None
    size: int | None = None
    entry: str | None = None
    note: str | None = None


@dataclass(eq=False)
class Decomposition:
    """What a loss is made of.

    Attributes:
      total: The loss.
      parts: What adds up to it, and the collected terms that don't, which have the role "unused".
      entries: The scalars in REGULARIZATION_LOSSES, and how they reach the loss.
      raw_variables: The names of variables in it.
      warnings: What its user should know, in sentences.
      visited_operations: How many operations were looked at.
    """

    total: Any
    parts: list[Part]
    entries: list[CollectedEntry] = field(default_factory=list)
    raw_variables: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    visited_operations: int = 0
