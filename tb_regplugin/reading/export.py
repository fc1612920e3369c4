"""Exact rows as text, a part at a time. Pure functions."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

MAX_VALUES = 10_000_000
_CHUNK = 4096  # rows
_NON_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def column_names(columns: Sequence[Term]) -> list[str]:
    """Returns the columns' names, with their role in front where two columns share a name."""
    counts = Counter(column.name for column in columns)
    return [
        column.name if counts[column.name] == 1 else f"{column.role}: {column.name}"
        for column in columns
    ]


def csv_text(table: Table, first: int, stop: int) -> Iterator[str]:
    """Yields rows as CSV, numbers in the shortest form that gives the same float32 again."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["step", "wall_time", *column_names(table.columns)])
    for low in range(first, stop, _CHUNK):
        high = min(low + _CHUNK, stop)
        times = [_NON_FINITE.get(text, text) for text in map(repr, _times(table, low, high))]
        rows = _texts(table, low, high, missing="")
        writer.writerows(
            [step, time, *row]
            for step, time, row in zip(
                table.steps[low:high].tolist(), times, rows.tolist(), strict=True
            )
        )
        yield _take(buffer)
    yield _take(buffer)


def json_text(table: Table, first: int, stop: int) -> Iterator[str]:
    """Yields rows as a JSON object, with NaN and the infinities as strings."""
    yield '{"columns": ' + json.dumps(column_names(table.columns))
    lists: dict[str, Callable[[int, int], Iterable[str]]] = {
        "steps": lambda low, high: map(str, table.steps[low:high].tolist()),
        "wall_times": lambda low, high: map(_json_number, map(repr, _times(table, low, high))),
        "values": lambda low, high: (
            f"[{', '.join(row)}]"
            for row in _texts(table, low, high, missing="null", quote='"').tolist()
        ),
    }
    for name, items in lists.items():
        yield f', "{name}": ['
        for low in range(first, stop, _CHUNK):
            text = ", ".join(items(low, min(low + _CHUNK, stop)))
            yield text if low == first else ", " + text
        yield "]"
    yield "}"


def _times(table: Table, low: int, high: int) -> list[float]:
    times: list[float] = table.wall_times[low:high].tolist()
    return times


def _texts(
    table: Table, low: int, high: int, *, missing: str, quote: str = ""
) -> npt.NDArray[np.str_]:
    """Returns values as text, ``[rows, columns]``."""
    values = table.values[:, low:high].T
    # NumPy 1 writes up to 16 digits out, with a sign and ".0"; a shorter text would be cut off.
    texts = values.astype("U19")
    if not np.isfinite(values).all():
        for bad, text in _NON_FINITE.items():
            texts[texts == bad] = quote + text + quote
        stretch = np.searchsorted(table.stretches, np.arange(low, high), side="right") - 1
        texts[~table.recorded[stretch]] = missing
    return texts


def _json_number(text: str) -> str:
    return f'"{_NON_FINITE[text]}"' if text in _NON_FINITE else text


def _take(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
