"""What can be asked beyond a recording's plain curves: groups, axes, smoothing, figures, export."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from tensorboard.plugins import base_plugin
from werkzeug.test import Client, TestResponse

from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.reading import answers
from tb_regplugin.terms import Layout, Term
from tests.curves import decode_curves
from tests.fake_provider import FakeProvider
from tests.logs import DATA, LAYOUT, TOTAL, recording_events

ROWS = 100
TERMS = (
    Term("a/x/kernel", kind="l2"),
    Term("b/kernel", kind="l1"),
    Term("a/y/kernel", kind="l2"),
    Term("bias"),
)
# The terms' values at step i are i times these.
SIZES = np.array([4.0, -3.0, 2.0, 1.0])
PARAMETERS = {"run": "run", "name": "losses"}


def _values() -> Any:
    steps = np.arange(ROWS, dtype=np.float64)
    terms = steps[:, np.newaxis] * SIZES
    return np.column_stack([terms.sum(axis=1) + 1, np.ones(ROWS), terms])


@pytest.fixture
def provider() -> FakeProvider:
    """Returns a provider with a recording of four penalties, of steps 0, 10, 20, …."""
    made = FakeProvider()
    events = recording_events(np.arange(ROWS) * 10, _values(), Layout((TOTAL, DATA, *TERMS)))
    made.add(events)
    return made


@pytest.fixture
def plugin(provider: FakeProvider) -> RegularizationPlugin:
    """Returns the plugin over that provider."""
    return RegularizationPlugin(base_plugin.TBContext(data_provider=provider))


def _ask(
    plugin: RegularizationPlugin, route: str, headers: dict[str, str] | None = None, **query: Any
) -> TestResponse:
    client = Client(plugin.get_plugin_apps()[route])
    return client.get(query_string=PARAMETERS | query, headers=headers or {})


def _curves(plugin: RegularizationPlugin, **query: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    response = _ask(plugin, "/curves", **query)
    assert response.status_code == 200, response.text
    header, arrays = decode_curves(response.data)
    return header, arrays


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("kind", {"l2": 6.0, "l1": -3.0, "unknown": 1.0}),
        ("all", {"penalties": 4.0}),
        ("layer:1", {"a": 6.0, "b": -3.0, "bias": 1.0}),
        ("layer:2", {"a/x": 4.0, "b/kernel": -3.0, "a/y": 2.0, "bias": 1.0}),
        ("sets:-*2.7.0.7", {"set 7": 6.0, "set 0": -3.0, "bias": 1.0}),
        ("layer:3", dict(zip([term.name for term in TERMS], SIZES, strict=True))),
    ],
)
def test_penalties_are_grouped(
    plugin: RegularizationPlugin, group: str, expected: dict[str, float]
) -> None:
    """Where the first member stood, and summed per step before bucketing."""
    header, arrays = _curves(plugin, group=group, buckets=10)
    columns = header["columns"]
    assert [column["name"] for column in columns[2:-1]] == list(expected)
    for i, size in enumerate(expected.values(), start=2):
        steps = np.arange(ROWS).reshape(10, 10)
        np.testing.assert_allclose(arrays["min"][i], (steps * size).min(axis=1))
        np.testing.assert_allclose(arrays["max"][i], (steps * size).max(axis=1))
        np.testing.assert_allclose(arrays["mean"][i], (steps * size).mean(axis=1))
    np.testing.assert_array_equal(arrays["max"][-1], np.zeros(10))


def test_a_group_says_what_it_joins(plugin: RegularizationPlugin) -> None:
    """How many terms, which, and their kind where it is the same."""
    header, _ = _curves(plugin, group="layer:1")
    assert header["columns"][2] == {
        "name": "a",
        "role": "penalty",
        "kind": "l2",
        "terms": 2,
        "members": ["a/x/kernel", "a/y/kernel"],
        "first": 0.0,
    }
    header, _ = _curves(plugin, group="all")
    assert "kind" not in header["columns"][2]


def test_the_largest_are_kept_and_the_rest_is_one(plugin: RegularizationPlugin) -> None:
    """By their mean absolute value, in their order, so that a negative term counts as well."""
    header, arrays = _curves(plugin, top=2, buckets=10)
    names = [column["name"] for column in header["columns"]]
    assert names == ["total", "data", "a/x/kernel", "b/kernel", "2 more terms", "residual"]
    assert header["columns"][4] == {
        "name": "2 more terms",
        "role": "penalty",
        "terms": 2,
        "members": ["a/y/kernel", "bias"],
        "rest": True,
        "first": 0.0,
    }
    np.testing.assert_allclose(arrays["max"][4], np.arange(9, ROWS, 10) * 3.0)


def test_a_diverged_term_is_among_the_largest(
    plugin: RegularizationPlugin, provider: FakeProvider
) -> None:
    """It must not hide in the rest."""
    values = [[3, 1, 5, np.nan, 1, 1], [3, 1, 5, 0.1, 1, 1]]
    provider.add(recording_events([0, 1], values, Layout((TOTAL, DATA, *TERMS))), "odd")
    header, _ = _curves(plugin, run="odd", top=1)
    assert header["columns"][2]["name"] == "b/kernel"


def test_all_penalties_are_kept_where_they_are_few(plugin: RegularizationPlugin) -> None:
    """No rest of nothing."""
    for top in (0, 4, 100):
        header, _ = _curves(plugin, top=top)
        assert len(header["columns"]) == 2 + 4 + 1


def test_groups_can_be_cut_to_the_largest(plugin: RegularizationPlugin) -> None:
    """The rest counts terms, not groups."""
    header, _ = _curves(plugin, group="layer:1", top=1)
    assert [column["name"] for column in header["columns"][2:-1]] == ["a", "2 more terms"]
    assert header["columns"][3]["members"] == ["b/kernel", "bias"]


@pytest.mark.parametrize(("x", "begin"), [("wall_time", 500.0), ("relative", 500.0)])
def test_x_can_be_time(plugin: RegularizationPlugin, x: str, begin: float) -> None:
    """Buckets, ranges and positions are then in seconds."""
    header, arrays = _curves(plugin, x=x, start=begin + 0.5, end=begin + 100.25, buckets=5)
    assert (header["x"], header["first_x"], header["last_x"]) == (x, 0.0, 990.0)
    assert header["rows_in_range"] == 10
    np.testing.assert_array_equal(arrays["first_x"], [510, 530, 550, 570, 590])
    np.testing.assert_array_equal(arrays["last_x"], [520, 540, 560, 580, 600])
    np.testing.assert_array_equal(arrays["first_x"], arrays["first_step"])


def test_smoothing_is_tensorboards(plugin: RegularizationPlugin) -> None:
    """At each row, from the recording's first row on."""
    values = _values()[:, 0]
    last, expected = 0.0, []
    for i, value in enumerate(values, start=1):
        last = last * 0.9 + 0.1 * value
        expected.append(last / (1 - 0.9**i))
    _, arrays = _curves(plugin, smoothing=0.9)
    np.testing.assert_allclose(arrays["smoothed"][0], expected, rtol=1e-6)
    _, zoomed = _curves(plugin, smoothing=0.9, start=500, end=600)
    np.testing.assert_array_equal(zoomed["smoothed"], arrays["smoothed"][:, 50:61])
    _, coarse = _curves(plugin, smoothing=0.9, buckets=7)
    rows = (coarse["last_step"] / 10).astype(int)
    np.testing.assert_array_equal(coarse["smoothed"], arrays["smoothed"][:, rows])


