"""How strong the penalties of runs are: as recorded, by hyperparameters, or by names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tb_regplugin.names import MAX_CELL, shortened
from tb_regplugin.reading.runs import homes
from tb_regplugin.terms import OUTSIDE_OF_LOSS, Layout, Term, as_written

SOURCES = ("recorded", "hparams", "names")

# Every number behind what strengths are called in names of runs, such as "lambda=0.01".
NAMED = re.compile(
    r"(?<![^\W_])(lambda|lam|λ|l1|l2|strength|reg|weight_decay|wd)[=:_ -]?"
    r"([0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?)(?![^\W_])",
    re.IGNORECASE,
)

# Findings by which a penalty acts more strongly or weakly than was written.
_CHANGES_STRENGTH = ("counted_twice", "duplicate_entry", "scaled_again")

# One number, or what each of those is that vary; None where it is not known.
Strength = float | dict[str, float] | None
# By what has a strength.
_Strengths = Mapping[str, float] | None


@dataclass(frozen=True)
class StrengthSource:
    """Where strengths come from.

    Attributes:
      kind: One of ``SOURCES``: what was recorded, hyperparameters of the plugin hparams, or names.
      hyperparameter: Which; every number that varies, but seeds, when left out.
      pattern: Captures a number of a run's name, or several in named groups; ``NAMED`` when left
        out.
    """

    kind: str = "recorded"
    hyperparameter: str | None = None
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, text: str) -> StrengthSource:
        """Reads such as ``recorded``, ``hparams=l2`` and ``names=l2_(.+)``.

        Raises:
          ValueError: It is none of them, or the pattern captures nothing.
        """
        kind, _, how = text.partition("=")
        if kind not in SOURCES or (how and kind == "recorded"):
            raise ValueError(f"{text[:40]!r} is not one of {', '.join(SOURCES)}.")
        if kind == "hparams":
            return cls(kind, hyperparameter=how or None)
        try:
            pattern = re.compile(how) if how else None
        except re.error as error:
            raise ValueError(f"{how!r} is not a regular expression: {error}.") from error
        if pattern is not None and not pattern.groups:
            raise ValueError(f"{how!r} captures nothing: put the number in parentheses.")
        return cls(kind, pattern=pattern)

    def chosen(self, hyperparameters: Mapping[str, float]) -> dict[str, float]:
        """Returns the hyperparameters that may be strengths."""
        return {
            name: as_written(number)
            for name, number in hyperparameters.items()
            if (name == self.hyperparameter if self.hyperparameter else "seed" not in name.lower())
        }


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


def misapplied(layouts: Iterable[Layout]) -> str | None:
    """Returns the finding by which another strength acts than the one that was written.

    It is ``not_in_loss`` where none acts, as all penalties are unused.
    """
    layouts = list(layouts)
    found = {finding.code for layout in layouts for finding in layout.findings}
    roles = {term.role for layout in layouts for term in layout.columns}
    if "unused" in roles and "penalty" not in roles:
        return "not_in_loss"
    return next((code for code in _CHANGES_STRENGTH if code in found), None)


def find_strengths(
    source: StrengthSource,
    runs: Mapping[str, Sequence[Layout]],
    recorded: Collection[str],
    hyperparameters: Mapping[str, Mapping[str, float]],
) -> list[Strength]:
    """Returns each run's strength, as ``told_strengths`` does, from the layouts of each run.

    All runs with recordings are given too, those of validations among them.
    """
    if source.kind == "recorded":
        return told_strengths(recorded_strengths(list(runs.values())))
    if source.kind == "names":
        return told_strengths([named_strengths(run, source.pattern) for run in runs])
    chosen = {run: source.chosen(numbers) for run, numbers in hyperparameters.items()}
    home_of = homes(runs, chosen, recorded, may_share=True)
    return told_strengths([chosen[home_of[run]] if run in home_of else None for run in runs])


def recorded_strengths(runs: Sequence[Sequence[Layout]]) -> list[_Strengths]:
    """Returns how strong the penalties of each run were, by kind, or else by term.

    That is by term where any run has several strengths of one kind. A run has 0 of what it has no
    penalty for. None where a run's strengths are not known, or changed while it ran.
    """
    terms = [[term for layout in layouts for term in layout.columns] for layouts in runs]
    numbers: list[dict[str, set[float]]] = []
    for by_term in (False, True):
        numbers = []
        for of_run in terms:
            found: dict[str, set[float]] = {}
            numbers.append(found)
            for name, kind, number in strengths_of(of_run):
                key = f"{kind} {name}".strip() if by_term else kind or "strength"
                found.setdefault(key, set()).add(as_written(number))
        if all(len(each) == 1 for found in numbers for each in found.values()):
            break
    keys = dict.fromkeys(key for found in numbers for key in found)
    told: list[_Strengths] = []
    for of_run, found in zip(terms, numbers, strict=True):
        has_penalties = any(
            term.role == "penalty" or term.role in OUTSIDE_OF_LOSS for term in of_run
        )
        is_known = bool(found) or not (has_penalties or not of_run or not keys)
        changed = any(len(each) > 1 for each in found.values())
        told.append(
            {key: min(found.get(key, {0.0})) for key in keys} if is_known and not changed else None
        )
    return told


def named_strengths(run: str, pattern: re.Pattern[str] | None = None) -> _Strengths:
    r"""Returns the strengths in a run's name, by a pattern as that of a ``StrengthSource``.

    Example:
      >>> named_strengths("mlp_l1=0.1_l2=1e-3/train")
      {'l1': 0.1, 'l2': 0.001}
      >>> named_strengths("a-0.5", re.compile(r"-([\d.]+)"))
      {'strength': 0.5}
    """
    if pattern is None:
        found = {match[1].lower(): match[2] for match in NAMED.finditer(run)}
    else:
        match = pattern.search(run)
        if match is None:
            return None
        found = match.groupdict() or {"strength": match[1]}
    try:
        numbers = {name: as_written(float(text)) for name, text in found.items() if text}
    except ValueError:
        return None
    return numbers or None


def told_strengths(known: Sequence[_Strengths]) -> list[Strength]:
    """Returns one number for each run where one strength varies, and else all those that do.

    Strengths that are equal in each of the runs are one. One that a run lacks is not known.

    Example:
      >>> told_strengths([{"l1": 0.1, "l2": 0.5}, {"l1": 0.1, "l2": 1.0}, None])
      [0.5, 1.0, None]
      >>> told_strengths([{"l1": 0.1, "l2": 0.5}, {"l1": 0.2, "l2": 1.0}])
      [{'l1': 0.1, 'l2': 0.5}, {'l1': 0.2, 'l2': 1.0}]
    """
    keys = dict.fromkeys(key for each in known for key in each or {})
    columns = {key: tuple(each.get(key) for each in known if each is not None) for key in keys}
    varying = {key: column for key, column in columns.items() if len(set(column)) > 1} or columns
    # Of those that are equal, the first.
    names = list({column: key for key, column in reversed(varying.items())}.values())[::-1]
    told: list[Strength] = []
    for each in known:
        numbers = {name: each[name] for name in names if name in each} if each else {}
        if not numbers or len(numbers) < len(names):
            told.append(None)
        else:
            told.append(numbers[names[0]] if len(names) == 1 else numbers)
    return told
