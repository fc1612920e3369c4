"""A recording as text: its exact rows, a part at a time, and its last values. Pure functions."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_regplugin.names import MAX_CELL, printable, recording_title, shortened
from tb_regplugin.reading.composition import IN_LOSS, evaluate
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

MAX_VALUES = 10_000_000
# Values that are made text at a time, some 20 bytes each: other requests wait no longer than that.
_CHUNK = 2**16
# What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
NON_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def column_names(columns: Sequence[Term]) -> list[str]:
    """Returns the columns' names, with their role in front where two columns share a name."""
    counts = Counter(column.name for column in columns)
    return [
        column.name if counts[column.name] == 1 else f"{column.role}: {column.name}"
        for column in columns
    ]


def csv_text(table: Table, first: int, stop: int) -> Iterator[str]:
    """Yields rows as CSV, numbers in the shortest form that gives the same float32 again."""
    names = [f"'{n}" if n.startswith(_FORMULA) else n for n in column_names(table.columns)]
    yield _csv([["step", "wall_time", *names]])
    for low, high in _chunks(table, first, stop):
        times = [NON_FINITE.get(time, time) for time in _times(table, low, high)]
        rows = _texts(table, low, high, missing="")
        yield _csv(
            [step, time, *row]
            for step, time, row in zip(
                table.steps[low:high].tolist(), times, rows.tolist(), strict=True
            )
        )


def _csv(rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def json_text(table: Table, first: int, stop: int) -> Iterator[str]:
    """Yields rows as a JSON object, with NaN and the infinities as strings."""
    yield '{"columns": ' + json.dumps(column_names(table.columns))
    lists: dict[str, Callable[[int, int], Iterable[str]]] = {
        "steps": lambda low, high: map(str, table.steps[low:high].tolist()),
        "wall_times": lambda low, high: map(_json_number, _times(table, low, high)),
        "values": lambda low, high: (
            f"[{', '.join(row)}]"
            for row in _texts(table, low, high, missing="null", quote='"').tolist()
        ),
    }
    for name, items in lists.items():
        yield f', "{name}": ['
        for low, high in _chunks(table, first, stop):
            text = ", ".join(items(low, high))
            yield text if low == first else ", " + text
        yield "]"
    yield "}"


def describe_last_values(run: str, name: str, contents: Contents) -> dict[str, Any]:
    """Describes a recording by the last value of each of its columns.

    Returns:
      Run, name, number of rows, last step, and for each column its ``last`` value with its
      ``share`` of the loss: of the sum of the sizes of all parts, so that shares add up to 1 also
      where some parts are negative. A column that was not recorded in the last row has neither.
      One that is not in the loss has no share, nor have penalties alone: what else the loss has,
      nobody knows. Of numbers that JSON lacks, ``last`` is the name.
    """
    table = contents.table
    described: dict[str, Any] = {"run": run, "name": name, "rows": len(table.steps)}
    if not len(table.steps):
        return described | {"last_step": None, "columns": []}
    last = len(table.steps) - 1
    values = [float(evaluate(table, c.sum, last, last + 1)[0]) for c in contents.columns]
    whole = sum(
        abs(value)
        for column, value in zip(contents.columns, values, strict=True)
        if column.term.role in IN_LOSS and np.isfinite(value)
    )
    # Derived where there is a data loss.
    has_total = any(column.term.role == "total" for column in contents.columns)
    has_residual = contents.digests.has_significant_residual(table)
    columns = []
    for i, (column, value) in enumerate(zip(contents.columns, values, strict=True)):
        if column.is_residual and not has_residual:
            continue
        term = column.term
        entry = {key: vars(term)[key] for key in ("name", "role", "kind", "strength")}
        entry = {key: known for key, known in entry.items() if known is not None}
        if column.derived or table.recorded[-1, i]:
            entry["last"] = value if np.isfinite(value) else str(value)
            if term.role in IN_LOSS and np.isfinite(value) and whole > 0 and has_total:
                entry["share"] = abs(value) / whole
        columns.append(entry)
    return described | {"last_step": int(table.steps[-1]), "columns": columns}


def last_values_table(described: dict[str, Any]) -> str:
    """Returns what ``describe_last_values`` found as a table."""
    title = printable(recording_title(described["run"], described["name"]))
    if not described["columns"]:
        return f"{title}: nothing recorded yet"
    heading = f"{title}: {described['rows']:,} steps, last step {described['last_step']:,}"
    rows = [("term", "role", "kind", "strength", "last", "share")]
    for column in described["columns"]:
        name = shortened(printable(column["name"]), MAX_CELL)
        strength = str(column.get("strength", ""))
        kind = column.get("kind", "")
        rows.append((name, column["role"], kind, strength, *last_and_share(column)))
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join([heading, *("  " + _line(row, widths) for row in rows)])


def last_and_share(column: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the last value of a column that was described, and its share, as text."""
    last, share = column.get("last"), column.get("share")
    told = "-" if last is None else last if isinstance(last, str) else f"{last:.6g}"
    return told, "" if share is None else f"{share:.2%}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    texts = [cell.ljust(width) for cell, width in zip(cells[:4], widths[:4], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(cells[4:], widths[4:], strict=True)]
    return "  ".join([*texts, *numbers]).rstrip()


def _chunks(table: Table, first: int, stop: int) -> Iterator[tuple[int, int]]:
    rows = max(1, _CHUNK // max(1, len(table.columns)))
    return ((low, min(low + rows, stop)) for low in range(first, stop, rows))


def _times(table: Table, low: int, high: int) -> Iterator[str]:
    return map(repr, table.wall_times[low:high].tolist())


def _texts(
    table: Table, low: int, high: int, *, missing: str, quote: str = ""
) -> npt.NDArray[np.str_]:
    """Returns values as text, ``[rows, columns]``."""
    values = table.values[:, low:high].T
    # NumPy 1 writes up to 16 digits out, with a sign and ".0"; a shorter text would be cut off.
    texts = values.astype("U19")
    if not np.isfinite(values).all():
        for bad, text in NON_FINITE.items():
            texts[texts == bad] = quote + text + quote
        stretch = np.searchsorted(table.stretches, np.arange(low, high), side="right") - 1
        texts[~table.recorded[stretch]] = missing
    return texts


def _json_number(text: str) -> str:
    return f'"{NON_FINITE[text]}"' if text in NON_FINITE else text
