"""What each strength of the penalties led to: recordings grouped by it. Pure functions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from tb_regplugin.reading.aggregates import first_non_finite
from tb_regplugin.reading.restarts import times_back
from tb_regplugin.reading.runs import Key, homes, pair
from tb_regplugin.reading.shares import parts
from tb_regplugin.reading.source import first_of
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.strengths import Strength, StrengthSource, find_strengths, misapplied
from tb_regplugin.terms import Layout

WINDOW = 0.1
_RECORDED = StrengthSource()
# Fewer seeds tell no standard error.
_FEW_SEEDS = 3


@dataclass(frozen=True)
class Ending:
    """How a recording ended: means over its last rows; None where there is nothing to average.

    Attributes:
      layouts: What its columns were, for their strengths.
      data_loss: The data loss; None also where it is not finite in these rows.
      penalty_share: The penalties' share of the total.
      steps: How many were recorded.
      last_step: The last of them.
      diverged: Whether a data loss or a total was ever NaN or infinite.
      restarted: Whether it ever went back to an earlier step, as from a checkpoint.
      problem: Why not all of it could be read.
    """

    layouts: tuple[Layout, ...] = ()
    data_loss: float | None = None
    penalty_share: float | None = None
    steps: int = 0
    last_step: int | None = None
    diverged: bool = False
    restarted: bool = False
    problem: str | None = None


def ending(contents: Contents, window: float) -> Ending:
    """Averages over a share of a recording's rows, the last ones."""
    table = contents.table
    rows = len(table.steps)
    found = list(parts(contents, rows - window_size(rows, window)))
    data, share = (
        np.concatenate([np.empty(0), *arrays])
        for arrays in ([data for data, _ in found], [share for _, share in found])
    )
    diverged = any(
        first_non_finite(table, column.sum, 0, rows) is not None
        for column in contents.columns
        if column.term.role in ("total", "data")
    )
    finite, shares = data[np.isfinite(data)], share[~np.isnan(share)]
    has_loss = len(finite) and not (diverged and len(finite) < len(data))
    return Ending(
        table.layouts,
        float(finite.mean()) if has_loss else None,
        float(shares.mean()) if len(shares) else None,
        rows,
        int(table.steps[-1]) if rows else None,
        diverged,
        times_back(contents.restarts) > 0,
        first_of(contents.problems),
    )


def window_size(rows: int, window: float) -> int:
    """Returns how many rows a share of them is: one at least, where there are any.

    Example:
      >>> [window_size(rows, 0.1) for rows in (0, 1, 30, 31)]
      [0, 1, 3, 4]
    """
    # What a product of floats is too much is no row more.
    return min(rows, max(1, math.ceil(round(rows * window, 6))))


def mean_of_last(values: Sequence[float], window: float) -> float | None:
    """Averages over the last values; None where there are none, or where one is not finite."""
    last = values[len(values) - window_size(len(values), window) :]
    return statistics.fmean(last) if last and all(map(math.isfinite, last)) else None


def entries(
    endings: Mapping[Key, Ending],
    source: StrengthSource = _RECORDED,
    hyperparameters: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    metrics: Mapping[str, float | None] | None = None,
) -> list[dict[str, Any]]:
    """Groups runs by strength; see ``docs/http_api.md``.

    Endings are those of all recordings of one name; hyperparameters and, where a metric was asked
    for, its means are by the run that has them.

    Returns:
      What JSON has of each strength, in the order of strengths; what is not known comes last.
    """
    rows = pair(endings)
    runs, recorded = [run for run, _ in rows], [run for run, _ in endings]
    home_of = homes(runs, metrics or {}, recorded)
    layouts = {key[0]: endings[key].layouts for key in rows}
    told = find_strengths(source, layouts, recorded, hyperparameters)
    longest = max((endings[key].last_step or 0 for key in rows), default=0)
    groups: dict[tuple[float, ...] | None, list[dict[str, Any]]] = {}
    strengths: dict[tuple[float, ...] | None, Strength] = {}
    for (key, validation), strength in zip(rows.items(), told, strict=True):
        metric: dict[str, Any] = {}
        if metrics is not None:
            home = home_of.get(key[0])
            metric = {"metric": None if home is None else metrics[home], "metric_run": home}
        validated = endings[validation] if validation else Ending()
        order = _order(strength)
        strengths[order] = strength
        point = _point(key[0], endings[key], validated, metric, longest)
        groups.setdefault(order, []).append(point)
    orders = sorted(groups, key=lambda order: (order is None, order or ()))
    return [
        _entry(strengths[order], groups[order], layouts, metrics is not None) for order in orders
    ]


def _order(strength: Strength) -> tuple[float, ...] | None:
    if isinstance(strength, dict):
        return tuple(strength.values())
    return None if strength is None else (strength,)


def _entry(
    strength: Strength,
    points: Sequence[dict[str, Any]],
    layouts: Mapping[str, Sequence[Layout]],
    with_metric: bool,
) -> dict[str, Any]:
    def values(figure: str) -> list[float]:
        return [each[figure] for each in points if each[figure] is not None]

    def runs(flag: str) -> list[str]:
        return [each["run"] for each in points if each[flag]]

    shares = values("penalty_share")
    levels = {layout.chance_level for each in points for layout in layouts[each["run"]]}
    return {
        "strength": strength,
        "runs": [each["run"] for each in points],
        "data_loss": _spread(values("data_loss")),
        "validation_data_loss": _spread(values("validation_data_loss")),
        "penalty_share": statistics.fmean(shares) if shares else None,
        "chance_level": levels.pop() if len(levels) == 1 else None,
        **({"metric": _spread(values("metric"))} if with_metric else {}),
        "unfinished": runs("unfinished"),
        "diverged": runs("diverged"),
        "restarted": runs("restarted"),
        "misapplied": runs("misapplied"),
        "points": points,
    }


def _point(
    run: str, own: Ending, validation: Ending, metric: Mapping[str, Any], longest: int
) -> dict[str, Any]:
    return {
        "run": run,
        "data_loss": own.data_loss,
        "validation_data_loss": validation.data_loss,
        "penalty_share": own.penalty_share,
        **metric,
        "steps": own.steps,
        "last_step": own.last_step,
        "unfinished": own.last_step is None or own.last_step < longest,
        "diverged": own.diverged or validation.diverged,
        "restarted": own.restarted,
        "misapplied": misapplied(own.layouts),
        "problem": own.problem or validation.problem,
    }


def _spread(values: Sequence[float]) -> dict[str, float | None] | None:
    if not values:
        return None
    few = len(values) < _FEW_SEEDS
    return {
        "mean": statistics.fmean(values),
        "min": min(values),
        "max": max(values),
        "standard_error": None if few else statistics.stdev(values) / math.sqrt(len(values)),
    }
