"""What a tensor adds to a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Contribution:
    """A tensor of the graph, and what it is multiplied with to be part of the loss.

    Attributes:
      tensor: It; one number.
      factors: A constant and the hyperparameters multiplied with it; several of them add up.
    """

    tensor: Any
    factors: list[tuple[float, tuple[Any, ...]]]
