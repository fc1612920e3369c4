"""What a column of a recording is: one loss, or one part of a loss."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any, Literal, SupportsFloat, TypeVar, get_args

from tb_regplugin.finding import Finding
from tb_regplugin.names import distinct

Role = Literal[
    "total", "data", "penalty", "implicit", "unused", "inside", "unexplained",
    "gradient", "data_gradient", "gradient_cosine",
]  # fmt: skip
Kind = Literal["l1", "l2", "l1_l2", "orthogonal", "activity", "add_loss", "weight_decay", "custom"]

ROLES: tuple[str, ...] = get_args(Role)
KINDS: tuple[str, ...] = get_args(Kind)

# What a recording of gradients has of each term, and no recording of losses.
GRADIENT_ROLES: tuple[Role, ...] = ("gradient", "data_gradient", "gradient_cosine")

# Recorded beside the loss: no summand of it.
OUTSIDE_OF_LOSS: frozenset[str] = frozenset({"implicit", "unused", "inside"})


@dataclass(frozen=True)
class Term:
    """One column of a recording: what it is called, and what made it.

    Attributes:
      name: What people read, such as ``"dense/kernel"``. Any non-empty text.
      role: ``"total"`` for the loss that the optimiser minimises, ``"data"`` for what the model
        pays on the data, ``"penalty"`` for one entry of ``REGULARIZATION_LOSSES`` or
        ``model.losses``, ``"implicit"`` for a penalty that is not in the loss (decoupled weight
        decay), ``"unused"`` for a collected penalty term that never reaches the loss,
        ``"inside"`` for one that the loss depends on, but not as a summand (as ``log(loss)``
        does), ``"unexplained"`` for a part of the loss of unknown origin. In a recording of
        gradients: ``"gradient"`` for the norm of a penalty's gradient, ``"data_gradient"`` for
        that of the rest of the loss on the same variable, ``"gradient_cosine"`` for the cosine of
        both.
      kind: The form of a penalty, such as ``"l2"``; ``None`` where it is not known.
      strength: The number the user wrote, such as the 0.01 of ``L2(0.01)``; the pair
        ``(l1, l2)`` for ``"l1_l2"``; ``None`` where it is not known.
      coefficient: The factor of the L1 norm (kind ``"l1"``) or of the squared L2 norm (kind
        ``"l2"``). Keras' ``L2(s)`` is s times the squared norm, slim's ``l2_regularizer(s)`` is
        s / 2 times it. ``None`` where it has no meaning.
      variable: The path of the penalised variable, such as ``"model/dense/kernel"``.
      shape: The shape of that variable.
      size: The number of parameters in that variable.
      entry: The name of the tensor that was collected in ``REGULARIZATION_LOSSES``.
      note: What else people should know, in a sentence.
      chance_level: What a data loss is for a model that knows nothing, such as ln k where it
        guesses among k classes; ``None`` where it is not known.

    Raises:
      ValueError: A name is empty, a role or kind is unknown, a number is not finite, or a field is
        of another type.

    Example:
      >>> Term("dense/kernel", kind="l2", strength=0.01, coefficient=0.01).role
      'penalty'
    """

    name: str
    role: Role = "penalty"
    kind: Kind | None = None
    strength: float | tuple[float, float] | None = None
    coefficient: float | None = None
    variable: str | None = None
    shape: tuple[int, ...] | None = None
    size: int | None = None
    entry: str | None = None
    note: str | None = None
    chance_level: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"A term's name must be a non-empty string, not {self.name!r}.")
        if self.role not in ROLES:
            raise ValueError(
                f"Term {self.name!r} has the unknown role {self.role!r}. "
                f"Use one of {', '.join(ROLES)}."
            )
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(
                f"Term {self.name!r} has the unknown kind {self.kind!r}. "
                f"Use one of {', '.join(KINDS)}, or None."
            )
        for field, (plain, told) in _FIELDS.items():
            value = getattr(self, field)
            if value is None:
                continue
            try:
                # A frozen one has no other way to set it.
                object.__setattr__(self, field, plain(value))
            except (TypeError, ValueError, OverflowError):
                raise ValueError(
                    f"Term {self.name!r} has a {field.replace('_', ' ')} of {value!r}. "
                    f"It must be {told}."
                ) from None


def _plain_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _plain_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError
    if isinstance(value, (int, float)):
        return value
    return int(value) if isinstance(value, Integral) else as_written(value)


def _plain_strength(value: Any) -> float | tuple[float, float]:
    if not isinstance(value, tuple):
        return _plain_number(value)
    l1, l2 = value
    return _plain_number(l1), _plain_number(l2)


def _plain_size(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return int(operator.index(value))


def _plain_shape(value: Any) -> tuple[int, ...]:
    return tuple(map(_plain_size, value))


_UNKNOWN = "or None where it is not known"
_NUMBER = f"a finite number, {_UNKNOWN}"
# What makes of each field what JSON has, since libraries have numbers of their own, and what it
# takes: whatever a term holds can be written, and read again.
_FIELDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "strength": (_plain_strength, f"{_NUMBER}; for l1_l2, the tuple of both"),
    "coefficient": (_plain_number, _NUMBER),
    "chance_level": (_plain_number, _NUMBER),
    "shape": (_plain_shape, f"a tuple of whole numbers, {_UNKNOWN}"),
    "size": (_plain_size, f"a whole number, {_UNKNOWN}"),
    "variable": (_plain_text, f"text, {_UNKNOWN}"),
    "entry": (_plain_text, f"text, {_UNKNOWN}"),
    "note": (_plain_text, f"text, {_UNKNOWN}"),
}


_Value = TypeVar("_Value")
# Penalties, or parts of a data loss, by name or by Term. Three, since a Mapping[str, ...] is no
# Mapping[str | Term, ...] to a checker.
PenaltyValues = Mapping[str, _Value] | Mapping[Term, _Value] | Mapping[str | Term, _Value]


@dataclass(frozen=True)
class Layout:
    """The ordered columns of a recording.

    Attributes:
      columns: One term a column.
      findings: What was found wrong with the way the terms reach the loss, when recording began.

    Raises:
      ValueError: There is no column, two totals, or two columns of one role and name.
    """

    columns: tuple[Term, ...]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("A layout needs at least one column, such as a data loss.")
        counts = Counter((column.role, column.name) for column in self.columns)
        (role, name), count = counts.most_common(1)[0]
        if count > 1:
            raise ValueError(
                f"Two columns are called {name!r} with the role {role!r}. "
                "Give each term a name of its own."
            )
        if sum(column.role == "total" for column in self.columns) > 1:
            raise ValueError("A layout has at most one total.")

    @property
    def chance_level(self) -> float | None:
        """What the data loss is for a model that knows nothing, the sum over its columns.

        None where there is no data loss, or where it is not known of each of its columns.
        """
        levels = [column.chance_level for column in self.columns if column.role == "data"]
        known = [level for level in levels if level is not None]
        level = sum(known)
        return level if known and len(known) == len(levels) and math.isfinite(level) else None


def with_distinct_names(terms: Iterable[Term]) -> list[Term]:
    """Numbers those of one name."""
    terms = list(terms)
    names = distinct(term.name for term in terms)
    return [replace(term, name=name) for term, name in zip(terms, names, strict=True)]


def as_written(number: SupportsFloat) -> float:
    """Returns the number people wrote, from what float32 made of it: seven digits of it.

    Raises:
      ValueError: It is not finite.

    Example:
      >>> as_written(0.009999999776482582)
      0.01
    """
    value = float(f"{float(number):.7g}")
    if not math.isfinite(value):
        raise ValueError(f"The number {number!r} is not finite.")
    return value
