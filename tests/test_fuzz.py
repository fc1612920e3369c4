"""Anything may be asked, and anything may be in a log: answers, reasons, but no failures."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote_plus

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, tensor_pb2
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_regplugin.log_format import SegmentTag, layout_id, segment_tag
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.reading import source as source_module
from tb_regplugin.terms import Layout, Term
from tests.curves import decode_curves
from tests.fake_provider import FakeProvider
from tests.logs import DATA, LAYOUT, NAME, TOTAL, recording_events

MANY = settings(
    max_examples={"ci": 1_500, "fuzz": 10_000}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 100),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SOME = settings(MANY, max_examples=MANY.max_examples // 4)

WORDS = [
    *("term", "kind", "all", "layer:1", "layer:0", "layer:", "layer:99999999999"),
    *("sets:0*2.-.1", "sets:", "sets:1*999999", "sets:.", "sets:*", "sets:-1"),
    *("step", "wall_time", "relative", "csv", "json", "min,max", "smoothed", "min,,max", ","),
    *("0", "7", "-1", "1e3", "1e308", "-1e308", "nan", "inf", "0.999", "1.0", "0.5", "9" * 30),
    *("-9223372036854775808", "9223372036854775807", "run", "odd", NAME, "", " ", "\x00", "٣"),
]
KEYS = ["start", "end", "buckets", "group", "top", "x", "smoothing", "arrays", "format", "other"]
VALUES = st.sampled_from(WORDS) | st.text(max_size=20) | st.integers().map(str)
QUERIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)


@pytest.fixture(scope="module")
def plugin() -> RegularizationPlugin:
    """Returns the plugin over a plain recording, and one of odd values, times and gaps."""
    provider = FakeProvider()
    steps = np.arange(300)
    layout = Layout((TOTAL, DATA, *(Term(f"a/{i % 3}/{i}", kind="l2") for i in range(6))))
    provider.add(recording_events(steps, np.ones((300, 8)), layout))
    extremes = [-(2**63), -5, 0, 2**63 - 1]
    values: list[list[float]] = [
        [np.nan, np.inf, -np.inf],
        [3e38, -3e38, 1],
        [0, 0, 0],
        [1, 2, np.nan],
    ]
    for i, (step, row) in enumerate(zip(extremes, values, strict=True)):
        provider.add(recording_events([step], [row], LAYOUT, number=2 * i), "odd")
        if step == 0:
            provider.add(recording_events([1], [[5]], Layout((Term("later"),)), number=5), "odd")
    for events in provider.events["odd"].values():
        for event in events:
            event.wall_time = [1e308, -1e308, 5.0][event.step % 3]
    return RegularizationPlugin(base_plugin.TBContext(data_provider=provider))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_SECONDS_BETWEEN_ATTEMPTS", 0.0)


def _check(plugin: RegularizationPlugin, route: str, query: str) -> None:
    response = Client(plugin.get_plugin_apps()[route]).get(query_string=query)
    body = response.get_data()
    assert response.status_code in (200, 400, 404), (query, body)
    if response.status_code != 200:
        assert json.loads(body)["error"]
    elif route == "/curves":
        decode_curves(body)
    elif response.content_type == "application/json":
        json.loads(body)


@pytest.mark.parametrize("route", ["/curves", "/statistics", "/export"])
@given(st.sampled_from(["run", "odd"]), QUERIES)
@MANY
def test_any_parameters_are_answered(
    plugin: RegularizationPlugin, route: str, run: str, query: dict[str, str]
) -> None:
    """With what was asked, or with what is wrong."""
    parts = {"run": run, "name": NAME} | query
    encoded = "&".join(
        f"{key}={quote_plus(value.encode(errors='surrogatepass'))}" for key, value in parts.items()
    )
    _check(plugin, route, encoded)


@pytest.mark.parametrize(
    "route", ["/recordings", "/overview", "/curves", "/statistics", "/export", "/index.js"]
)
@given(st.text(st.characters(max_codepoint=255), max_size=60))
@SOME
def test_any_query_string_is_answered(plugin: RegularizationPlugin, route: str, query: str) -> None:
    """Also what is no query at all."""
    _check(plugin, route, query)


@given(st.text(max_size=40))
@SOME
def test_any_entity_tag_is_taken(plugin: RegularizationPlugin, tag: str) -> None:
    """A header that is no tag is no tag that is known."""
    header = tag.encode("utf-8", "replace").decode("latin-1").replace("\r", "").replace("\n", "")
    client = Client(plugin.get_plugin_apps()["/recordings"])
    response = client.get(headers={"If-None-Match": header})
    assert response.status_code == (304 if header.strip() == "*" else 200)


TENSORS = st.builds(
    lambda dtype, dims, content, floats, strings: tensor_pb2.TensorProto(
        dtype=dtype,
        tensor_shape={"dim": [{"size": size} for size in dims]},
        tensor_content=content,
        float_val=floats,
        string_val=strings,
    ),
    st.sampled_from([0, 1, 1, 1, 1, 2, 3, 7, 9, 10, 14, 19, 101]),
    st.lists(st.integers(-1, 6) | st.sampled_from([5, 2**40]), max_size=3),
    st.binary(max_size=40) | st.integers(0, 6).map(lambda rows: bytes(4 * 5 * rows)),
    st.lists(st.floats(width=32), max_size=6),
    st.lists(st.binary(max_size=4), max_size=2),
)
BLOCKS = st.tuples(
    TENSORS,
    st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 20),
    st.floats() | st.integers(0, 100).map(float),
)


@given(st.lists(BLOCKS, min_size=1, max_size=4), st.booleans())
@MANY
def test_any_block_is_shown_or_named(blocks: list[tuple[Any, int, float]], in_layout: bool) -> None:
    """And what is good beside it is shown."""
    provider = FakeProvider()
    provider.add(recording_events([0, 1], np.ones((2, 3))))
    tag = segment_tag(SegmentTag(NAME, layout_id(LAYOUT), "2", 0))
    if in_layout:
        tag = next(tag for tag in provider.events["run"] if tag.endswith("layout"))
    for tensor, step, wall_time in blocks:
        event = event_pb2.Event(step=step, wall_time=wall_time)
        event.summary.value.add(tag=tag).tensor.CopyFrom(tensor)
        provider.add([event])
    plugin = RegularizationPlugin(base_plugin.TBContext(data_provider=provider))
    client = Client(plugin.get_plugin_apps()["/curves"])
    response = client.get(query_string={"run": "run", "name": NAME})
    assert response.status_code == 200, response.text
    header, arrays = decode_curves(response.data)
    if not header["problems"]:
        assert header["rows"] == len(arrays["first_step"]) >= 1
    else:
        assert header["problems"][0]["tag"] == tag
        assert header["problems"][0]["reason"]
    for route in ("/recordings", "/overview", "/statistics", "/export"):
        _check(plugin, route, f"run=run&name={NAME}")


PARTS = st.sampled_from([NAME, "layout", "rows", "", "1" * 5_000, "0", "-1", "٣", "\x1b", ".1"])
TAGS = st.lists(PARTS | st.text(max_size=5), min_size=1, max_size=5).map("/".join)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = (
    "name", "role", "kind", "strength", "coefficient", "variable", "shape", "size", "note",
    "chance_level",
)  # fmt: skip
COLUMNS = st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES, max_size=5)
LAYOUTS = st.fixed_dictionaries(
    {"version": st.just(1) | JSON_VALUES, "columns": st.lists(COLUMNS, max_size=3) | JSON_VALUES},
    optional={"findings": JSON_VALUES},
).map(json.dumps)


@given(st.lists(st.tuples(TAGS, LAYOUTS | st.text(max_size=9)), min_size=1, max_size=4))
@MANY
def test_no_tag_and_no_layout_hides_another_recording(foreign: list[tuple[str, str]]) -> None:
    """Whatever a run holds beside it; and each is shown, or named in few words."""
    provider = FakeProvider()
    provider.add(recording_events(range(30), np.ones((30, 3))), "good")
    for tag, content in foreign:
        event = event_pb2.Event(step=0, wall_time=1.0)
        tensor = event.summary.value.add(tag=tag).tensor
        tensor.CopyFrom(
            tensor_pb2.TensorProto(dtype=7, string_val=[content.encode(errors="replace")])
        )
        provider.add([event], "hostile")
    plugin = RegularizationPlugin(base_plugin.TBContext(data_provider=provider))
    response = Client(plugin.get_plugin_apps()["/recordings"]).get()
    assert response.status_code == 200
    found = json.loads(response.get_data())["recordings"]
    assert [len(entry["columns"]) for entry in found if entry["run"] == "good"] == [3]
    for entry in found:
        for problem in entry["problems"]:
            assert len(problem["tag"]) + len(problem["reason"]) < 2_000
        for route in ("/overview", "/curves", "/statistics", "/findings", "/export"):
            _check(plugin, route, f"run={entry['run']}&name={quote_plus(entry['name'])}")
