"""A composition of scalars as the rows of a recording, for findings and last values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tb_regplugin.names import distinct
from tb_regplugin.reading.aggregates import Digests
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.table import Table
from tb_regplugin.scalars import sums
from tb_regplugin.scalars.composition import (
    ADDS_UP,
    LEAVES_REST,
    WITH_LOGGED_WEIGHTS,
    Composition,
    Series,
    at_shared_steps,
    logged_tags,
    weighted,
)
from tb_regplugin.terms import Layout, Term

# Only what adds up, the rest included, is made of its parts.
STACKED = (ADDS_UP, WITH_LOGGED_WEIGHTS, LEAVES_REST)


def contents_of(composition: Composition, series: Mapping[str, Series]) -> Contents | None:
    """Returns a composition at the steps that all of it has; None where it doesn't add up.

    What nobody logged is of unknown origin. Beside penalties alone it is the data loss, which the
    findings take as the rest of the total by themselves.
    """
    total = composition.total
    if total is None or composition.status not in STACKED:
        return None
    names = [tag for part in composition.parts for tag in (part.tag, *logged_tags(part.weight))]
    steps, values = at_shared_steps(total, names, series)
    columns = weighted(composition.parts, values)
    rows = [values[total], *columns]
    terms = [Term(total, role="total"), *(Term(p.tag, role=p.role) for p in composition.parts)]
    if composition.status == LEAVES_REST and any(p.role == "data" for p in composition.parts):
        rows.append(sums.rest(values[total], columns))
        name = distinct([*(term.name for term in terms), "rest"])[-1]
        terms.append(Term(name, role="unexplained"))
    layout = Layout(tuple(terms))
    table = Table(
        layout.columns,
        steps,
        np.zeros(len(steps)),
        np.array(rows, np.float32),
        np.array([0, len(steps)]),
        np.ones((1, len(terms)), np.bool_),
        (layout,),
    )
    return Contents(table, Digests(), (), "", from_scalars=True)
