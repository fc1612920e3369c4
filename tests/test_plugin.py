"""The routes, asked in this process."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.plugins import base_plugin
from werkzeug.test import Client, TestResponse

from tb_regplugin import static_files
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.tab import RegularizationTab
from tb_regplugin.terms import Layout, Term
from tests.curves import decode_curves
from tests.fake_provider import FakeProvider
from tests.logs import LAYOUT, recording_events

HTTP_API = Path(__file__).parents[1] / "docs" / "http_api.md"
ROUTES = [
    *("/recordings", "/overview", "/curves", "/statistics"),
    *("/export", "/findings", "/sweep", "/composition", "/index.js"),
]


@pytest.fixture
def provider() -> FakeProvider:
    """Returns a provider with one recording of 100 steps."""
    made = FakeProvider()
    steps = np.arange(100)
    values = np.column_stack([3.0 * steps, 2.0 * steps, steps])
    made.add(recording_events(steps, values))
    return made


@pytest.fixture
def plugin(provider: FakeProvider) -> RegularizationPlugin:
    """Returns the plugin over that provider."""
    return RegularizationPlugin(base_plugin.TBContext(data_provider=provider))


def _ask(
    plugin: RegularizationPlugin, route: str, query: Any = None, *, method: str = "GET"
) -> TestResponse:
    client = Client(plugin.get_plugin_apps()[route])
    return client.open(route, query_string=query, method=method)


def test_the_documentation_names_every_route(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And no other; what lies beside index.js once that is built is named by hashes."""
    monkeypatch.setattr(static_files, "STATIC", tmp_path)
    documented = re.findall(r"^## `GET ([^?`]+)", HTTP_API.read_text(encoding="utf-8"), re.M)
    apps = RegularizationPlugin(base_plugin.TBContext()).get_plugin_apps()
    assert sorted(f"/{route}" for route in documented) == sorted(apps) == sorted(ROUTES)


def test_tensorboard_learns_what_the_tab_is(provider: FakeProvider) -> None:
    """It is active where there is data of these names, without being asked."""
    tab = RegularizationTab(base_plugin.TBContext(data_provider=provider))
    assert tab.plugin_name == "regularization"
    assert tab.data_plugin_names() == ["regularization", "regularization_compositions"]
    assert tab.is_active() is False
    metadata = tab.frontend_metadata()
    assert (metadata.es_module_path, metadata.tab_name) == ("/index.js", "Regularization")


