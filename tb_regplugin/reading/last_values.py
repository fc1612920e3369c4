"""What a recording's loss was made of at its last step, as plain data and as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.series import evaluate
from tb_regplugin.terms import Term

_IN_THE_LOSS = ("data", "penalty", "unexplained")


def describe_last_values(run: str, name: str, contents: Contents) -> dict[str, Any]:
    """Describes a recording by the last value of each of its columns.

    Returns:
      Run, name, number of rows, last step, and for each column its ``last`` value with its
      ``share`` of the loss: of the sum of the sizes of all parts, so that shares add up to 1 also
      where some parts are negative. A column that was not recorded in the last row has neither,
      and so has the share of one that is not in the loss. Of numbers that JSON lacks, ``last`` is
      the name.
    """
    table = contents.table
    described: dict[str, Any] = {"run": run, "name": name, "rows": len(table.steps)}
    if not len(table.steps):
        return described | {"last_step": None, "columns": []}
    last = len(table.steps) - 1
    values = [float(evaluate(table, c.series, last, last + 1)[0]) for c in contents.columns]
    recorded = dict(zip(_keys(table.columns), table.recorded[-1].tolist(), strict=True))
    parts = [
        abs(value)
        for column, value in zip(contents.columns, values, strict=True)
        if column.term.role in _IN_THE_LOSS and np.isfinite(value)
    ]
    whole = sum(parts)
    has_residual = contents.digests.has_significant_residual(table)
    columns = []
    for column, value in zip(contents.columns, values, strict=True):
        if column.is_residual and not has_residual:
            continue
        term = column.term
        entry: dict[str, Any] = {"name": term.name, "role": term.role}
        if term.kind is not None:
            entry["kind"] = term.kind
        if term.strength is not None:
            entry["strength"] = term.strength
        if column.derived or recorded.get((term.role, term.name), True):
            entry["last"] = value if np.isfinite(value) else str(value)
            if term.role in _IN_THE_LOSS and np.isfinite(value) and whole > 0:
                entry["share"] = abs(value) / whole
        columns.append(entry)
    return described | {"last_step": int(table.steps[-1]), "columns": columns}


def last_values_table(described: dict[str, Any]) -> str:
    """Returns what ``describe_last_values`` found as a table."""
    title = described["run"]
    if described["name"] != "losses":
        title += f" ({described['name']})"
    if not described["columns"]:
        return f"{title}: nothing recorded yet"
    heading = f"{title}: {described['rows']:,} steps, last step {described['last_step']:,}"
    rows = [("term", "role", "kind", "strength", "last", "share")]
    for column in described["columns"]:
        last, share = column.get("last"), column.get("share")
        rows.append(
            (
                column["name"],
                column["role"],
                column.get("kind", ""),
                str(column.get("strength", "")),
                "-" if last is None else last if isinstance(last, str) else f"{last:.6g}",
                "" if share is None else f"{share:.2%}",
            )
        )
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join([heading, *("  " + _line(row, widths) for row in rows)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    texts = [cell.ljust(width) for cell, width in zip(cells[:4], widths[:4], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(cells[4:], widths[4:], strict=True)]
    return "  ".join([*texts, *numbers]).rstrip()


def _keys(terms: Sequence[Term]) -> list[tuple[str, str]]:
    return [(term.role, term.name) for term in terms]
