"""An automated accessibility check of every view, light and dark."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, in_both_themes, wait_for_runs
from tests.browser.logs import (
    write_run_with_a_negative_term,
    write_run_with_nan,
    write_scalar,
    write_steady_run,
)
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

pytestmark = in_both_themes

VIEWS = ["Stack", "100 %", "Lines", "Ratio", "Small multiples", "Heat strip"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_steady_run(log_dir / "steady")
    write_run_with_a_negative_term(log_dir / "negative")
    write_run_with_nan(log_dir / "nan")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 3)
        yield address


def violations(dashboard: Dashboard) -> list[str]:
    """Returns what axe-core complains about within the plugin's page."""
    frame = dashboard.page.frames[1]
    # The library checks pages: the plugin's frame is given to it as one.
    results = Axe().run(frame)
    assert len(results.response["passes"]) > 10
    return [
        json.dumps([found["id"], *[node["html"][:200] for node in found["nodes"][:3]]])
        for found in results.response["violations"]
    ]


@pytest.mark.parametrize("width", [1400, 360])
def test_axe_finds_no_violation(shared: str, open_page: Open, width: int) -> None:
    """With every view, findings, the options, the table, a comparison and an open menu."""
    dashboard = open_page(shared, viewport={"width": width, "height": 900})
    expect(dashboard.chart("steady")).to_be_visible()
    expect(dashboard.card("nan").get_by_text("2 findings")).to_be_visible()
    dashboard.frame.get_by_role("checkbox", name="Table").check()
    expect(dashboard.frame.get_by_role("table").first).to_be_visible()
    dashboard.option("Compare runs by").select_option("Total")
    dashboard.card("steady").get_by_label("More of steady").click()
    expect(dashboard.card("steady").get_by_label("SVG figure")).to_be_visible()
    found = {}
    for view in VIEWS:
        dashboard.view(view)
        dashboard.page.wait_for_timeout(300)
        found[view] = violations(dashboard)
    dashboard.option("Compare runs by").select_option("Difference of two runs")
    expect(dashboard.frame.get_by_role("button", name="Swap")).to_be_visible()
    found["difference"] = violations(dashboard)
    assert not any(found.values()), found


@pytest.mark.parametrize("width", [1400, 360])
def test_axe_finds_no_violation_in_tables_and_mistakes(
    shared: str, open_page: Open, width: int
) -> None:
    """With the overview of runs, the figures of selected steps, and expressions that are wrong."""
    dashboard = open_page(shared, viewport={"width": width, "height": 900})
    opened = "overview=open&p.regularization.selected=[10,20]"
    # TensorBoard drops what an address gets while it starts: as a link, it is opened anew.
    dashboard.page.goto("about:blank")
    dashboard.open(f"#regularization&p.regularization.{opened}")
    expect(dashboard.frame.get_by_role("table", name="Runs")).to_be_visible()
    expect(dashboard.card("steady").get_by_label("From step")).to_have_value("10")
    # Cards far below the screen ask for no figures.
    dashboard.card("steady").get_by_label("From step").scroll_into_view_if_needed()
    expect(dashboard.card("steady").get_by_role("table")).to_be_visible()
    found = violations(dashboard)
    dashboard.option("Group by").select_option("Regular expression")
    for field in ("Group expression", "Show terms"):
        dashboard.option(field).fill("(")
    expect(dashboard.frame.get_by_text("Not a regular expression.")).to_have_count(2)
    assert found + violations(dashboard) == []


def test_axe_finds_no_violation_where_nothing_is_recorded(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """With what to do about it."""
    write_scalar(tmp_path / "scalars")
    dashboard = open_dashboard(tmp_path)
    expect(dashboard.frame.get_by_role("heading", name="No losses were found")).to_be_visible()
    assert violations(dashboard) == []


def test_nothing_moves_by_itself(shared: str, open_page: Open) -> None:
    """There is nothing that those who prefer reduced motion could want less of."""
    dashboard = open_page(shared)
    expect(dashboard.chart("steady")).to_be_visible()
    moving = dashboard.frame.locator("body").evaluate(
        """body => [...body.querySelectorAll("*")].map(getComputedStyle).filter(
            style => style.transitionDuration !== "0s" || style.animationName !== "none").length"""
    )
    assert moving == 0
