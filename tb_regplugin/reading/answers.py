"""What the routes answer, as plain data: see ``docs/http_api.md``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tb_regplugin.reading.axis import bucket_bounds, positions, row_range
from tb_regplugin.reading.buckets import fill_buckets
from tb_regplugin.reading.composition import Column
from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.encoding import encode
from tb_regplugin.reading.export import MAX_VALUES, csv_text, json_text
from tb_regplugin.reading.grouping import group, keep_largest
from tb_regplugin.reading.index import Problem
from tb_regplugin.reading.query import CurvesQuery, ExportQuery, QueryError, StatisticsQuery
from tb_regplugin.reading.smoothing import smooth_series
from tb_regplugin.reading.statistics import statistics
from tb_regplugin.reading.store import Summary
from tb_regplugin.terms import Term

# An answer is put together in memory: 128 MiB of float32.
MAX_CURVE_VALUES = 2**25
# Members of a group that are named; a group may have any number of them.
_MAX_MEMBERS = 1_000


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


def curves_answer(run: str, name: str, contents: Contents, query: CurvesQuery) -> bytes:
    """Encodes a recording's columns over a range, in buckets."""
    table = contents.table
    x = positions(table, query.range.x)
    bounds = bucket_bounds(x, query.range.start, query.range.end, query.buckets)
    columns = _shown(contents, query, bounds)
    _check_size(len(columns), len(bounds) - 1, query)
    series = [column.series for column in columns]
    filled = fill_buckets(table, series, bounds, contents.digests)
    starts, stops = bounds[:-1], bounds[1:]
    header = {
        "run": run,
        "name": name,
        "x": query.range.x,
        "first_step": int(table.steps[0]) if len(x) else None,
        "last_step": int(table.steps[-1]) if len(x) else None,
        "first_x": _json_number(x[0]) if len(x) else None,
        "last_x": _json_number(x[-1]) if len(x) else None,
        "rows": len(x),
        "rows_in_range": int(bounds[-1] - bounds[0]),
        "columns": [_describe_column(contents, column) for column in columns],
        "problems": _describe_problems(contents.problems),
    }
    arrays: dict[str, Any] = {
        "first_step": filled.first_step.astype(np.float64),
        "last_step": filled.last_step.astype(np.float64),
        "first_x": x[starts].astype(np.float64),
        "last_x": x[stops - 1].astype(np.float64),
        "wall_time": filled.wall_time,
    }
    wanted = {
        "rows": filled.rows,
        "min": filled.minimum,
        "mean": filled.mean,
        "max": filled.maximum,
        "last": filled.last,
    }
    arrays |= {key: array for key, array in wanted.items() if key in query.arrays}
    if query.smoothing and "smoothed" in query.arrays:
        smoothed = smooth_series(table, series, query.smoothing, stops - 1)
        arrays["smoothed"] = np.where(filled.rows > 0, smoothed, np.float32(np.nan))
    for key in ("nan", "positive_infinity", "negative_infinity"):
        counts = getattr(filled, key)
        if counts.any():
            arrays[key] = counts
    return encode(header, arrays)


def statistics_answer(
    run: str, name: str, contents: Contents, query: StatisticsQuery
) -> dict[str, Any]:
    """Describes each column over a range."""
    table = contents.table
    x = positions(table, query.range.x)
    first, stop = row_range(x, query.range.start, query.range.end)
    columns = group(contents.columns, query.grouping)
    described = []
    figures = statistics(contents, columns, first, stop)
    for column, figure in zip(columns, figures, strict=True):
        row = figure.first_non_finite_row
        described.append(
            _describe_series(contents, column)
            | {
                "last": _json_number(figure.last),
                "min": _json_number(figure.minimum),
                "max": _json_number(figure.maximum),
                "mean": _json_number(figure.mean),
                "share": _json_number(figure.share),
                "rows": figure.rows,
                "non_finite": figure.non_finite,
                "first_non_finite_step": None if row is None else int(table.steps[row]),
            }
        )
    return {
        "run": run,
        "name": name,
        "rows_in_range": stop - first,
        "first_step": int(table.steps[first]) if first < stop else None,
        "last_step": int(table.steps[stop - 1]) if first < stop else None,
        "columns": described,
    }


def export_answer(contents: Contents, query: ExportQuery) -> Iterator[str]:
    """Writes out the exact rows of a range, a part at a time.

    Raises:
      QueryError: They are too many.
    """
    table = contents.table
    first, stop = row_range(positions(table, query.range.x), query.range.start, query.range.end)
    values = (stop - first) * len(table.columns)
    if values > MAX_VALUES:
        raise QueryError(
            f"The range holds {values:,} values, and one export at most {MAX_VALUES:,}. "
            "Narrow it with start and end."
        )
    text = csv_text if query.format == "csv" else json_text
    return text(table, first, stop)


def _check_size(columns: int, buckets: int, query: CurvesQuery) -> None:
    values = columns * buckets * len(query.arrays)
    if values > MAX_CURVE_VALUES:
        raise QueryError(
            f"That is {columns:,} columns in {buckets:,} buckets, {values:,} numbers, and one "
            f"answer holds at most {MAX_CURVE_VALUES:,}. "
            "Ask for fewer buckets or arrays, or use top."
        )


def _shown(contents: Contents, query: CurvesQuery, bounds: Any) -> tuple[Column, ...]:
    """Groups penalties, and joins those that are the smallest over the rows asked for."""
    columns = group(contents.columns, query.grouping)
    if not query.top:
        return columns
    penalties = [i for i, column in enumerate(columns) if column.term.role == "penalty"]
    sizes = [(False, 0.0)] * len(columns)
    if len(bounds) > 1 and len(penalties) > query.top:
        first, stop = int(bounds[0]), int(bounds[-1])
        for i in penalties:
            sizes[i] = contents.digests.size(contents.table, columns[i].series, first, stop)
    return keep_largest(columns, sizes, query.top)


def _describe_term(term: Term) -> dict[str, Any]:
    return {key: value for key, value in vars(term).items() if value is not None}


def _describe_series(contents: Contents, column: Column) -> dict[str, Any]:
    described = _describe_term(column.term)
    if column.members is not None:
        described["terms"] = len(column.members)
        described["members"] = column.members[:_MAX_MEMBERS]
    if column.rest:
        described["rest"] = True
    if column.derived:
        described["derived"] = True
    if column.is_residual:
        described["significant"] = contents.digests.has_significant_residual(contents.table)
    return described


def _describe_column(contents: Contents, column: Column) -> dict[str, Any]:
    described = _describe_series(contents, column)
    row = contents.digests.first_non_finite(contents.table, column.series)
    if row is not None:
        described["first_non_finite_step"] = int(contents.table.steps[row])
    return described


def _describe_problems(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [problem._asdict() for problem in problems]


def _json_number(number: Any) -> int | float | str | None:
    """Returns a number as JSON has it; NaN and the infinities as text."""
    if number is None or isinstance(number, (int, np.integer)):
        return None if number is None else int(number)
    value = float(number)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