def test_smoothing_goes_on_where_a_term_vanishes(
    provider: FakeProvider, plugin: RegularizationPlugin
) -> None:
    """Each column's average is over the rows in which it was recorded."""
    layout = Layout((TOTAL, DATA, *TERMS[:-1]))
    steps = np.arange(ROWS, 2 * ROWS) * 10
    provider.add(recording_events(steps, _values()[:, :-1], layout, writer="2"))
    _, arrays = _curves(plugin, smoothing=0.9)
    averages = [0.0]
    for value in np.tile(_values()[:, 0], 2):
        averages.append(averages[-1] * 0.9 + 0.1 * value)
    expected = averages[1:] / (1 - 0.9 ** np.arange(1, 2 * ROWS + 1))
    np.testing.assert_allclose(arrays["smoothed"][0], expected, rtol=1e-6)
    assert np.isfinite(arrays["smoothed"][-2, :ROWS]).all()
    assert np.isnan(arrays["smoothed"][-2, ROWS:]).all()


def test_only_the_arrays_asked_for_are_sent(plugin: RegularizationPlugin) -> None:
    """Those that place the buckets are always there."""
    _, arrays = _curves(plugin, arrays="min,max")
    placing = ["first_step", "last_step", "first_x", "last_x", "wall_time"]
    assert list(arrays) == [*placing, "min", "max"]


