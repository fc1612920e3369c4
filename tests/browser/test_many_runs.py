"""A list of more runs than fit on the screen."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import expect

from tests.browser.conftest import Dashboard
from tests.browser.logs import write_steady_run

RUNS = 50
# What one screen of 900 pixels has room for, and what is drawn ahead above and below it.
MOST_DRAWN = 10


def test_of_fifty_runs_only_what_is_near_is_drawn(
    tmp_path: Path, open_dashboard: Callable[..., Dashboard]
) -> None:
    """All have cards; charts are asked for and drawn as their cards come near, and then go."""
    names = [f"run_{run:02d}" for run in range(RUNS)]
    for name in names:
        write_steady_run(tmp_path / name)
    dashboard = open_dashboard(tmp_path, runs=RUNS)
    chosen = quote(json.dumps([[name, "losses"] for name in names]))
    dashboard.open(f"#regularization&p.regularization.runs={chosen}")
    expect(dashboard.frame.get_by_role("article")).to_have_count(RUNS)
    expect(dashboard.chart(names[0])).to_be_visible()
    dashboard.page.wait_for_timeout(500)
    charts = dashboard.frame.get_by_role("main").get_by_role("img")
    assert 1 <= charts.count() <= MOST_DRAWN
    asked = [url for url in dashboard.plugin_requests() if "/curves" in url]
    assert len(asked) < RUNS / 2
    height = dashboard.card(names[0]).evaluate("element => element.offsetHeight")

    dashboard.card(names[-1]).scroll_into_view_if_needed()
    expect(dashboard.chart(names[-1])).to_be_visible()
    expect(dashboard.chart(names[0])).to_have_count(0)
    assert charts.count() <= MOST_DRAWN
    # Nothing may move under the eyes of those who scroll.
    assert dashboard.card(names[0]).evaluate("element => element.offsetHeight") == height
