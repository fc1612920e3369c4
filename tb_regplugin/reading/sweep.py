"""What each strength of the penalties led to: recordings grouped by it. Pure functions."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from tb_regplugin.reading.aggregates import first_non_finite
from tb_regplugin.reading.decode import natural_key
from tb_regplugin.reading.overview import first_of, pair, parts, strengths_of
from tb_regplugin.reading.remembered import Key
from tb_regplugin.reading.restarts import times_back
from tb_regplugin.reading.store import Contents
from tb_regplugin.terms import OUTSIDE_OF_LOSS, Layout, as_written

WINDOW = 0.1
SOURCES = ("recorded", "hparams", "names")
# Fewer seeds tell no standard error.
_FEW_SEEDS = 3

# Every number behind what strengths are called in names of runs, such as "lambda=0.01".
NAMED = re.compile(
    r"(?<![^\W_])(lambda|lam|λ|l1|l2|strength|reg|weight_decay|wd)[=:_ -]?"
    r"([0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?)(?![^\W_])",
    re.IGNORECASE,
)

# One number, or what each of those is that vary; None where it is not known.
Strength = float | dict[str, float] | None
# By what has a strength.
_Strengths = Mapping[str, float] | None


@dataclass(frozen=True)
class StrengthSource:
    """Where strengths come from.

    Attributes:
      kind: One of ``SOURCES``: what was recorded, hyperparameters of the plugin hparams, or names.
      hyperparameter: Which; every number that varies, but seeds, when left out.
      pattern: Captures a number of a run's name, or several in named groups; ``NAMED`` when left
        out.
    """

    kind: str = "recorded"
    hyperparameter: str | None = None
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, text: str) -> StrengthSource:
        """Reads such as ``recorded``, ``hparams=l2`` and ``names=l2_(.+)``.

        Raises:
          ValueError: It is none of them, or the pattern captures nothing.
        """
        kind, _, how = text.partition("=")
        if kind not in SOURCES or (how and kind == "recorded"):
            raise ValueError(f"{text[:40]!r} is none of {', '.join(SOURCES)}.")
        if kind == "hparams":
            return cls(kind, hyperparameter=how or None)
        try:
            pattern = re.compile(how) if how else None
        except re.error as error:
            raise ValueError(f"{how!r} is no pattern: {error}.") from error
        if pattern is not None and not pattern.groups:
            raise ValueError(f"{how!r} captures nothing: put what is the number into ( ).")
        return cls(kind, pattern=pattern)

    def chosen(self, hyperparameters: Mapping[str, float]) -> dict[str, float]:
        """Returns the hyperparameters that may be strengths."""
        return {
            name: as_written(number)
            for name, number in hyperparameters.items()
            if (name == self.hyperparameter if self.hyperparameter else "seed" not in name.lower())
        }


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


@dataclass(frozen=True)
class Point:
    """One run of a sweep.

    Attributes:
      run: Its name.
      own: How its recording ended.
      validation: How the recording of its validations did, where there is one.
      metric: The mean of the metric that was asked for, over its last values.
      metric_run: The run that has it.
    """

    run: str
    own: Ending
    validation: Ending | None = None
    metric: float | None = None
    metric_run: str | None = None


def ending(contents: Contents, window: float) -> Ending:
    """Averages over the last of a recording's rows.

    Args:
      contents: The recording.
      window: Which share of its rows.
    """
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


def recorded_strengths(runs: Sequence[Sequence[Layout]]) -> list[_Strengths]:
    """Returns how strong the penalties of each run were, by kind, or else by term.

    That is by term where any run has several strengths of one kind. A run has 0 of what it has no
    penalty for. None where a run's strengths are not known, or changed while it ran.

    Args:
      runs: The layouts of each.
    """
    terms = [[term for layout in layouts for term in layout.columns] for layouts in runs]
    numbers: list[dict[str, set[float]]] = []
    for by_term in (False, True):
        numbers = []
        for of_run in terms:
            found: dict[str, set[float]] = {}
            numbers.append(found)
            for name, kind, number in strengths_of(of_run):
                key = f"{kind} {name}".strip() if by_term else kind or "strength"
                found.setdefault(key, set()).add(as_written(number))
        if all(len(each) == 1 for found in numbers for each in found.values()):
            break
    keys = dict.fromkeys(key for found in numbers for key in found)
    told: list[_Strengths] = []
    for of_run, found in zip(terms, numbers, strict=True):
        has_penalties = any(
            term.role == "penalty" or term.role in OUTSIDE_OF_LOSS for term in of_run
        )
        is_known = bool(found) or not (has_penalties or not of_run or not keys)
        changed = any(len(each) > 1 for each in found.values())
        told.append(
            {key: min(found.get(key, {0.0})) for key in keys} if is_known and not changed else None
        )
    return told


def named_strengths(run: str, pattern: re.Pattern[str] | None = None) -> _Strengths:
    r"""Returns the strengths in a run's name.

    Args:
      run: The name.
      pattern: As that of a ``StrengthSource``.

    Example:
      >>> named_strengths("mlp_l1=0.1_l2=1e-3/train")
      {'l1': 0.1, 'l2': 0.001}
      >>> named_strengths("a-0.5", re.compile(r"-([\d.]+)"))
      {'strength': 0.5}
    """
    if pattern is None:
        found = {match[1].lower(): match[2] for match in NAMED.finditer(run)}
    else:
        match = pattern.search(run)
        if match is None:
            return None
        found = match.groupdict() or {"strength": match[1]}
    try:
        numbers = {name: as_written(float(text)) for name, text in found.items() if text}
    except ValueError:
        return None
    return numbers or None


def told_strengths(known: Sequence[_Strengths]) -> list[Strength]:
    """Returns one number for each run where one strength varies, and else all those that do.

    Strengths that are equal in each of the runs are one. One that a run lacks is not known.

    Example:
      >>> told_strengths([{"l1": 0.1, "l2": 0.5}, {"l1": 0.1, "l2": 1.0}, None])
      [0.5, 1.0, None]
      >>> told_strengths([{"l1": 0.1, "l2": 0.5}, {"l1": 0.2, "l2": 1.0}])
      [{'l1': 0.1, 'l2': 0.5}, {'l1': 0.2, 'l2': 1.0}]
    """
    keys = dict.fromkeys(key for each in known for key in each or {})
    columns = {key: tuple(each.get(key) for each in known if each is not None) for key in keys}
    varying = {key: column for key, column in columns.items() if len(set(column)) > 1} or columns
    # Of those that are equal, the first.
    names = list({column: key for key, column in reversed(varying.items())}.values())[::-1]
    told: list[Strength] = []
    for each in known:
        numbers = {name: each[name] for name in names if name in each} if each else {}
        if not numbers or len(numbers) < len(names):
            told.append(None)
        else:
            told.append(numbers[names[0]] if len(names) == 1 else numbers)
    return told


def homes(
    runs: Collection[str],
    holders: Collection[str],
    recorded: Collection[str],
    *,
    may_share: bool = False,
) -> dict[str, str]:
    """Finds where something of each run is: beside it in ``validation``, in it, below or above it.

    Args:
      runs: The runs of a sweep.
      holders: The runs that hold something.
      recorded: All runs with recordings: those below a run are none of its own.
      may_share: Whether what is above several runs is of each of them.

    Returns:
      The holders by run.

    Example:
      >>> homes(["a/train", "b"], ["a/validation", "a/train", "b/1.5"], ["a/train", "b"])
      {'a/train': 'a/validation', 'b': 'b/1.5'}
    """
    above = Counter(map(_above, runs))
    below: dict[str, list[str]] = {}
    for holder in sorted(set(holders).difference(recorded), key=natural_key):
        below.setdefault(_above(holder), []).append(holder)
    found = {}
    for run in runs:
        parent = _above(run)
        base = parent if re.fullmatch(r"(.*[/\\])?train", run, re.DOTALL) else run
        validation = "validation" if base == "." else base + _separator(run) + "validation"
        places = [validation, run, *below.get(run, [])[-1:], *below.get(base, [])[-1:]]
        if may_share or above[parent] == 1:
            places.append(parent)
        home = next((place for place in places if place in holders), None)
        if home is not None:
            found[run] = home
    return found


def _above(run: str) -> str:
    return run[: max(run.rfind("/"), run.rfind("\\"), 0)] or "."


def _separator(run: str) -> str:
    return "\\" if "\\" in run and "/" not in run else "/"


def entries(
    endings: Mapping[Key, Ending],
    source: StrengthSource = StrengthSource(),
    hyperparameters: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    metrics: Mapping[str, float | None] | None = None,
) -> list[dict[str, Any]]:
    """Groups runs by strength; see ``docs/http_api.md``.

    Args:
      endings: Of all recordings of one name.
      source: Where strengths come from.
      hyperparameters: By the run that has them.
      metrics: Likewise, where a metric was asked for.

    Returns:
      What JSON has of each strength, in the order of strengths; what is not known comes last.
    """
    rows = pair(endings)
    runs, recorded = [run for run, _ in rows], [run for run, _ in endings]
    homes_of_metric = homes(runs, metrics or {}, recorded)
    points = []
    for key, validation in rows.items():
        home = homes_of_metric.get(key[0])
        metric = metrics[home] if metrics and home is not None else None
        validated = endings[validation] if validation else None
        points.append(Point(key[0], endings[key], validated, metric, home))
    known: list[_Strengths]
    if source.kind == "recorded":
        known = recorded_strengths([point.own.layouts for point in points])
    elif source.kind == "hparams":
        chosen = {run: source.chosen(numbers) for run, numbers in hyperparameters.items()}
        home_of = homes(runs, chosen, recorded, may_share=True)
        known = [chosen[home_of[run]] if run in home_of else None for run in runs]
    else:
        known = [named_strengths(run, source.pattern) for run in runs]
    longest = max((point.own.last_step or 0 for point in points), default=0)
    groups: dict[tuple[float, ...] | None, list[Point]] = {}
    strengths: dict[tuple[float, ...] | None, Strength] = {}
    for point, strength in zip(points, told_strengths(known), strict=True):
        order = _order(strength)
        strengths[order] = strength
        groups.setdefault(order, []).append(point)
    orders = sorted(groups, key=lambda order: (order is None, order or ()))
    return [
        _entry(strengths[order], groups[order], longest, metrics is not None) for order in orders
    ]


def _order(strength: Strength) -> tuple[float, ...] | None:
    if isinstance(strength, dict):
        return tuple(strength.values())
    return None if strength is None else (strength,)


def _entry(
    strength: Strength, group: Sequence[Point], longest: int, with_metric: bool
) -> dict[str, Any]:
    described = [_describe(point, longest, with_metric) for point in group]

    def values(figure: str) -> list[float]:
        return [each[figure] for each in described if each[figure] is not None]

    shares = values("penalty_share")
    levels = {layout.chance_level for point in group for layout in point.own.layouts}
    entry = {
        "strength": strength,
        "runs": [each["run"] for each in described],
        "data_loss": _spread(values("data_loss")),
        "validation_data_loss": _spread(values("validation_data_loss")),
        "penalty_share": statistics.fmean(shares) if shares else None,
        "chance_level": levels.pop() if len(levels) == 1 else None,
    }
    if with_metric:
        entry["metric"] = _spread(values("metric"))
    return entry | {
        "unfinished": [each["run"] for each in described if each["unfinished"]],
        "diverged": [each["run"] for each in described if each["diverged"]],
        "restarted": [each["run"] for each in described if each["restarted"]],
        "points": described,
    }


def _describe(point: Point, longest: int, with_metric: bool) -> dict[str, Any]:
    own, validation = point.own, point.validation
    described = {
        "run": point.run,
        "data_loss": own.data_loss,
        "validation_data_loss": validation.data_loss if validation else None,
        "penalty_share": own.penalty_share,
    }
    if with_metric:
        described |= {"metric": point.metric, "metric_run": point.metric_run}
    return described | {
        "steps": own.steps,
        "last_step": own.last_step,
        "unfinished": own.last_step is None or own.last_step < longest,
        "diverged": own.diverged or (validation is not None and validation.diverged),
        "restarted": own.restarted,
        "problem": own.problem or (validation.problem if validation else None),
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