def test_statistics_are_of_the_range(plugin: RegularizationPlugin) -> None:
    """Over its rows, for each column; shares mean nothing beside a negative term."""
    answer = json.loads(_ask(plugin, "/statistics", start=100, end=190).data)
    assert (answer["rows_in_range"], answer["first_step"], answer["last_step"]) == (10, 100, 190)
    kernel = answer["columns"][2]
    assert kernel == {
        "name": "a/x/kernel",
        "role": "penalty",
        "kind": "l2",
        "last": 76.0,
        "min": 40.0,
        "max": 76.0,
        "mean": 58.0,
        "share": None,
        "rows": 10,
        "non_finite": 0,
        "first_non_finite_step": None,
    }


def test_statistics_tell_shares_and_where_values_diverge(
    plugin: RegularizationPlugin, provider: FakeProvider
) -> None:
    """A share needs finite values; the first step that is not finite is the range's."""
    values = np.array([[4, 3, 1], [8, 6, 2], [np.inf, 3, np.inf], [4, 3, np.nan]])
    provider.add(recording_events([0, 1, 2, 3], values, LAYOUT), "odd")
    early = json.loads(_ask(plugin, "/statistics", run="odd", end=1).data)["columns"]
    assert [column["share"] for column in early] == [1.0, 0.75, 0.25, 0.0]
    late = json.loads(_ask(plugin, "/statistics", run="odd", start=3).data)["columns"]
    assert [column["share"] for column in late] == [None] * 4
    assert (late[2]["last"], late[2]["mean"], late[2]["non_finite"]) == ("NaN", None, 1)
    assert [column["first_non_finite_step"] for column in late] == [None, None, 3, 3]


def _export(plugin: RegularizationPlugin, **query: Any) -> TestResponse:
    response = _ask(plugin, "/export", **query)
    assert response.status_code == 200, response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    return response


def test_csv_holds_the_exact_rows(plugin: RegularizationPlugin, provider: FakeProvider) -> None:
    """Any float32 comes back bit by bit, any name as it was, and a gap as nothing."""
    random = np.random.default_rng(0)
    values = random.integers(0, 2**32, (5000, 1), np.uint32).view(np.float32)
    name = 'quotes " and, commas\n'
    provider.add(recording_events(np.arange(5000), values, Layout((Term(name),))), "odd/<run>")
    later = recording_events([9000], [[0.1]], Layout((Term("later"),)), number=99)
    provider.add(later, "odd/<run>")
    response = _export(plugin, run="odd/<run>")
    assert response.content_type.startswith("text/csv")
    disposition = response.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="odd_run_losses.csv"'
    head, *rows = csv.reader(io.StringIO(response.text, newline=""))
    assert head == ["step", "wall_time", name, "later"]
    assert [int(row[0]) for row in rows] == [*range(5000), 9000]
    read = np.array([float(row[2]) for row in rows[:-1]]).astype(np.float32)
    np.testing.assert_array_equal(read, values[:, 0])
    assert {row[3] for row in rows[:-1]} == {""}
    assert rows[-1][1:] == ["9000.0", "", "0.1"]


def test_json_holds_the_exact_rows(plugin: RegularizationPlugin, provider: FakeProvider) -> None:
    """What JSON has no number for is text, and a gap is null; the range is kept to."""
    twins = Layout((Term("x", "data"), Term("x"), Term("y")))
    values = np.array([[0.1, np.inf, -np.inf], [1e-30, np.nan, 3]])
    provider.add(recording_events([3, 4], values, twins), "odd")
    provider.add(recording_events([5], [[7.0]], Layout((Term("y"),)), number=1), "odd")
    answer = json.loads(_export(plugin, run="odd", format="json", start=3, end=5).text)
    assert answer == {
        "columns": ["data: x", "penalty: x", "y"],
        "steps": [3, 4, 5],
        "wall_times": [3.0, 4.0, 5.0],
        "values": [[0.1, "Infinity", "-Infinity"], [1e-30, "NaN", 3.0], [None, None, 7.0]],
    }
    empty = json.loads(_export(plugin, run="odd", format="json", start=100).text)
    assert (empty["steps"], empty["values"]) == ([], [])


