"""How columns add up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from tb_regplugin.reading.aggregates import Digests
from tb_regplugin.reading.composition import compose, evaluate, evaluate_at, recorded_in
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Role, Term

ROLES: dict[str, Role] = {
    "total": "total",
    "data": "data",
    "decay": "implicit",
    "origin": "unexplained",
}


def _compose(columns: dict[str, list[float]], recorded: list[list[bool]] | None = None) -> Contents:
    """Composes columns by name; ``recorded`` has a list for each row where not all are."""
    values = np.array(list(columns.values()), np.float32)
    rows = values.shape[1]
    masks = np.ones((rows, len(columns)), np.bool_) if recorded is None else np.array(recorded)
    values[~masks.T] = np.nan
    terms = tuple(Term(name, role=ROLES.get(name, "penalty")) for name in columns)
    steps = np.arange(rows) * 10
    table = Table(terms, steps, steps.astype(np.float64), values, np.arange(rows + 1), masks)
    return Contents(table, Digests(), (), "")


def test_penalties_alone_make_no_total() -> None:
    """What else the loss has, nobody knows."""
    assert [column.term.name for column in _compose({"a": [1.0], "b": [2.0]}).columns] == ["a", "b"]


def _values(composition: Contents, place: int) -> npt.NDArray[np.float32]:
    table = composition.table
    column = composition.columns[place]
    values = evaluate(table, column.sum, 0, len(table.steps))
    rows = np.arange(len(table.steps))
    np.testing.assert_array_equal(evaluate_at(table, column.sum, rows), values)
    return values


def _significant(composition: Contents) -> bool:
    return composition.digests.has_significant_residual(composition.table)


def _last(composition: Contents) -> npt.NDArray[np.float32]:
    return _values(composition, -1)


def test_without_a_total_the_sum_of_the_parts_is_added() -> None:
    """Data and penalties add up; what is not in the loss does not count."""
    composition = _compose({"data": [1, 2], "a": [0.5, 0.25], "decay": [100, 100]})
    column = composition.columns[-1]
    assert (column.term.name, column.term.role, column.derived) == ("total", "total", True)
    assert _significant(composition) is False
    np.testing.assert_array_equal(_last(composition), [1.5, 2.25])


def test_with_a_total_the_residual_is_added() -> None:
    """What the recorded parts leave unexplained, with recorded unexplained parts taken off."""
    composition = _compose({"total": [4, 4], "data": [1, 1], "a": [1, 1], "origin": [0.5, 2]})
    column = composition.columns[-1]
    assert (column.term.name, column.term.role) == ("residual", "unexplained")
    assert column.derived
    np.testing.assert_array_equal(_last(composition), [1.5, 0.0])
    assert _significant(composition) is True


def test_rounding_is_not_significant() -> None:
    """A total that was summed in float32 has no significant residual."""
    parts = np.random.default_rng(0).random((300, 50), np.float32)
    total = np.zeros(50, np.float32)
    for part in parts:
        total += part
    columns = {"total": total.tolist()} | {f"p{i}": part.tolist() for i, part in enumerate(parts)}
    assert _significant(_compose(columns)) is False


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_residual_that_is_not_finite_is_not_significant(bad: float) -> None:
    """A diverged step says nothing about whether the parts add up."""
    composition = _compose({"total": [2, bad], "data": [1, bad], "a": [1, 1]})
    assert _significant(composition) is False
    assert np.isnan(_last(composition)[1])


def test_cancelling_parts_are_judged_by_their_size() -> None:
    """A total near zero does not make the rounding of large parts significant."""
    composition = _compose({"total": [0.01], "data": [1000], "a": [-1000]})
    assert _significant(composition) is False


def test_a_column_that_was_not_recorded_counts_as_zero() -> None:
    """A term that joins later is missing from the sums before."""
    composition = _compose({"data": [1, 1], "a": [0, 0.5]}, [[True, False], [True, True]])
    np.testing.assert_array_equal(_last(composition), [1.0, 1.5])


def test_a_recorded_nan_makes_the_sum_nan() -> None:
    """A NaN that was recorded is not taken for a gap."""
    composition = _compose({"data": [1, 1], "a": [np.nan, 0.5]})
    np.testing.assert_array_equal(_last(composition), [np.nan, 1.5])


def test_the_sum_stands_in_where_a_total_is_missing() -> None:
    """A recording with totals at some rows has one at each, and a residual only where recorded."""
    composition = _compose(
        {"total": [9, 0], "data": [1, 1], "a": [2, 2]}, [[True, True, True], [False, True, True]]
    )
    np.testing.assert_array_equal(_values(composition, 0), [9.0, 3.0])
    np.testing.assert_array_equal(_last(composition), [6.0, np.nan])
    recorded = [recorded_in(composition.table, column.sum) for column in composition.columns]
    assert recorded[0].tolist() == [True, True]
    assert recorded[-1].tolist() == [True, False]


def test_the_first_row_that_is_not_finite_is_found() -> None:
    """Gaps are not taken for NaN."""
    composition = _compose(
        {"data": [1, 1, np.nan], "a": [0, np.inf, 1], "b": [0, 1, 1]},
        [[True, False, False], [True, True, True], [True, True, True]],
    )
    first = [
        composition.digests.first_non_finite(composition.table, column.sum)
        for column in composition.columns
    ]
    assert first == [2, 1, None, 1]


def test_sums_do_not_overflow_to_a_warning() -> None:
    """A sum beyond float32 is an infinity."""
    composition = _compose({"data": [3e38], "a": [3e38]})
    assert np.isposinf(_last(composition)).all()


def test_a_recording_without_rows_composes() -> None:
    """All columns are there, without values."""
    terms = (Term("data", role="data"),)
    empty = np.empty(0)
    table = Table(
        terms,
        empty.astype(np.int64),
        empty,
        np.empty((1, 0), np.float32),
        np.zeros(1, np.int64),
        np.empty((0, 1), np.bool_),
    )
    contents = Contents(table, Digests(), (), "")
    assert [column.term.name for column in contents.columns] == ["data", "total"]
    assert len(_last(contents)) == 0


def test_a_recorded_residual_keeps_its_name() -> None:
    """Role and name tell series apart, so the derived one takes another name."""
    terms = (Term("total", "total"), Term("residual", "unexplained"))
    assert [column.term.name for column in compose(terms)] == ["total", "residual", "residual (2)"]
