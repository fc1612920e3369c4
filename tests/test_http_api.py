"""The examples of docs/http_api.md, asked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_regplugin.log_format import Block, SegmentTag, block_event, layout_event, layout_id
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.terms import Layout, Term
from tests.curves import decode_curves
from tests.fake_provider import FakeProvider

HTTP_API = Path(__file__).parents[1] / "docs" / "http_api.md"
EXAMPLE = re.compile(r"Example: `GET (\S+)`\n\n```(?:\w*)\n(.*?)```", re.DOTALL)
EXAMPLES = EXAMPLE.findall(HTTP_API.read_text(encoding="utf-8"))

KERNEL = Term(
    "hidden_1/kernel",
    kind="l2",
    strength=1.0,
    coefficient=1.0,
    variable="easy_net/hidden_1/kernel",
    shape=(784, 200),
    size=156800,
)
START = 1763884800.25


@pytest.fixture
def plugin() -> RegularizationPlugin:
    """Returns the plugin over the recording that the examples are of."""
    provider = FakeProvider()
    layout = Layout((Term("total", "total"), Term("data", "data"), KERNEL))
    steps = np.arange(4)
    values = np.array([[2, 1.5, 0.5], [2, 1.5, 0.5], [1, 0.75, 0.25], [1, 0.75, 0.25]], np.float32)
    tag = SegmentTag("losses", layout_id(layout), "1", 0)
    wall_times = np.asarray(START + 0.5 * steps, np.float64)
    block = block_event(tag, Block(steps, wall_times, values))
    provider.add([layout_event("losses", layout, START), block], "lambda=1.0/train")
    return RegularizationPlugin(base_plugin.TBContext(data_provider=provider))


def test_each_route_has_an_example() -> None:
    """Except for the dashboard itself."""
    routes = {question.partition("?")[0] for question, _ in EXAMPLES}
    assert routes == {"recordings", "overview", "curves", "statistics", "export", "sweep"}


@pytest.mark.parametrize(("question", "answer"), EXAMPLES, ids=[ask for ask, _ in EXAMPLES])
def test_an_example_is_what_is_answered(
    plugin: RegularizationPlugin, question: str, answer: str
) -> None:
    """Word by word."""
    route, _, query = question.partition("?")
    response = Client(plugin.get_plugin_apps()[f"/{route}"]).get(query_string=query)
    if response.content_type == "application/octet-stream":
        header, _ = decode_curves(response.data)
        assert header == json.loads(answer)
    elif response.content_type == "application/json":
        assert json.loads(response.data) == json.loads(answer)
    else:
        assert response.text.replace("\r\n", "\n") == answer
    assert response.status_code == (400 if answer.startswith('{"error"') else 200)
