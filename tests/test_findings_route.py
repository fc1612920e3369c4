"""The findings route, and its example in the documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_regplugin.findings import find
from tb_regplugin.plugin import RegularizationPlugin
from tests.fake_provider import FakeProvider
from tests.logs import recording_events

HTTP_API = Path(__file__).parents[1] / "docs" / "http_api.md"
STEPS = np.arange(100)
DATA = 2.0 - STEPS / 100
PENALTIES = 0.5 - STEPS / 1000


@pytest.fixture
def provider() -> FakeProvider:
    """Returns a provider with a recording whose total holds its penalty twice."""
    made = FakeProvider()
    values = np.column_stack([DATA + 2 * PENALTIES, DATA, PENALTIES])
    made.add(recording_events(STEPS, values))
    return made


def _ask(plugin: RegularizationPlugin, name: str = "losses") -> Any:
    client = Client(plugin.get_plugin_apps()["/findings"])
    return client.get(query_string={"run": "run", "name": name})


def test_the_documented_example_is_what_is_answered(provider: FakeProvider) -> None:
    """For a loss that holds its penalty twice."""
    text = HTTP_API.read_text(encoding="utf-8")
    section, *_ = text[text.index("## `GET findings") :].split("\n## ")
    (example,) = re.findall(r"```json\n(.*?)```", section, re.S)
    plugin = RegularizationPlugin(base_plugin.TBContext(data_provider=provider))
    response = _ask(plugin)
    assert response.status_code == 200
    assert json.loads(response.data) == json.loads(example)


def test_a_recording_that_is_not_there_is_not_found(provider: FakeProvider) -> None:
    """As for the other routes."""
    plugin = RegularizationPlugin(base_plugin.TBContext(data_provider=provider))
    assert _ask(plugin, "other").status_code == 404


def test_findings_are_looked_for_once_until_the_recording_grows(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dashboard that asks every few seconds costs next to nothing."""
    looked: list[int] = []
    find_in_table = find.find_in_table

    def counting(table: Any, thresholds: Any) -> Any:
        looked.append(len(table.steps))
        return find_in_table(table, thresholds)

    monkeypatch.setattr(find, "find_in_table", counting)
    plugin = RegularizationPlugin(base_plugin.TBContext(data_provider=provider))
    first, second = _ask(plugin), _ask(plugin)
    assert first.data == second.data
    assert looked == [100]
    provider.add(recording_events(STEPS + 100, np.ones((100, 3)), writer="2"))
    _ask(plugin)
    assert looked == [100, 200]