def test_the_tab_answers_as_the_plugin_does(
    provider: FakeProvider, plugin: RegularizationPlugin
) -> None:
    """At every route; at others it says what TensorBoard says."""
    tab = RegularizationTab(base_plugin.TBContext(data_provider=provider))
    client = Client(tab.get_plugin_apps()["/*"])
    for route in ROUTES:
        answer = client.get(f"/data/plugin/regularization{route}")
        expected = _ask(plugin, route)
        assert (answer.status, answer.data) == (expected.status, expected.data)
    missing = client.get("/data/plugin/regularization/none")
    assert (missing.status_code, missing.text) == (404, "Not found")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_only_get_is_answered(plugin: RegularizationPlugin, route: str, method: str) -> None:
    """The plugin changes nothing, so nothing else makes sense."""
    response = _ask(plugin, route, method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"
    assert response.content_type == "application/json"


def test_recordings_are_described(plugin: RegularizationPlugin) -> None:
    """With what is known of each column."""
    (recording,) = json.loads(_ask(plugin, "/recordings").data)["recordings"]
    assert recording == {
        "run": "run",
        "name": "losses",
        "last_step": 99,
        "last_wall_time": 99.0,
        "columns": [
            {"name": "total", "role": "total"},
            {"name": "data", "role": "data"},
            {
                "name": "kernel",
                "role": "penalty",
                "kind": "l2",
                "strength": 0.01,
                "coefficient": 0.01,
                "shape": [3, 4],
                "size": 12,
            },
        ],
        "problems": [],
    }


def test_curves_are_exact_where_all_rows_fit(plugin: RegularizationPlugin) -> None:
    """Each row is a bucket, in the whole recording by default."""
    response = _ask(plugin, "/curves", {"run": "run", "name": "losses"})
    assert response.content_type == "application/octet-stream"
    header, arrays = decode_curves(response.data)
    assert {key: header[key] for key in ("run", "name", "first_step", "last_step", "rows")} == {
        "run": "run",
        "name": "losses",
        "first_step": 0,
        "last_step": 99,
        "rows": 100,
    }
    assert header["rows_in_range"] == 100
    assert [column["name"] for column in header["columns"]] == [
        "total",
        "data",
        "kernel",
        "residual",
    ]
    assert header["columns"][-1] == {
        "name": "residual",
        "role": "unexplained",
        "derived": True,
        "significant": False,
        "first": 0.0,
    }
    steps = np.arange(100.0)
    np.testing.assert_array_equal(arrays["first_step"], steps)
    np.testing.assert_array_equal(arrays["wall_time"], steps)
    for name in ("min", "mean", "max", "last"):
        np.testing.assert_array_equal(arrays[name], [3 * steps, 2 * steps, steps, 0 * steps])
    assert "nan" not in arrays


def test_a_range_of_curves_is_cut(plugin: RegularizationPlugin) -> None:
    """Both ends are inclusive, and the header still speaks of the whole recording."""
    query = {"run": "run", "name": "losses", "start": 10, "end": 29, "buckets": 4}
    header, arrays = decode_curves(_ask(plugin, "/curves", query).data)
    assert (header["rows"], header["rows_in_range"]) == (100, 20)
    assert arrays["first_step"].tolist() == [10, 15, 20, 25]
    assert arrays["last_step"].tolist() == [14, 19, 24, 29]
    assert arrays["rows"].tolist() == [[5] * 4] * 4


def test_a_range_beyond_the_recording_is_empty(plugin: RegularizationPlugin) -> None:
    """It is no mistake to look where nothing is yet."""
    query = {"run": "run", "name": "losses", "start": 1000}
    header, arrays = decode_curves(_ask(plugin, "/curves", query).data)
    assert header["rows_in_range"] == 0
    assert arrays["min"].shape == (4, 0)


def test_a_range_around_the_recording_makes_it_no_coarser(plugin: RegularizationPlugin) -> None:
    """Empty steps take no buckets."""
    query = {"run": "run", "name": "losses", "start": -(2**63), "end": 2**63 - 1, "buckets": 10}
    _, arrays = decode_curves(_ask(plugin, "/curves", query).data)
    assert arrays["first_step"].tolist() == list(range(0, 100, 10))


def test_values_that_are_not_finite_are_counted(
    plugin: RegularizationPlugin, provider: FakeProvider
) -> None:
    """Only the kinds that occur have an array, and the column tells where it began."""
    values = np.array([[1, np.inf, 1], [1, 1, np.nan], [1, 1, 1]])
    provider.add(recording_events([0, 1, 2], values), "odd")
    query = {"run": "odd", "name": "losses", "buckets": 1}
    header, arrays = decode_curves(_ask(plugin, "/curves", query).data)
    assert [column.get("first_non_finite_step") for column in header["columns"]] == [None, 0, 1, 0]
    assert arrays["nan"].tolist() == [[0], [0], [1], [1]]
    assert arrays["positive_infinity"].tolist() == [[0], [1], [0], [0]]
    assert arrays["negative_infinity"].tolist() == [[0], [0], [0], [1]]


def test_names_are_data(plugin: RegularizationPlugin, provider: FakeProvider) -> None:
    """Whatever they hold, they come out as JSON text."""
    name = "</script><script>alert('\"')</script>/\n\\ 🎉 \ud800"
    provider.add(recording_events([0], [[1.0]], Layout((Term(name),)), name="a/b 'c'"), "<r>\n")
    response = _ask(plugin, "/curves", {"run": "<r>\n", "name": "a/b 'c'"})
    header, _ = decode_curves(response.data)
    assert header["columns"][0]["name"] == name
    listed = json.loads(_ask(plugin, "/recordings").data)["recordings"]
    assert listed[0]["columns"][0]["name"] == name


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        ({}, 400, "'run' is missing"),
        ({"run": "run"}, 400, "'name' is missing"),
        ({"run": "other", "name": "losses"}, 404, "'other' has no recording 'losses'"),
        ({"run": "run", "name": "other"}, 404, "'run' has no recording 'other'"),
        ({"start": "soon"}, 400, "start must be a whole number, not 'soon'"),
        ({"start": ""}, 400, "start must be a whole number"),
        ({"end": "1.5"}, 400, "end must be a whole number"),
        ({"end": "9" * 19}, 400, "it must be from"),
        ({"end": "9" * 5000}, 400, "end must be a whole number"),
        ({"start": "٣"}, 400, "start must be a whole number"),
        ({"start": "5", "end": "4"}, 400, "start (5) is after end (4)"),
        ({"buckets": "0"}, 400, "buckets is 0; it must be from 1 to 10000"),
        ({"buckets": "10001"}, 400, "it must be from 1 to 10000"),
        ({"buckets": "-1"}, 400, "it must be from 1 to 10000"),
    ],
)
def test_a_wrong_query_is_explained(
    plugin: RegularizationPlugin, query: dict[str, str], code: int, reason: str
) -> None:
    """In JSON, with what is wrong."""
    if "run" not in query and query:
        query = {"run": "run", "name": "losses"} | query
    response = _ask(plugin, "/curves", query)
    assert (response.status_code, response.content_type) == (code, "application/json")
    assert reason in json.loads(response.data)["error"]