def test_too_large_an_export_is_refused(
    plugin: RegularizationPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do."""
    monkeypatch.setattr(answers, "MAX_VALUES", 60)
    response = _ask(plugin, "/export")
    assert response.status_code == 400
    assert "Narrow it" in json.loads(response.data)["error"]
    assert _ask(plugin, "/export", end=90).status_code == 200


def test_too_many_numbers_are_refused(
    plugin: RegularizationPlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand terms in ten thousand buckets would be a quarter of a gigabyte."""
    monkeypatch.setattr(answers, "MAX_CURVE_VALUES", 7 * 10 * 2)
    query: dict[str, Any] = {"buckets": 10, "arrays": "min,max"}
    assert _ask(plugin, "/curves", **query).status_code == 200
    response = _ask(plugin, "/curves", **query | {"arrays": "min,max,mean"})
    assert response.status_code == 400
    assert "use top" in json.loads(response.data)["error"]


@pytest.mark.parametrize("path", ["/curves", "/statistics"])
def test_no_answer_looks_at_more_columns_than_one_waits_for(
    plugin: RegularizationPlugin, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """What is joined counts once."""
    monkeypatch.setattr(answers, "MAX_COLUMNS", 4)
    response = _ask(plugin, path)
    assert response.status_code == 400
    assert "group=all" in json.loads(response.data)["error"]
    assert _ask(plugin, path, group="all").status_code == 200


@pytest.mark.parametrize("route", ["/recordings", "/curves", "/statistics", "/export"])
def test_what_has_not_changed_is_not_sent_again(
    plugin: RegularizationPlugin, provider: FakeProvider, route: str
) -> None:
    """Until the recording grows."""
    first = _ask(plugin, route)
    known = {"If-None-Match": first.headers["ETag"]}
    second = _ask(plugin, route, headers=known)
    assert (second.status_code, second.data) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]
    layout = Layout((TOTAL, DATA, *TERMS))
    provider.add(recording_events([2000], [[1.0] * 6], layout, number=1)[1:])
    third = _ask(plugin, route, headers=known)
    assert third.status_code == 200
    assert third.headers["ETag"] != first.headers["ETag"]


def test_another_question_has_another_tag(plugin: RegularizationPlugin) -> None:
    """What was answered to one question is no answer to another."""
    tags = {
        _ask(plugin, "/curves", **query).headers["ETag"]
        for query in ({}, {"top": 1}, {"start": 1}, {"x": "relative"}, {"smoothing": 0.5})
    }
    assert len(tags) == 5


@pytest.mark.parametrize(
    ("route", "query", "reason"),
    [
        ("/curves", {"group": "size"}, "group must be 'term', 'kind', 'all', "),
        ("/curves", {"group": "layer"}, "DEPTH"),
        ("/statistics", {"group": "layer:0"}, "from 1 to 100"),
        ("/curves", {"group": "layer:٣"}, "from 1 to 100"),
        ("/curves", {"group": "sets:"}, "'' is not"),
        ("/curves", {"group": "sets:1*0"}, "'1*0' is not"),
        ("/curves", {"group": "sets:1*99999.2*2"}, "'2*2' is not, or is too much"),
        ("/curves", {"top": "-1"}, "top is -1; it must be from 0"),
        ("/curves", {"x": "time"}, "x must be one of 'step', 'wall_time', 'relative'"),
        ("/curves", {"x": "relative", "start": "nan"}, "start must be a number"),
        ("/curves", {"x": "relative", "end": "1e999"}, "end must be a number"),
        ("/curves", {"x": "relative", "start": "2", "end": "1"}, "start (2.0) is after end (1.0)"),
        ("/curves", {"smoothing": "1"}, "smoothing is 1; it must be from 0 to 0.999"),
        ("/curves", {"smoothing": ""}, "smoothing must be a number"),
        ("/curves", {"arrays": "min,median"}, "'median' is not one of them"),
        ("/curves", {"arrays": ""}, "is not one of them"),
        ("/export", {"format": "xls"}, "format must be one of 'csv', 'json'"),
    ],
)
def test_a_wrong_parameter_is_explained(
    plugin: RegularizationPlugin, route: str, query: dict[str, Any], reason: str
) -> None:
    """In JSON, with what is wrong."""
    response = _ask(plugin, route, **query)
    assert (response.status_code, response.content_type) == (400, "application/json")
    assert reason in json.loads(response.data)["error"]
