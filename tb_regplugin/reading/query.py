"""What is asked of a route: its parameters, validated and bounded. Pure functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tb_regplugin.reading.axis import X_AXES, Number, XAxis
from tb_regplugin.reading.strengths import SOURCES, StrengthSource
from tb_regplugin.reading.sweep import WINDOW
from tb_regplugin.reading.sweep_course import INCLUDES

MAX_BUCKETS = 10_000
DEFAULT_BUCKETS = 1_000
MAX_TOP = 100_000
MAX_DEPTH = 100
# Columns that can be put into sets.
MAX_IN_SETS = 100_000
MAX_SMOOTHING = 0.999
FORMATS = ("csv", "json")
# Those that a question can leave out to save bytes.
ARRAYS = ("min", "mean", "max", "last", "rows", "smoothed")

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_SET = re.compile(r"([0-9]{1,6}|-)(?:\*([1-9][0-9]{0,5}))?")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")


class QueryError(Exception):
    """A parameter is missing, malformed or out of range. Says what to do."""


@dataclass(frozen=True)
class SweepQuery:
    """What is asked of a sweep.

    Attributes:
      name: The name of the recordings.
      window: Over which share of the rows, the last ones, to average.
      metric: The tag of a scalar.
      source: Where strengths come from.
      include: What to tell of each run besides.
    """

    name: str
    window: float
    metric: str | None
    source: StrengthSource
    include: str = "nothing"


@dataclass(frozen=True)
class Query:
    """What is asked of a route, as ``docs/http_api.md`` describes it; each takes some of this.

    Both ends of the range are inclusive; from the first or to the last row where they are None.
    """

    x: XAxis
    start: Number | None
    end: Number | None
    group: str = "term"
    depth: int = 0
    sets: tuple[int | None, ...] = ()
    buckets: int = DEFAULT_BUCKETS
    top: int = 0
    smoothing: float = 0.0
    arrays: tuple[str, ...] = ARRAYS
    format: str = FORMATS[0]


def parse_recording(query: Mapping[str, str]) -> tuple[str, str]:
    """Returns the run and the name of the recording that is asked for."""
    for key in ("run", "name"):
        if key not in query:
            raise QueryError(f"The parameter {key!r} is missing.")
    return query["run"], query["name"]


def parse_curves(query: Mapping[str, str]) -> Query:
    """Reads the parameters of ``curves``."""
    buckets = _integer(query, "buckets", 1, MAX_BUCKETS) or DEFAULT_BUCKETS
    smoothing = _decimal(query, "smoothing")
    if smoothing is not None and not 0 <= smoothing <= MAX_SMOOTHING:
        raise QueryError(f"smoothing is {smoothing:g}; it must be from 0 to {MAX_SMOOTHING}.")
    return Query(
        *_range(query),
        *_grouping(query),
        buckets,
        _integer(query, "top", 0, MAX_TOP) or 0,
        smoothing or 0.0,
        _arrays(query),
    )


def parse_statistics(query: Mapping[str, str]) -> Query:
    """Reads the parameters of ``statistics``."""
    return Query(*_range(query), *_grouping(query))


def parse_export(query: Mapping[str, str]) -> Query:
    """Reads the parameters of ``export``."""
    return Query(*_range(query), format=_choice(query, "format", FORMATS))


def parse_overview(query: Mapping[str, str]) -> int:
    """Returns the row from which on rows of ``overview`` are asked for."""
    return _integer(query, "start", 0) or 0


def parse_sweep(query: Mapping[str, str]) -> SweepQuery:
    """Reads the parameters of ``sweep``."""
    asked = _decimal(query, "window")
    window = WINDOW if asked is None else asked
    if not 0 < window <= 1:
        raise QueryError(f"window is {window:g}; it must be above 0 and at most 1.")
    text = query.get("strength_from", SOURCES[0])
    # A pattern of anybody's could take for ever.
    if text.startswith("names="):
        raise QueryError("strength_from takes no pattern: 'names' finds such as 'lambda=0.01'.")
    try:
        source = StrengthSource.parse(text)
    except ValueError as error:
        raise QueryError(f"strength_from: {error}") from error
    return SweepQuery(
        query.get("name", "losses"),
        window,
        query.get("metric"),
        source,
        _choice(query, "include", INCLUDES),
    )


def _range(query: Mapping[str, str]) -> tuple[XAxis, Number | None, Number | None]:
    x: XAxis = _choice(query, "x", X_AXES)  # type: ignore[assignment]
    read: Callable[[Mapping[str, str], str], Number | None] = _integer if x == "step" else _decimal
    start, end = read(query, "start"), read(query, "end")
    if start is not None and end is not None and start > end:
        raise QueryError(f"start ({start}) is after end ({end}). Swap them.")
    return x, start, end


def _grouping(query: Mapping[str, str]) -> tuple[str, int, tuple[int | None, ...]]:
    text = query.get("group", "term")
    if text in ("term", "kind", "all"):
        return text, 0, ()
    kind, _, depth = text.partition(":")
    if kind == "sets":
        return kind, 0, _sets(depth)
    if kind != "layer":
        raise QueryError(
            f"group must be 'term', 'kind', 'all', 'layer:DEPTH' or 'sets:SETS', not {text[:40]!r}."
        )
    if not re.fullmatch("[0-9]{1,9}", depth, re.ASCII) or not 1 <= int(depth) <= MAX_DEPTH:
        raise QueryError(
            f"The DEPTH of 'layer:DEPTH' must be a whole number from 1 to {MAX_DEPTH}, "
            f"not {depth[:40]!r}."
        )
    return kind, int(depth), ()


def _sets(text: str) -> tuple[int | None, ...]:
    sets: list[int | None] = []
    for part in text.split("."):
        match = _SET.fullmatch(part)
        count = int(match[2] or 1) if match else 0
        if match is None or len(sets) + count > MAX_IN_SETS:
            raise QueryError(
                "The SETS of 'sets:SETS' must be numbers of sets, or '-', with '.' between and "
                f"'*COUNT' behind what repeats, for at most {MAX_IN_SETS:,} columns; "
                f"{part[:40]!r} is not, or is too much."
            )
        sets += [None if match[1] == "-" else int(match[1])] * count
    return tuple(sets)


def _arrays(query: Mapping[str, str]) -> tuple[str, ...]:
    wanted = query.get("arrays", ",".join(ARRAYS)).split(",")
    for name in wanted:
        if name not in ARRAYS:
            raise QueryError(
                f"arrays must be some of {', '.join(ARRAYS)} with commas between, "
                f"and {name[:40]!r} is not one of them."
            )
    return tuple(sorted(set(wanted)))


def _choice(query: Mapping[str, str], key: str, choices: Sequence[str]) -> str:
    """Returns one of the choices, the first one when left out."""
    value = query.get(key, choices[0])
    if value not in choices:
        listed = ", ".join(map(repr, choices))
        raise QueryError(f"{key} must be one of {listed}, not {value[:40]!r}.")
    return value


def _integer(
    query: Mapping[str, str], key: str, smallest: int = -(2**63), largest: int = 2**63 - 1
) -> int | None:
    text = query.get(key)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise QueryError(f"{key} must be a whole number, not {text[:40]!r}.")
    number = int(text)
    if not smallest <= number <= largest:
        raise QueryError(f"{key} is {number}; it must be from {smallest} to {largest}.")
    return number


def _decimal(query: Mapping[str, str], key: str) -> float | None:
    text = query.get(key)
    if text is None:
        return None
    if not _DECIMAL.fullmatch(text) or not math.isfinite(float(text)):
        raise QueryError(f"{key} must be a number, not {text[:40]!r}.")
    return float(text)
