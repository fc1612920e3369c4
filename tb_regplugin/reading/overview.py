"""What the table of runs says of each recording: a few numbers made of all its rows."""

from __future__ import annotations

import itertools
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_regplugin.names import MAX_CELL, shortened
from tb_regplugin.reading.composition import chunks, evaluate, places
from tb_regplugin.reading.source import Listing, Problem, Source
from tb_regplugin.reading.store import Contents, ListedRecording, Store
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import GRADIENT_ROLES, Term

_logger = logging.getLogger(__name__)

# Run and name.
Key = tuple[str, str]

# An answer ends with the row during which this time is over: charts wait for their own reading.
_SECONDS = 0.5
_MAX_ROWS = 1_000
# Rows that are remembered take some 1 KiB each.
_MAX_REMEMBERED = 20_000

# Parts that are more than the whole by more than float32 sums round off are not all in it: the
# line under a chart's title gives no shares then, either.
_ROUNDING = 1e-3

_VALIDATION = "validation"


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
      problem: Why not all of it could be read.
    """

    strength: float | str | None = None
    data_first: float | None = None
    data_last: float | None = None
    share_largest: float | None = None
    share_last: float | None = None
    steps: int = 0
    problem: str | None = None


def figures(contents: Contents) -> Figures:
    """Looks at all rows of a recording."""
    table = contents.table
    data_places, penalty_places = (places(table.columns, [role]) for role in ("data", "penalty"))
    total = next((column for column in contents.columns if column.term.role == "total"), None)
    ends: list[float] = []
    largest: float | None = None
    last: float | None = None
    for recorded, low, high in chunks(table.recorded, table.stretches):
        data, penalties = (
            _Sum(table, [i for i in chosen if recorded[i]], low, high)
            for chosen in (data_places, penalty_places)
        )
        if data.places:
            finite = data.values[np.isfinite(data.values)]
            ends += finite[[0, -1]].tolist() if len(finite) else []
        if total is None:
            continue
        whole = evaluate(table, total.sum, low, high).astype(np.float64)
        with np.errstate(invalid="ignore"):
            are_parts = data.values + penalties.values <= whole * (1 + _ROUNDING)
        # False where any of them is NaN or infinite.
        has_share = are_parts & (whole > 0) & np.isfinite(whole)
        has_share &= ~(data.is_negative | penalties.is_negative)
        share = penalties.values[has_share] / whole[has_share]
        largest = max((float(share.max(initial=0)), largest or 0.0)) if len(share) else largest
        last = float(share[-1]) if has_share[-1] else None
    return Figures(
        strength_of(table.columns),
        ends[0] if ends else None,
        ends[-1] if ends else None,
        largest,
        last,
        len(table.steps),
        _told(contents.problems),
    )


class _Sum:
    """Columns added up over rows, and where any of them is negative."""

    def __init__(self, table: Table, summed: Sequence[int], low: int, high: int) -> None:
        self.places = summed
        self.values: npt.NDArray[np.float64] = np.zeros(high - low)
        self.is_negative: npt.NDArray[np.bool_] = np.zeros(high - low, bool)
        with np.errstate(invalid="ignore"):
            for i in summed:
                self.values += table.values[i, low:high]
                self.is_negative |= table.values[i, low:high] < 0


def strength_of(terms: Iterable[Term]) -> float | str | None:
    """Returns how strong the penalties are: one number, or such as ``l1 0.1, l2 0.001–0.01``.

    Example:
      >>> strength_of([Term("a", kind="l2", strength=0.01), Term("b", kind="l2", strength=0.01)])
      0.01
      >>> strength_of([Term("a", kind="l2", strength=0.01), Term("b", kind="l1", strength=1.0)])
      'l2 0.01, l1 1'
    """
    strengths: dict[str, set[float]] = {}
    for term in terms:
        if term.strength is None or term.role == "unused":
            continue
        pair = isinstance(term.strength, tuple)
        kinds = ("l1", "l2") if pair else (term.kind or "",)
        numbers = term.strength if isinstance(term.strength, tuple) else (term.strength,)
        for kind, number in zip(kinds, numbers, strict=True):
            strengths.setdefault(kind, set()).add(float(number))
    if len(strengths) == 1:
        (numbers_of_one,) = strengths.values()
        if len(numbers_of_one) == 1:
            return numbers_of_one.pop()
    told = (
        f"{kind} {'–'.join(f'{end:g}' for end in sorted({min(of_kind), max(of_kind)}))}".strip()
        for kind, of_kind in strengths.items()
    )
    return shortened(", ".join(told), MAX_CELL) or None


def pair(keys: Iterable[Key]) -> dict[Key, Key | None]:
    """Tells which recordings have rows of their own, in their order, and each one's validation.

    The validations of ``train``, or else of the run itself, are in the run ``validation`` beside or
    below it.

    Example:
      >>> pair([("a/train", "losses"), ("a/validation", "losses"), ("validation", "losses")])
      {('a/train', 'losses'): ('a/validation', 'losses'), ('validation', 'losses'): None}
    """
    rows: dict[Key, Key | None] = dict.fromkeys(keys)
    for run, name in list(rows):
        above = run.removesuffix(_VALIDATION)
        if above == run or above[-1:] not in ("", "/", "\\"):
            continue
        for trained in ((above + "train", name), (above[:-1] or ".", name)):
            if trained in rows and rows[trained] is None:
                del rows[run, name]
                rows[trained] = run, name
                break
    return rows


def describe_row(key: Key, own: Figures, validation: Figures | None) -> dict[str, Any]:
    """Returns a row as JSON has it: see ``docs/http_api.md``."""
    run, name = key
    row = {"run": run, "name": name, **asdict(own), "validation_data_last": None}
    if validation is not None:
        row["validation_data_last"] = validation.data_last
        row["problem"] = own.problem or validation.problem
    return row


class Overview:
    """Looks at each recording once until it changes. Safe to use from threads.

    Args:
      store: Where the recordings are, one of them at a time.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # By experiment, run and name: what was listed then.
        self._known: OrderedDict[tuple[str, str, str], tuple[ListedRecording, Figures]] = (
            OrderedDict()
        )

    def answer(self, source: Source, start: int) -> dict[str, Any]:
        """Returns some rows, from one on: as many as are there at once, or soon."""
        source = _ListedOnce(source)
        listed = {
            (recording.entry.run, recording.entry.name): recording
            for recording in self._store.recordings(source)
            if not is_of_gradients(recording.columns)
        }
        rows = pair(listed)
        told: list[dict[str, Any]] = []
        end = time.monotonic() + _SECONDS
        for key, validation in itertools.islice(rows.items(), start, start + _MAX_ROWS):
            validated = self._figures(source, listed[validation]) if validation else None
            told.append(describe_row(key, self._figures(source, listed[key]), validated))
            if time.monotonic() > end:
                break
        after = start + len(told)
        return {"rows": told, "next": after if after < len(rows) else None}

    def _figures(self, source: Source, listed: ListedRecording) -> Figures:
        run, name = listed.entry.run, listed.entry.name
        key = (source.experiment, run, name)
        known = self._known.get(key)
        if known is not None and known[0] == listed:
            return known[1]
        try:
            contents = self._store.contents(source, run, name)
        except Exception as error:  # noqa: BLE001 - one that fails hides no other
            _logger.warning("Recording %r of run %r was not read: %s", name, run, error)
            return Figures(problem=shortened(f"{type(error).__name__}: {error}"))
        found = figures(contents) if contents else Figures()
        self._known[key] = listed, found
        while len(self._known) > _MAX_REMEMBERED:
            self._known.popitem(last=False)
        return found


class _ListedOnce:
    """A source as it was at one moment: to list each run again takes as long as to read it."""

    def __init__(self, source: Source) -> None:
        self.experiment = source.experiment
        self.read = source.read
        self._listing = source.list()

    def list(self, run: str | None = None) -> Listing:
        """Lists series; see ``Source``."""
        return self._listing if run is None else {run: self._listing.get(run, {})}


def is_of_gradients(terms: Sequence[Term]) -> bool:
    """Whether a recording is of gradients, and so of no loss."""
    return bool(terms) and all(term.role in GRADIENT_ROLES for term in terms)


def _told(problems: Sequence[Problem]) -> str | None:
    if not problems:
        return None
    more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
    return problems[0].reason + more
