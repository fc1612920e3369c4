"""What became of a run's weights, and which way its losses went: for a sweep. Pure functions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tb_regplugin.reading.composition import ColumnSum, evaluate, places
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.sweep import window_size
from tb_regplugin.reading.table import Table, key
from tb_regplugin.terms import Term, as_written

INCLUDES = ("nothing", "norms", "trajectories")
# Of a trajectory: enough to see where it turns.
_POINTS = 32
# Of all runs together: each takes some 10 bytes in the answer.
_MAX_NORMS = 200_000


@dataclass(frozen=True)
class Course:
    """What a recording tells of its weights and of its way.

    Attributes:
      norms: By name and kind of a penalty: that of what it penalises, where it can be known.
      trajectory: From the first to the last step: penalty ÷ strength, and the data loss. Empty
        where the penalties have no strength in common.
    """

    norms: Mapping[tuple[str, str], float] = field(default_factory=dict)
    trajectory: tuple[tuple[float, float], ...] = ()


def course(contents: Contents, window: float) -> Course:
    """Looks at a recording; at the norms over its last rows, as ``sweep.ending`` does."""
    table = contents.table
    rows = len(table.steps)
    norms = dict(_norms(table, rows - window_size(rows, window)))
    return Course(norms, tuple(_trajectory(table)))


def norm_of(penalty: float, kind: str | None, coefficient: float | None) -> float | None:
    """Returns the norm that a penalty is made of; None where that cannot be told.

    Example:
      >>> norm_of(0.09, "l2", 0.01), norm_of(0.09, "l1", 0.01), norm_of(0.0, "l2", 0.0)
      (3.0, 9.0, None)
    """
    if kind not in ("l1", "l2") or not coefficient:
        return None
    power = penalty / coefficient
    if not 0 <= power < math.inf:
        return None
    return as_written(power if kind == "l1" else math.sqrt(power))


def _norms(table: Table, start: int) -> Iterator[tuple[tuple[str, str], float]]:
    settled = _settled(table)
    for i in places(table.columns, ["penalty"]) if start < len(table.steps) else ():
        term = table.columns[i]
        # The root of a mean, not the mean of roots: so the norm of a group of terms is exact, too.
        penalty = float(table.values[i, start:].mean(dtype=np.float64))
        norm = norm_of(penalty, term.kind, settled[key(term)].coefficient)
        if norm is not None:
            yield (term.name, term.kind or ""), norm


def _settled(table: Table) -> dict[tuple[str, str], Term]:
    """Returns the columns by key, without a strength and a coefficient where these changed."""
    settled = {key(term): term for term in table.columns}
    # Each layout once: a schedule's come by the hundred, and may come again.
    for layout in {id(layout): layout for layout in table.layouts}.values():
        for term in layout.columns:
            last = settled[key(term)]
            if (last.strength, last.coefficient) != (term.strength, term.coefficient):
                settled[key(term)] = Term(term.name, term.role)
    return settled


def _trajectory(table: Table) -> Iterator[tuple[float, float]]:
    summed = [places(table.columns, [role]) for role in ("penalty", "data")]
    settled = _settled(table)
    strengths = {settled[key(table.columns[i])].strength for i in summed[0]}
    strength = strengths.pop() if len(strengths) == 1 else None
    if strength is None or isinstance(strength, tuple) or strength <= 0 or not all(summed):
        return
    rows = len(table.steps)
    both = np.stack([evaluate(table, ColumnSum(each), 0, rows) for each in summed])
    both = np.where(np.isfinite(both).all(0), both, np.nan)
    cuts = np.linspace(0, rows, min(rows, _POINTS) + 1).astype(int).tolist()
    for low, high in itertools.pairwise(cuts):
        part = both[:, low:high]
        known = part[:, ~np.isnan(part[0])].astype(np.float64)
        if known.shape[1] and known[0].mean() > 0:
            penalty, data = known.mean(axis=1).tolist()
            yield as_written(penalty / strength), as_written(data)


def included(include: str, courses: Mapping[str, Course]) -> dict[str, Any]:
    """Returns what a sweep's answer has besides; see ``docs/http_api.md``.

    Args:
      include: One of ``INCLUDES``.
      courses: By run.
    """
    if include == "trajectories":
        return {"trajectories": {run: each.trajectory for run, each in courses.items()}}
    if include == "nothing":
        return {}
    terms = list(dict.fromkeys(term for each in courses.values() for term in each.norms))
    kept = terms[: _MAX_NORMS // max(1, len(courses))]
    norms = {run: [each.norms.get(term) for term in kept] for run, each in courses.items()}
    told = [{"name": name, "kind": kind} for name, kind in kept]
    return {"norms": {"terms": told, "runs": norms, "left_out": len(terms) - len(kept)}}