@given(
    st.dictionaries(
        st.sampled_from(["run", "name", "start", "end", "buckets", "other"]),
        st.sampled_from(["run", "losses", "0", "7"]) | st.text() | st.integers().map(str),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_query_fails(plugin: RegularizationPlugin, query: dict[str, str]) -> None:
    """Whatever is asked is answered, or explained."""
    response = _ask(plugin, "/curves", {"run": "run", "name": "losses"} | query)
    assert response.status_code in (200, 400, 404)


def test_an_unexpected_failure_is_logged_and_told(
    plugin: RegularizationPlugin, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """As JSON, so that the dashboard can show it; the details stay in the log."""
    for tag in provider.events["run"]:
        provider.failing[tag] = RuntimeError("a secret")
    response = _ask(plugin, "/curves", {"run": "run", "name": "losses"})
    assert response.status_code == 500
    assert "a secret" not in json.loads(response.data)["error"]
    assert "a secret" in caplog.text


def test_an_unreadable_recording_has_problems_and_no_columns(
    plugin: RegularizationPlugin, provider: FakeProvider
) -> None:
    """It is listed and answered, so that the dashboard can say what is wrong."""
    events = recording_events([0], [[1, 1, 1]], LAYOUT)
    events[0].summary.value[0].tensor.string_val[0] = b"not JSON"
    provider.add(events, "odd")
    listed = json.loads(_ask(plugin, "/recordings").data)["recordings"][0]
    assert (listed["run"], listed["columns"]) == ("odd", [])
    assert "not JSON with a version" in listed["problems"][0]["reason"]
    header, arrays = decode_curves(_ask(plugin, "/curves", {"run": "odd", "name": "losses"}).data)
    assert (header["rows"], header["first_step"], header["last_step"]) == (0, None, None)
    assert header["problems"] == listed["problems"]
    assert arrays["first_step"].shape == (0,)


def test_the_scripts_of_the_dashboard_are_served(
    plugin: RegularizationPlugin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those alone, and by name: one that is named by its hash is kept by the browser."""
    scripts = {
        "index.js": "export { render } from './page-ABC.js';",
        "page-ABC.js": "export function render() {}",
    }
    for name, script in {**scripts, "NOTICES.txt": "MIT"}.items():
        (tmp_path / name).write_text(script)
    monkeypatch.setattr(static_files, "STATIC", tmp_path)
    answers = {name: _ask(plugin, f"/{name}") for name in scripts}
    assert {name: answer.text for name, answer in answers.items()} == scripts
    for answer in answers.values():
        assert answer.content_type.startswith("text/javascript")
    assert answers["index.js"].headers["Cache-Control"] == "no-cache, must-revalidate"
    assert answers["page-ABC.js"].headers["Cache-Control"] == "private, max-age=31536000"
    assert not any("NOTICES" in route for route in plugin.get_plugin_apps())


def test_a_page_is_served_by_the_build_that_it_began_with(
    plugin: RegularizationPlugin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is installed while TensorBoard runs is shown once that is started again."""
    (tmp_path / "index.js").write_text("old")
    monkeypatch.setattr(static_files, "STATIC", tmp_path)
    apps = plugin.get_plugin_apps()
    (tmp_path / "index.js").write_text("new")
    assert Client(apps["/index.js"]).get("/index.js").text == "old"
    assert _ask(plugin, "/index.js").text == "new"


def test_without_a_bundle_the_tab_says_how_to_build_it(
    plugin: RegularizationPlugin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Instead of an empty page."""
    monkeypatch.setattr(static_files, "STATIC", tmp_path)
    response = _ask(plugin, "/index.js")
    assert response.status_code == 200
    assert "export function render()" in response.text
    assert "pip install" in response.text
