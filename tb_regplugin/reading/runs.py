"""Which runs belong together, by their names. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from tb_regplugin.reading.decode import natural_key

# Run and name.
Key = tuple[str, str]
_VALIDATION = "validation"


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


def homes(
    runs: Collection[str],
    holders: Collection[str],
    recorded: Collection[str],
    *,
    may_share: bool = False,
) -> dict[str, str]:
    """Finds where something of each run is: beside it in ``validation``, in it, below or above it.

    Args:
      runs: The runs of a sweep.
      holders: The runs that hold something.
      recorded: All runs with recordings: those below a run are none of its own.
      may_share: Whether what is above several runs is of each of them.

    Returns:
      The holders by run.

    Example:
      >>> homes(["a/train", "b"], ["a/validation", "a/train", "b/1.5"], ["a/train", "b"])
      {'a/train': 'a/validation', 'b': 'b/1.5'}
    """
    above = Counter(map(_above, runs))
    below: dict[str, list[str]] = {}
    for holder in sorted(set(holders).difference(recorded), key=natural_key):
        below.setdefault(_above(holder), []).append(holder)
    found = {}
    for run in runs:
        parent = _above(run)
        base = parent if re.fullmatch(r"(.*[/\\])?train", run, re.DOTALL) else run
        validation = "validation" if base == "." else base + _separator(run) + "validation"
        places = [validation, run, *below.get(run, [])[-1:], *below.get(base, [])[-1:]]
        if may_share or above[parent] == 1:
            places.append(parent)
        home = next((place for place in places if place in holders), None)
        if home is not None:
            found[run] = home
    return found


def _above(run: str) -> str:
    return run[: max(run.rfind("/"), run.rfind("\\"), 0)] or "."


def _separator(run: str) -> str:
    return "\\" if "\\" in run and "/" not in run else "/"
