"""A composition of scalars as the rows of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tb_regplugin.names import distinct
from tb_regplugin.reading.aggregates import Digests
from tb_regplugin.reading.source import Problem
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.table import Table
from tb_regplugin.scalars import sums
from tb_regplugin.scalars.composition import (
    ADDS_UP,
    LEAVES_REST,
    WITH_LOGGED_WEIGHTS,
    WITH_THESE_WEIGHTS,
    Composition,
    Series,
    at_shared_steps,
    logged_tags,
    weighted,
)
from tb_regplugin.terms import Layout, Term

# Only what adds up, the rest included, is made of its parts.
SUMS = (ADDS_UP, WITH_LOGGED_WEIGHTS, LEAVES_REST)
REST = "rest that nobody logged"

_NOTHING = Table(
    (),
    np.zeros(0, np.int64),
    np.zeros(0),
    np.zeros((0, 0), np.float32),
    np.zeros(1, np.int64),
    np.zeros((0, 0), np.bool_),
)


def contents_of(
    composition: Composition,
    series: Mapping[str, Series],
    times: Mapping[str, Series] | None = None,
    version: str = "",
) -> Contents:
    """Returns a composition at the steps that all of it has.

    Where it adds up, its parts are summands of the loss, and what nobody logged is a part of
    unknown origin. Otherwise they are in the loss, and no more is known.

    Args:
      composition: What the loss is made of, with what the numbers say of it.
      series: The run's scalars.
      times: Their wall times, in the place of values.
      version: Changes when any of this does.
    """
    is_sum = composition.status in SUMS
    total, parts = composition.total, composition.parts
    if composition.status == WITH_THESE_WEIGHTS:
        # They are offered, and never applied by themselves.
        parts = tuple(replace(part, weight=1.0) for part in parts)
    wanted = [part.tag for part in parts]
    wanted += [tag for part in parts for tag in logged_tags(part.weight)]
    wanted = [*([] if total is None else [total]), *wanted]
    if missing := [tag for tag in dict.fromkeys(wanted) if tag not in series]:
        problems = tuple(Problem.of(tag, "The run has no such scalar.") for tag in missing)
        return Contents(_NOTHING, Digests(), problems, version, from_scalars=True)
    steps, values = at_shared_steps(wanted[0], wanted, series)
    columns = weighted(parts, values)
    rows = [*([] if total is None else [values[total]]), *columns]
    terms = [] if total is None else [Term(total, role="total")]
    terms += [Term(part.tag, role=part.role if is_sum else "inside") for part in parts]
    if total is not None and composition.status == LEAVES_REST:
        rows.append(sums.rest(values[total], columns))
        name = distinct([*(term.name for term in terms), REST])[-1]
        terms.append(Term(name, role="unexplained"))
    layout = Layout(tuple(terms))
    wall_times = np.zeros(len(steps))
    if times is not None:
        when = times[wanted[0]]
        wall_times = when[1][np.searchsorted(when[0], steps)]
    table = Table(
        layout.columns,
        steps,
        wall_times,
        np.array(rows, np.float32),
        np.array([0, len(steps)]),
        np.ones((1, len(terms)), np.bool_),
        (layout,),
    )
    return Contents(table, Digests(), (), version, from_scalars=True)
