"""Answers from summaries, against answers from the rows themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_regplugin.reading.aggregates import Digests, first_non_finite
from tb_regplugin.reading.axis import bucket_bounds
from tb_regplugin.reading.buckets import Buckets, fill_buckets
from tb_regplugin.reading.composition import ColumnSum
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

ROWS = 70_000
SERIES = [
    ColumnSum((0,)),
    ColumnSum((1,)),
    ColumnSum((0, 2)),
    ColumnSum((0,), (1, 2)),
    ColumnSum((1,), (), (0,)),
]
SPECIAL = np.array([np.nan, np.inf, -np.inf, 1e3, -1e3, 0.0], np.float32)


def _table(seed: int, *, special: int, positive: bool, stretches: int) -> Table:
    """Returns rows of three columns, at irregular steps, with gaps and odd values."""
    random = np.random.default_rng(seed)
    values = random.standard_normal((3, ROWS)).astype(np.float32)
    if positive:
        values = np.abs(values)
    where = random.integers(0, ROWS, special), random.integers(0, 3, special)
    values[where[1], where[0]] = random.choice(SPECIAL, special)
    cuts = np.sort(random.choice(np.arange(1, ROWS), stretches - 1, replace=False))
    bounds = np.concatenate([[0], cuts, [ROWS]])
    recorded = random.random((stretches, 3)) < 0.8
    values[:, ~np.repeat(recorded.T, np.diff(bounds), axis=1)[0]] += 0
    values[~np.repeat(recorded, np.diff(bounds), axis=0).T] = np.nan
    steps = np.cumsum(random.choice([1, 1, 1, 500], ROWS))
    terms = tuple(Term(str(i)) for i in range(3))
    return Table(terms, steps, steps / 7, values, bounds, recorded)


def _assert_same(actual: Buckets, expected: Buckets) -> None:
    for name, value in vars(expected).items():
        if name == "mean":
            np.testing.assert_allclose(actual.mean, value, rtol=1e-5, atol=1e-4)
        else:
            np.testing.assert_array_equal(getattr(actual, name), value, err_msg=name)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 5, 5_000]),
    st.booleans(),
    st.integers(1, 4),
    st.lists(
        st.tuples(st.integers(0, ROWS), st.integers(0, ROWS), st.sampled_from([1, 7, 100, 400])),
        min_size=1,
        max_size=6,
    ),
)
@settings(deadline=None, max_examples=40)
def test_summaries_tell_the_same_as_rows(
    seed: int, special: int, positive: bool, stretches: int, ranges: list[tuple[int, int, int]]
) -> None:
    """Over any range, for columns, sums and differences, with gaps, infinities and NaN."""
    table = _table(seed, special=special, positive=positive, stretches=stretches)
    digests = Digests()
    for start, end, buckets in ranges:
        start, end = sorted([start, end])
        span = int(table.steps[-1]) // ROWS
        bounds = bucket_bounds(table.steps, start * span, end * span, buckets)
        expected = fill_buckets(table, SERIES, bounds)
        _assert_same(fill_buckets(table, SERIES, bounds, digests), expected)
        if len(bounds) > 1:
            _check_sizes(table, digests, int(bounds[0]), int(bounds[-1]))
    for series in SERIES:
        assert digests.first_non_finite(table, series) == first_non_finite(table, series, 0, ROWS)


def _check_sizes(table: Table, digests: Digests, first: int, stop: int) -> None:
    values = table.values[0, first:stop]
    finite = values[np.isfinite(values)]
    _, size = digests.size(table, ColumnSum((0,)), first, stop)
    expected = np.abs(finite).mean(dtype=np.float64) if len(finite) else 0.0
    assert size == pytest.approx(expected, rel=1e-5)


def test_summaries_of_a_table_that_grows_stay_right() -> None:
    """Those that are there are used, and new rows get their own."""
    whole = _table(1, special=100, positive=False, stretches=1)
    digests = Digests()
    for rows in (10, 16_000, 20_000, 33_000, ROWS):
        table = Table(
            whole.columns,
            whole.steps[:rows],
            whole.wall_times[:rows],
            whole.values[:, :rows],
            np.array([0, rows]),
            whole.recorded,
        )
        bounds = bucket_bounds(table.steps, None, None, 9)
        expected = fill_buckets(table, SERIES, bounds)
        _assert_same(fill_buckets(table, SERIES, bounds, digests), expected)
        for series in SERIES:
            expected_row: Any = first_non_finite(table, series, 0, rows)
            assert digests.first_non_finite(table, series) == expected_row
