"""What the routes answer, as plain data and as bytes: see ``docs/http_api.md``."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.aggregates import Aggregator, first_non_finite
from tb_regplugin.reading.axis import bucket_bounds, positions, row_range
from tb_regplugin.reading.buckets import fill_buckets
from tb_regplugin.reading.composition import (
    PARTS,
    Column,
    evaluate,
    first_recorded,
    group,
    keep_largest,
)
from tb_regplugin.reading.export import MAX_VALUES, NON_FINITE, csv_text, json_text
from tb_regplugin.reading.query import Query, QueryError
from tb_regplugin.reading.shares import largest_share
from tb_regplugin.reading.smoothing import smooth_sums
from tb_regplugin.reading.store import Contents, ListedRecording
from tb_regplugin.reading.table import Strengths, first_strengths, key
from tb_regplugin.terms import OUTSIDE_OF_LOSS, Term

# An answer is put together in memory: 128 MiB of float32.
MAX_CURVE_VALUES = 2**25
# Each is measured in some 20 µs: nobody waits for more of them.
MAX_COLUMNS = 50_000
# Members of a group that are named; a group may have any number of them.
_MAX_MEMBERS = 1_000
# Restarts that are told; a recording may have any number of them.
_MAX_RESTARTS = 1_000
# Browsers can only view an array that begins at a multiple of its items' size.
_ALIGNMENT = 8
_LENGTH = struct.Struct("<I")


def recordings_answer(listed: Iterable[ListedRecording], waiting: int = 0) -> dict[str, Any]:
    """Describes recordings, and says how many runs' scalars wait to be looked at."""
    described = {"recordings": [describe_recording(recording) for recording in listed]}
    return described | ({"waiting": waiting} if waiting else {})


def describe_recording(recording: ListedRecording) -> dict[str, Any]:
    """Returns a recording as JSON has it."""
    described = {
        "run": recording.entry.run,
        "name": recording.entry.name,
        "last_step": recording.entry.last_step,
        "last_wall_time": recording.entry.last_wall_time,
        "columns": _describe_terms(recording),
        "problems": [problem._asdict() for problem in recording.problems],
    }
    return described | ({"scalars": recording.scalars} if recording.scalars else {})


