"""What the table of runs says of each recording: a few numbers made of all its rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tb_regplugin.reading.remembered import ListedOnce, Remembered
from tb_regplugin.reading.restarts import times_back
from tb_regplugin.reading.runs import Key, pair
from tb_regplugin.reading.shares import parts
from tb_regplugin.reading.source import Source, first_of
from tb_regplugin.reading.store import Contents, Store
from tb_regplugin.reading.strengths import strength_of
from tb_regplugin.terms import GRADIENT_ROLES, Term

# An answer ends with the row during which this time is over: charts wait for their own reading.
_SECONDS = 0.5
_MAX_ROWS = 1_000
# Rows that are remembered take some 1 KiB each.
_MAX_REMEMBERED = 20_000


@dataclass(frozen=True)
class Figures:
    """A recording in a few numbers; None where one is not known or has no meaning.

    Attributes:
      strength: The penalties' only strength, or the strengths of each kind as text.
      data_first: The first finite data loss.
      data_last: The last one.
      share_largest: The penalties' largest share of the total.
      share_last: Their share at the last step.
      steps: How many were recorded.
      restarts: How often the recording went back to an earlier step.
      problem: Why not all of it could be read.
    """

    strength: float | str | None = None
    data_first: float | None = None
    data_last: float | None = None
    share_largest: float | None = None
    share_last: float | None = None
    steps: int = 0
    restarts: int = 0
    problem: str | None = None


def figures(contents: Contents) -> Figures:
    """Looks at all rows of a recording."""
    ends: list[float] = []
    largest: float | None = None
    last: float | None = None
    for data, share in parts(contents, 0):
        finite = data[np.isfinite(data)]
        ends += finite[[0, -1]].tolist() if len(finite) else []
        has_share = ~np.isnan(share)
        if has_share.any():
            largest = max(float(share[has_share].max()), largest or 0.0)
        last = float(share[-1]) if has_share[-1] else None
    return Figures(
        strength_of(contents.table.columns),
        ends[0] if ends else None,
        ends[-1] if ends else None,
        largest,
        last,
        len(contents.table.steps),
        times_back(contents.restarts),
        first_of(contents.problems),
    )


def describe_row(key: Key, own: Figures, validation: Figures | None) -> dict[str, Any]:
    """Returns a row as JSON has it: see ``docs/http_api.md``."""
    run, name = key
    row = {"run": run, "name": name, **asdict(own), "validation_data_last": None}
    if validation is not None:
        row["validation_data_last"] = validation.data_last
        row["problem"] = own.problem or validation.problem
    return row


class Overview:
    """Looks at each recording once until it changes. Safe to use from threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = Remembered(
            store, lambda reason: Figures(problem=reason), at_most=_MAX_REMEMBERED
        )

    def answer(self, source: Source, start: int) -> dict[str, Any]:
        """Returns some rows, from one on: as many as are there at once, or soon."""
        source = ListedOnce(source)
        listed = {
            (recording.entry.run, recording.entry.name): recording
            for recording in self._store.recordings(source)
            if not is_of_gradients(recording.columns)
        }
        rows = pair(listed)
        asked = dict(itertools.islice(rows.items(), start, start + _MAX_ROWS))
        wanted = (listed[each] for row in asked.items() for each in row if each)
        known = self._known.of(source, wanted, figures, _SECONDS)
        told: list[dict[str, Any]] = []
        for key, validation in asked.items():
            if not {key, validation or key} <= known.keys():
                break
            row = describe_row(key, known[key], known[validation] if validation else None)
            told.append(row)
        after = start + len(told)
        return {"rows": told, "next": after if after < len(rows) else None}


def is_of_gradients(terms: Sequence[Term]) -> bool:
    """Whether a recording is of gradients, and so of no loss."""
    return bool(terms) and all(term.role in GRADIENT_ROLES for term in terms)
