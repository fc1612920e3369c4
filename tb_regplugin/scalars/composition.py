"""A composition of scalars: what a loss is said to be made of, and what the numbers say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from tb_regplugin.scalars import sums
from tb_regplugin.scalars.tags import Role

Status = Literal[
    "adds up",
    "adds up with logged weights",
    "adds up roughly (the logger smooths)",
    "would add up with these weights",
    "leaves a rest that nobody logged",
    "does not add up",
    "no total is logged",
]
(
    ADDS_UP, WITH_LOGGED_WEIGHTS, ROUGHLY, WITH_THESE_WEIGHTS, LEAVES_REST, DOES_NOT, NO_TOTAL
) = STATUSES = get_args(Status)  # fmt: skip

# Steps, strictly increasing, and the values at them.
Series = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
# A number, or what it is the product of: numbers, and the tags of scalars.
Weight = float | tuple[float | str, ...]


@dataclass(frozen=True)
class Part:
    """A part of a loss.

    Attributes:
      tag: Its scalar.
      weight: What it counts with in the total.
      role: What it is for.
    """

    tag: str
    weight: Weight = 1.0
    role: Role = "data"


@dataclass(frozen=True)
class Composition:
    """What a loss is made of.

    Attributes:
      total: The total's tag; None where none is logged.
      parts: What it is made of.
      status: How far the numbers bear that out.
      error: The largest relative error of the parts' sum over the shared steps; None where no
        total, or no shared step, is there to compare it with.
      rest: Which share of the total the parts leave, in the median step; None where they leave
        none that nobody logged.
      stored: Whether somebody stored it in the log directory.
      note: What else people should know, in a sentence.
    """

    total: str | None
    parts: tuple[Part, ...]
    status: Status = NO_TOTAL
    error: float | None = None
    rest: float | None = None
    stored: bool = False
    note: str = ""


def judged(series: Mapping[str, Series], composition: Composition) -> Composition:
    """Says how far the numbers bear out a composition whose total, parts and weights are given."""
    names = [each for part in composition.parts for each in (part.tag, *logged_tags(part.weight))]
    if composition.total is None or any(n not in series for n in [composition.total, *names]):
        return replace(composition, status=NO_TOTAL if composition.total is None else DOES_NOT)
    shared = aligned(composition.total, names, series)
    total = shared[composition.total]
    if not len(total):
        return replace(composition, status=DOES_NOT)
    columns = weighted(composition.parts, shared)
    off = sums.error(total, columns)
    left: float | None = None
    status: Status = DOES_NOT
    if off <= sums.EXACT:
        has_logged = any(logged_tags(part.weight) for part in composition.parts)
        status = WITH_LOGGED_WEIGHTS if has_logged else ADDS_UP
    elif sums.is_rough(total, columns):
        status = ROUGHLY
    elif sums.leaves_rest(total, columns):
        status, left = LEAVES_REST, float(np.median(sums.errors(total, columns)))
    return replace(composition, status=status, error=off, rest=left)


def weighted(parts: Sequence[Part], values: Mapping[str, sums.Column]) -> list[sums.Column]:
    """Returns each part's values times its weight."""
    columns = []
    for part in parts:
        column = np.asarray(values[part.tag], np.float64)
        for factor in part.weight if isinstance(part.weight, tuple) else (part.weight,):
            column = column * (values[factor] if isinstance(factor, str) else factor)
        columns.append(column)
    return columns


def aligned(
    total: str, names: Sequence[str], series: Mapping[str, Series]
) -> dict[str, sums.Column]:
    """Returns series at the steps that all of them have, without those that are not finite.

    Nothing is interpolated: of sampled data, what was logged at the same steps is at the same ones.
    """
    _, columns = at_shared_steps(total, names, series)
    finite = np.isfinite(list(columns.values())).all(axis=0)
    return {name: column[finite] for name, column in columns.items()}


def at_shared_steps(
    total: str, names: Sequence[str], series: Mapping[str, Series]
) -> tuple[npt.NDArray[np.int64], dict[str, sums.Column]]:
    """Returns the steps that all of some series have, and their values there."""
    wanted = dict.fromkeys([total, *names])
    steps = series[total][0]
    for name in wanted:
        if not np.array_equal(steps, series[name][0]):
            steps = steps[np.isin(steps, series[name][0])]
    columns = {
        name: series[name][1][np.searchsorted(series[name][0], steps)].astype(np.float64)
        for name in wanted
    }
    return steps, columns


def describe(run: str, composition: Composition) -> dict[str, Any]:
    """Returns a composition as JSON has it; a logged weight is the list of its factors."""
    described: dict[str, Any] = {
        "run": run,
        "total": composition.total,
        "parts": [
            {
                "tag": part.tag,
                "weight": list(part.weight) if isinstance(part.weight, tuple) else part.weight,
                "role": part.role,
            }
            for part in composition.parts
        ],
        "status": composition.status,
        "error": composition.error,
        "rest": composition.rest,
        "stored": composition.stored,
    }
    return described | ({"note": composition.note} if composition.note else {})


def logged_tags(weight: Weight) -> tuple[str, ...]:
    """Returns the tags among a weight's factors."""
    factors = weight if isinstance(weight, tuple) else ()
    return tuple(factor for factor in factors if isinstance(factor, str))
