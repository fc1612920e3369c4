"""Buckets, against a loop in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_regplugin.reading.axis import bucket_bounds, row_range
from tb_regplugin.reading.buckets import Buckets, fill_buckets
from tb_regplugin.reading.composition import ColumnSum
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term

FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)
STEPS = st.one_of(st.integers(-20, 60), st.integers(-(2**63), 2**63 - 1))


@st.composite
def _tables(draw: st.DrawFn) -> tuple[Any, ...]:
    steps = sorted(draw(st.sets(STEPS, max_size=40)))
    rows, series = len(steps), draw(st.integers(0, 3))
    cuts = sorted(draw(st.sets(st.integers(1, max(rows - 1, 1)), max_size=3))) if rows > 1 else []
    stretches = [0, *cuts, rows] if rows else [0]
    recorded = np.array(
        [[draw(st.booleans()) for _ in range(series)] for _ in stretches[1:]], np.bool_
    ).reshape(len(stretches) - 1, series)
    values = np.array(
        [[draw(FLOATS) for _ in range(rows)] for _ in range(series)], np.float32
    ).reshape(series, rows)
    by_row = np.repeat(recorded, np.diff(stretches), axis=0)
    values[~by_row.T.reshape(values.shape)] = np.nan
    return (np.array(steps, np.int64), values, np.array(stretches, np.int64), recorded, by_row)


def _fill(
    table: tuple[Any, ...], start: int | None, end: int | None, buckets: int
) -> tuple[Buckets, int, int]:
    steps, values, stretches, recorded, _ = table
    first, stop = row_range(steps, start, end)
    low, high = (int(steps[first]), int(steps[stop - 1])) if first < stop else (start, end)
    bounds = bucket_bounds(steps, low, high, buckets)
    terms = tuple(Term(str(i)) for i in range(len(values)))
    whole = Table(terms, steps, steps.astype(np.float64), values, stretches, recorded)
    return fill_buckets(whole, [ColumnSum((i,)) for i in range(len(values))], bounds), first, stop


def _expected_groups(steps: list[int], buckets: int) -> list[list[int]]:
    """Returns the rows of each bucket that holds any, by plain integer arithmetic."""
    if len(steps) <= buckets:
        return [[row] for row in range(len(steps))]
    width = steps[-1] - steps[0] + 1
    groups: dict[int, list[int]] = {}
    for row, step in enumerate(steps):
        part = next(i for i in reversed(range(buckets)) if steps[0] + i * width // buckets <= step)
        groups.setdefault(part, []).append(row)
    return list(groups.values())


@settings(deadline=None)
@given(_tables(), st.none() | STEPS, st.none() | STEPS, st.integers(1, 12))
def test_buckets_equal_a_plain_loop(
    table: tuple[Any, ...], start: int | None, end: int | None, buckets: int
) -> None:
    """Every figure of every bucket is what a loop over its rows gives."""
    steps, values, _, _, by_row = table
    filled, first, stop = _fill(table, start, end, buckets)
    inside = [
        row
        for row, step in enumerate(steps.tolist())
        if (start is None or step >= start) and (end is None or step <= end)
    ]
    assert list(range(first, stop)) == inside
    groups = [
        [first + row for row in group]
        for group in _expected_groups(steps[first:stop].tolist(), buckets)
    ]
    assert filled.first_step.tolist() == [int(steps[group[0]]) for group in groups]
    assert filled.last_step.tolist() == [int(steps[group[-1]]) for group in groups]
    assert filled.wall_time.tolist() == [float(steps[group[-1]]) for group in groups]
    for i in range(len(values)):
        for j, group in enumerate(groups):
            _check(filled, i, j, [float(values[i, row]) for row in group if by_row[row, i]])


def _check(filled: Buckets, i: int, j: int, numbers: list[float]) -> None:
    finite = [number for number in numbers if math.isfinite(number)]
    assert filled.rows[i, j] == len(numbers)
    assert filled.nan[i, j] == sum(map(math.isnan, numbers))
    assert filled.positive_infinity[i, j] == numbers.count(math.inf)
    assert filled.negative_infinity[i, j] == numbers.count(-math.inf)
    _same(filled.minimum[i, j], min(finite, default=math.nan))
    _same(filled.maximum[i, j], max(finite, default=math.nan))
    _same(filled.last[i, j], numbers[-1] if numbers else math.nan)
    if finite:
        mean = math.fsum(finite) / len(finite)
        scale = max(map(abs, finite))
        assert filled.mean[i, j] == pytest.approx(mean, rel=1e-6, abs=1e-6 * scale)
        assert filled.minimum[i, j] <= filled.mean[i, j] <= filled.maximum[i, j]
    else:
        assert np.isnan(filled.mean[i, j])


def _same(actual: np.float32, expected: float) -> None:
    assert np.array_equal(actual, np.float32(expected), equal_nan=True)


def test_rows_that_fit_are_buckets_of_their_own() -> None:
    """With as many buckets as rows, every value is exact."""
    values = np.array([[0.1, np.nan, 0.3]], np.float32)
    table = _plain([0, 10, 11], values)
    filled, _, _ = _fill(table, None, None, 3)
    assert filled.first_step.tolist() == [0, 10, 11]
    for series in (filled.minimum, filled.mean, filled.maximum, filled.last):
        np.testing.assert_array_equal(series, values)


def test_parts_without_rows_are_left_out() -> None:
    """A hole in the steps gives no empty bucket."""
    filled, _, _ = _fill(_plain([0, 1, 2, 98, 99], np.zeros((1, 5), np.float32)), None, None, 4)
    assert filled.first_step.tolist() == [0, 98]
    assert filled.rows.tolist() == [[3, 2]]


def test_a_spike_is_inside_its_bucket() -> None:
    """One step among 100,000 shows in the maximum of its bucket."""
    values = np.ones((1, 100_000), np.float32)
    values[0, 54_321] = 7.0
    filled, _, _ = _fill(_plain(np.arange(100_000), values), None, None, 100)
    assert filled.maximum[0].argmax() == 54
    assert filled.maximum[0, 54] == 7.0


def test_an_infinity_does_not_spread() -> None:
    """It is counted, and the other values of its bucket keep their figures."""
    values = np.array([[1.0, np.inf, 3.0, 5.0]], np.float32)
    filled, _, _ = _fill(_plain([0, 1, 2, 3], values), None, None, 2)
    assert filled.positive_infinity.tolist() == [[1, 0]]
    assert filled.mean.tolist() == [[1.0, 4.0]]


def _plain(steps: Any, values: npt.NDArray[np.float32]) -> tuple[Any, ...]:
    rows = values.shape[1]
    recorded = np.ones((1, len(values)), np.bool_)
    return np.array(steps, np.int64), values, np.array([0, rows]), recorded, None
