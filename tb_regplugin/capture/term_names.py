"""Names of terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tb_regplugin.terms import Term


def with_distinct_names(terms: Iterable[Term]) -> list[Term]:
    """Numbers those of one name."""
    taken: set[str] = set()
    distinct = []
    for term in terms:
        name, number = term.name, 1
        while name in taken:
            number += 1
            name = f"{term.name} ({number})"
        taken.add(name)
        distinct.append(replace(term, name=name))
    return distinct
