"""What is wrong with a run, in its card, on its chart and in the list of runs."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_regplugin.findings.catalogue import found
from tb_regplugin.terms import Layout
from tests.browser.conftest import Dashboard, in_both_themes, wait_for_runs
from tests.browser.gestures import pixels, until_it_passes
from tests.browser.logs import (
    write_collapsed_run,
    write_healthy_run,
    write_run_with_a_residual,
    write_run_with_nan,
)
from tests.logs import LAYOUT, recording_events, write_events
from tests.tensorboard_process import get_json, start_tensorboard

Open = Callable[..., Dashboard]

# The colours of an error on the chart, in either theme.
ERROR = {"light": (198, 40, 40), "dark": (239, 154, 154)}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_collapsed_run(log_dir / "collapsed")
    write_healthy_run(log_dir / "healthy")
    write_run_with_nan(log_dir / "nan")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 3)
        yield address


def panel(dashboard: Dashboard, run: str) -> Any:
    """Returns what a card says is wrong."""
    return dashboard.card(run).locator("details.findings")


def is_error(image: np.ndarray, theme: str) -> np.ndarray:
    """Returns which pixels have the colour of an error."""
    near: np.ndarray = np.all(np.abs(image.astype(int) - ERROR[theme]) < 24, axis=2)
    return near


def test_the_worst_is_told_first_with_its_fix(shared: str, open_page: Open) -> None:
    """In the words of the server, which the command line uses too."""
    dashboard = open_page(shared)
    answer = get_json(f"{shared}data/plugin/regularization/findings?run=collapsed&name=losses")
    entries = panel(dashboard, "collapsed").get_by_role("listitem")
    expect(entries).to_have_count(len(answer["findings"]))
    collapse = answer["findings"][0]
    assert collapse["code"] == "collapse"
    expect(entries.first).to_contain_text(f"Error {collapse['sentence']}")
    expect(entries.first).to_contain_text(collapse["fix"])
    expect(entries.first).to_be_visible()


def test_where_all_is_well_nothing_is_said(shared: str, open_page: Open) -> None:
    """Neither in the card nor in the list of runs."""
    dashboard = open_page(shared)
    expect(panel(dashboard, "collapsed")).to_be_visible()
    runs = dashboard.frame.get_by_role("navigation", name="Runs")
    badges = runs.get_by_role("img", name=re.compile("finding"))
    expect(badges).to_have_count(2)
    expect(panel(dashboard, "healthy")).to_have_count(0)
    row = runs.get_by_role("listitem").filter(has_text="healthy")
    expect(row.get_by_role("img")).to_have_count(0)


def test_a_run_that_is_not_chosen_has_its_badge(shared: str, open_page: Open) -> None:
    """It says how many findings there are, and the worst of them."""
    dashboard = open_page(shared)
    runs = dashboard.frame.get_by_role("navigation", name="Runs")
    runs.get_by_role("checkbox", name="nan").uncheck()
    row = runs.get_by_role("listitem").filter(has_text="nan")
    badge = row.get_by_role("img", name=re.compile("^2 findings: .*step 40"))
    expect(badge).to_have_text("2")


def test_a_finding_leads_to_its_steps_and_terms(shared: str, open_page: Open) -> None:
    """The chart is zoomed to them, on the axis of steps, and shows them alone."""
    dashboard = open_page(shared)
    dashboard.option("X axis").select_option("Relative time")
    finding = panel(dashboard, "nan").get_by_role("listitem").first
    finding.get_by_role("button", name="Zoom to step 40").click()
    chart = dashboard.card("nan").get_by_role("group", name=re.compile("step 30 to 50"))
    expect(chart).to_be_visible()
    expect(dashboard.option("X axis")).to_have_value("step")
    data = dashboard.term("nan", "data")
    expect(data).to_have_attribute("aria-pressed", "true")
    finding.get_by_role("button", name="Show only").click()
    expect(data).to_have_attribute("aria-pressed", "false")
    expect(finding.get_by_role("button", name="Show all terms")).to_be_visible()
    finding.get_by_role("button", name="Show all terms").click()
    expect(data).to_have_attribute("aria-pressed", "true")


def check_mark(dashboard: Dashboard, theme: str, share: float) -> None:
    """Waits until a finding's line is at a share of the width."""

    def check() -> None:
        image = pixels(dashboard.plot("collapsed"))
        columns = is_error(image, theme).sum(axis=0)
        assert abs(int(columns.argmax()) - share * image.shape[1]) <= 1.5
        # A dashed line over all of the height.
        assert columns.max() > 0.4 * image.shape[0]

    until_it_passes(check)


@in_both_themes
def test_a_mark_is_at_the_step_of_its_finding(shared: str, open_page: Open, theme: str) -> None:
    """To the pixel, before and after a zoom."""
    dashboard = open_page(shared)
    answer = get_json(f"{shared}data/plugin/regularization/findings?run=collapsed&name=losses")
    step = answer["findings"][0]["first_step"]
    expect(panel(dashboard, "collapsed")).to_be_visible()
    for first, last in ((0, 1999), (step - 100, 1999)):
        if first > 0:
            panel(dashboard, "collapsed").get_by_role("button", name="Zoom to").first.click()
        group = dashboard.card("collapsed").get_by_role("group", name=f"step {first:,} to {last:,}")
        expect(group).to_be_visible()
        check_mark(dashboard, theme, (step - first) / (last - first))


def test_what_the_graph_told_when_recording_began_is_shown(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """Findings of an audit have no steps, and nothing on the chart."""
    told = found("not_in_loss", "kernel is collected and not in the loss.", ["kernel"])
    layout = Layout(LAYOUT.columns, findings=(told,))
    values = np.tile(np.array([2.0, 1.0, 1.0], np.float32), (20, 1))
    write_events(tmp_path / "run", recording_events(np.arange(20), values, layout))
    dashboard = open_dashboard(tmp_path, runs=1)
    entry = panel(dashboard, "run").get_by_role("listitem")
    expect(entry).to_contain_text("Warning kernel is collected and not in the loss.")
    expect(entry.get_by_role("button")).to_have_text("Show only kernel")


@in_both_themes
def test_the_number_of_warnings_can_be_read(
    tmp_path: Path, open_dashboard: Open, theme: str
) -> None:
    """On the colour of a warning it has that of the page."""
    write_run_with_a_residual(tmp_path / "run")
    dashboard = open_dashboard(tmp_path, runs=1)
    badge = dashboard.frame.get_by_role("navigation").get_by_role("img", name=re.compile("finding"))
    is_light = theme == "light"
    expect(badge).to_have_css("color", "rgb(255, 255, 255)" if is_light else "rgb(48, 48, 48)")
    expect(badge).to_have_css(
        "background-color", "rgb(143, 83, 0)" if is_light else "rgb(255, 183, 77)"
    )


def test_what_a_validation_has_too_is_said_once(tmp_path: Path, open_dashboard: Open) -> None:
    """On the card of the training, whichever run comes first; the other has no badge then."""
    write_run_with_a_residual(tmp_path / "train")
    write_run_with_a_residual(tmp_path / "validation")
    dashboard = open_dashboard(tmp_path, runs=2)
    expect(panel(dashboard, "train").get_by_role("listitem").first).to_contain_text(
        "Also in validation."
    )
    expect(panel(dashboard, "validation")).to_have_count(0)
    badges = dashboard.frame.get_by_role("navigation").get_by_role(
        "img", name=re.compile("finding")
    )
    expect(badges).to_have_count(1)