def curves_answer(run: str, name: str, contents: Contents, query: Query) -> bytes:
    """Encodes a recording's columns over a range, in buckets."""
    table = contents.table
    x = positions(table, query.x)
    bounds = bucket_bounds(x, query.start, query.end, query.buckets)
    # The smallest penalties, over the rows asked for, are joined.
    first, stop = bounds[[0, -1]].tolist()
    columns = keep_largest(
        _grouped(contents, query),
        lambda column: contents.digests.size(table, column.sum, first, stop),
        query.top,
    )
    sums = [column.sum for column in columns]
    starts, stops = bounds[:-1], bounds[1:]
    values = len(columns) * len(starts) * len(query.arrays)
    if values > MAX_CURVE_VALUES:
        raise QueryError(
            f"That is {len(columns):,} columns in {len(starts):,} buckets, {values:,} numbers, and "
            f"one answer holds at most {MAX_CURVE_VALUES:,}. "
            "Ask for fewer buckets or arrays, or use top."
        )
    filled = fill_buckets(table, sums, bounds, contents.digests)
    strengths = first_strengths(table.layouts)
    header = {
        "run": run,
        "name": name,
        "x": query.x,
        "first_step": int(table.steps[0]) if len(x) else None,
        "last_step": int(table.steps[-1]) if len(x) else None,
        "first_x": _json_number(x[0]) if len(x) else None,
        "last_x": _json_number(x[-1]) if len(x) else None,
        "rows": len(x),
        "rows_in_range": stop - first,
        "share_largest": largest_share(contents, first, stop),
        "restarts": [
            {"step": step, "after": last} for step, last in contents.restarts[:_MAX_RESTARTS]
        ],
        "columns": [
            _describe_curve(contents, column, (first, stop), strengths) for column in columns
        ],
        "problems": [problem._asdict() for problem in contents.problems],
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
        smoothed = smooth_sums(table, sums, query.smoothing, stops - 1)
        arrays["smoothed"] = np.where(filled.rows > 0, smoothed, np.float32(np.nan))
    for kind in ("nan", "positive_infinity", "negative_infinity"):
        counts = getattr(filled, kind)
        if counts.any():
            arrays[kind] = counts
    return _encode(header, arrays)


def statistics_answer(run: str, name: str, contents: Contents, query: Query) -> dict[str, Any]:
    """Describes each column over a range."""
    table = contents.table
    x = positions(table, query.x)
    first, stop = row_range(x, query.start, query.end)
    columns = _grouped(contents, query)
    figures = _statistics(contents, columns, first, stop)
    return {
        "run": run,
        "name": name,
        "rows_in_range": stop - first,
        "first_step": int(table.steps[first]) if first < stop else None,
        "last_step": int(table.steps[stop - 1]) if first < stop else None,
        "columns": [
            _describe_column(contents, column) | figure
            for column, figure in zip(columns, figures, strict=True)
        ],
    }


def export_answer(contents: Contents, query: Query) -> Iterator[str]:
    """Writes out the exact rows of a range, a part at a time.

    Raises:
      QueryError: They are too many.
    """
    table = contents.table
    first, stop = row_range(positions(table, query.x), query.start, query.end)
    values = (stop - first) * len(table.columns)
    if values > MAX_VALUES:
        raise QueryError(
            f"The range holds {values:,} values, and one export at most {MAX_VALUES:,}. "
            "Narrow it with start and end."
        )
    text = csv_text if query.format == "csv" else json_text
    return text(table, first, stop)


def _grouped(contents: Contents, query: Query) -> tuple[Column, ...]:
    columns = group(contents.columns, query.group, query.depth, query.sets)
    if len(columns) > MAX_COLUMNS:
        raise QueryError(
            f"That is {len(columns):,} columns, and one answer looks at {MAX_COLUMNS:,} at most. "
            "Use group=kind, group=all, or group=layer:1 to join them."
        )
    return columns


def _statistics(
    contents: Contents, columns: Sequence[Column], first: int, stop: int
) -> Iterator[dict[str, Any]]:
    """Yields each column's figures over rows: see ``docs/http_api.md``."""
    if first >= stop:
        nothing = dict.fromkeys(("last", "min", "max", "mean", "share"))
        for _ in columns:
            yield nothing | {"rows": 0, "non_finite": 0, "first_non_finite_step": None}
        return
    table, bounds = contents.table, np.array([first, stop])
    parts = [column.sum for column in contents.columns if column.term.role in ("total", *PARTS)]
    # Each sum once: without groups, the parts are among the columns.
    asked = dict.fromkeys([*(column.sum for column in columns), *parts])
    filled = fill_buckets(table, list(asked), bounds, contents.digests)
    places = dict(zip(asked, range(len(asked)), strict=True))
    bad = filled.non_finite[:, 0]
    aggregator = Aggregator(table, bounds, contents.digests)
    sums = [float(aggregator.of(column.sum).sums[0]) for column in columns]
    total = sum(sums[i] for i, column in enumerate(columns) if column.term.role == "total")
    # Shares have a meaning where total and parts are finite and nowhere negative.
    is_share = (bad == 0) & ((filled.minimum[:, 0] >= 0) | (filled.rows[:, 0] == 0))
    is_whole = total > 0 and all(is_share[places[part]] for part in parts)
    for column, own in zip(columns, sums, strict=True):
        i = places[column.sum]
        rows = int(filled.rows[i, 0])
        finite = rows - int(bad[i])
        has_share = is_whole and finite and is_share[i]
        row = first_non_finite(table, column.sum, first, stop) if bad[i] else None
        yield {
            "last": _json_number(filled.last[i, 0]) if rows else None,
            "min": _json_number(filled.minimum[i, 0]) if finite else None,
            "max": _json_number(filled.maximum[i, 0]) if finite else None,
            "mean": _json_number(own / finite) if finite else None,
            "share": own / total if has_share and column.term.role not in OUTSIDE_OF_LOSS else None,
            "rows": rows,
            "non_finite": int(bad[i]),
            "first_non_finite_step": None if row is None else int(table.steps[row]),
        }


def _describe_term(term: Term) -> dict[str, Any]:
    return {key: value for key, value in vars(term).items() if value is not None}


def _describe_terms(recording: ListedRecording) -> list[dict[str, Any]]:
    strengths = first_strengths(recording.layouts.values())
    return [_describe_term(term) | _changed(term, strengths) for term in recording.columns]


def _changed(term: Term, strengths: Strengths) -> dict[str, Any]:
    """Says how strong a term was at first, where it is not as strong any more."""
    first = strengths.get(key(term))
    is_changed = None not in (first, term.strength) and first != term.strength
    return {"first_strength": first} if is_changed else {}


def _describe_column(contents: Contents, column: Column) -> dict[str, Any]:
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


def _describe_curve(
    contents: Contents, column: Column, rows: tuple[int, int], strengths: Strengths
) -> dict[str, Any]:
    table = contents.table
    described = _describe_column(contents, column) | _changed(column.term, strengths)
    row = contents.digests.first_non_finite(table, column.sum)
    if row is not None:
        described["first_non_finite_step"] = int(table.steps[row])
    row = first_recorded(table, column.sum, *rows)
    if row is not None:
        described["first"] = _json_number(evaluate(table, column.sum, row, row + 1)[0])
    return described


def _json_number(number: np.generic | float) -> int | float | str:
    """Returns a number as JSON has it; NaN and the infinities as text."""
    value: int | float = number.item() if isinstance(number, np.generic) else number
    return value if math.isfinite(value) else NON_FINITE[repr(value)]


def _encode(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Returns curves in their binary form: a JSON header and little-endian arrays.

    The header gets a list of the arrays. Those of the largest items come first, which keeps all of
    them aligned.
    """
    described: list[dict[str, Any]] = []
    offset = 0
    for name, array in arrays.items():
        shape = list(array.shape)
        described.append(
            {"name": name, "dtype": array.dtype.name, "shape": shape, "offset": offset}
        )
        offset += array.nbytes
    text = json.dumps({**header, "arrays": described}, allow_nan=False).encode()
    text += b" " * (-(_LENGTH.size + len(text)) % _ALIGNMENT)
    chunks = [
        array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        for array in arrays.values()
    ]
    return b"".join([_LENGTH.pack(len(text)), text, *chunks])
