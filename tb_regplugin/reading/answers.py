"""What the routes answer, as plain data: see ``docs/http_api.md``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from tb_regplugin.reading.buckets import bucket_bounds, fill_buckets, row_range
from tb_regplugin.reading.composition import Column
from tb_regplugin.reading.encoding import encode
from tb_regplugin.reading.index import Problem
from tb_regplugin.reading.store import Contents, Summary
from tb_regplugin.terms import Term

MAX_BUCKETS = 10_000
DEFAULT_BUCKETS = 1_000


def recordings_answer(summaries: Iterable[Summary]) -> dict[str, Any]:
    """Describes recordings."""
    return {
        "recordings": [
            {
                "run": summary.entry.run,
                "name": summary.entry.name,
                "last_step": summary.entry.last_step,
                "last_wall_time": summary.entry.last_wall_time,
                "columns": [_describe_term(term) for term in summary.columns],
                "problems": _describe_problems(summary.problems),
            }
            for summary in summaries
        ]
    }


def curves_answer(
    run: str,
    name: str,
    contents: Contents,
    *,
    start: int | None = None,
    end: int | None = None,
    buckets: int = DEFAULT_BUCKETS,
) -> bytes:
    """Encodes a recording's columns over a range of steps, in buckets.

    Args:
      run: The recording's run.
      name: Its name.
      contents: What it holds.
      start: The first step; the recording's own when left out.
      end: The last step, inclusive; likewise.
      buckets: At most how many.
    """
    table, composition = contents.table, contents.composition
    steps = table.steps
    first, stop = row_range(steps, start, end)
    bounds = np.zeros(1, np.int64)
    if first < stop:
        # No wider than the recording: a range around all of it does not make it coarser.
        low = int(steps[0]) if start is None else max(start, int(steps[0]))
        high = int(steps[-1]) if end is None else min(end, int(steps[-1]))
        bounds = first + bucket_bounds(steps[first:stop], low, high, buckets)
    filled = fill_buckets(
        steps,
        table.wall_times,
        composition.values,
        table.stretches,
        composition.recorded,
        bounds,
    )
    header = {
        "run": run,
        "name": name,
        "first_step": int(steps[0]) if len(steps) else None,
        "last_step": int(steps[-1]) if len(steps) else None,
        "rows": len(steps),
        "rows_in_range": stop - first,
        "columns": [_describe_column(column) for column in composition.columns],
        "problems": _describe_problems(contents.problems),
    }
    arrays: dict[str, Any] = {
        "first_step": filled.first_step.astype(np.float64),
        "last_step": filled.last_step.astype(np.float64),
        "wall_time": filled.wall_time,
        "rows": filled.rows,
        "min": filled.minimum,
        "mean": filled.mean,
        "max": filled.maximum,
        "last": filled.last,
    }
    for key in ("nan", "positive_infinity", "negative_infinity"):
        counts = getattr(filled, key)
        if counts.any():
            arrays[key] = counts
    return encode(header, arrays)


def _describe_term(term: Term) -> dict[str, Any]:
    return {key: value for key, value in asdict(term).items() if value is not None}


def _describe_column(column: Column) -> dict[str, Any]:
    described = _describe_term(column.term)
    if column.derived:
        described["derived"] = True
    if column.significant is not None:
        described["significant"] = column.significant
    if column.first_non_finite_step is not None:
        described["first_non_finite_step"] = column.first_non_finite_step
    return described


def _describe_problems(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [problem._asdict() for problem in problems]
