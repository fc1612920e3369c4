"""What the table of runs says of each recording: a few numbers made of all its rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_regplugin.names import MAX_CELL, shortened
from tb_regplugin.reading.composition import chunks, evaluate, places
from tb_regplugin.reading.remembered import Key, ListedOnce, Remembered
from tb_regplugin.reading.restarts import times_back
from tb_regplugin.reading.source import Problem, Source
from tb_regplugin.reading.store import Contents, Store
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import GRADIENT_ROLES, Term

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


def parts(
    contents: Contents, start: int, stop: int | None = None
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Yields data loss and the penalties' share of the total over rows, some at a time.

    NaN where there was no data loss, and where a share is not known or has no meaning.
    """
    table = contents.table
    data_places, penalty_places = (places(table.columns, [role]) for role in ("data", "penalty"))
    totals = (column for column in contents.columns if column.term.role == "total")
    # Scalars that don't add up have no summands.
    is_sum = data_places or penalty_places or not contents.from_scalars
    total = next(totals, None) if is_sum else None
    cuts = np.clip(table.stretches, start, len(table.steps) if stop is None else stop)
    for recorded, low, high in chunks(table.recorded, cuts):
        data, penalties = (
            _Sum(table, [i for i in chosen if recorded[i]], low, high)
            for chosen in (data_places, penalty_places)
        )
        share = np.full(high - low, np.nan)
        if total is not None:
            whole = evaluate(table, total.sum, low, high).astype(np.float64)
            with np.errstate(invalid="ignore"):
                are_parts = data.values + penalties.values <= whole * (1 + _ROUNDING)
            # False where any of them is NaN or infinite.
            has_share = are_parts & (whole > 0) & np.isfinite(whole)
            has_share &= ~(data.is_negative | penalties.is_negative)
            share[has_share] = penalties.values[has_share] / whole[has_share]
        yield data.values if data.places else np.full(high - low, np.nan), share


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
    for _, kind, number in strengths_of(terms):
        strengths.setdefault(kind, set()).add(number)
    if len(strengths) == 1:
        (numbers_of_one,) = strengths.values()
        if len(numbers_of_one) == 1:
            return numbers_of_one.pop()
    told = (
        f"{kind} {'–'.join(f'{end:g}' for end in sorted({min(of_kind), max(of_kind)}))}".strip()
        for kind, of_kind in strengths.items()
    )
    return shortened(", ".join(told), MAX_CELL) or None


def strengths_of(terms: Iterable[Term]) -> Iterator[tuple[str, str, float]]:
    """Yields name, kind and strength of what has an effect; ``l1_l2`` is one of each."""
    for term in terms:
        if term.strength is None or term.role == "unused":
            continue
        both = isinstance(term.strength, tuple)
        kinds = ("l1", "l2") if both else (term.kind or "",)
        numbers = term.strength if isinstance(term.strength, tuple) else (term.strength,)
        for kind, number in zip(kinds, numbers, strict=True):
            yield term.name, kind, float(number)


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


def first_of(problems: Sequence[Problem]) -> str | None:
    """Returns why the first series is left out, and how many more are; None where none is."""
    if not problems:
        return None
    more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
    return problems[0].reason + more
