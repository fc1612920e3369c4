"""What the page loads after its first sight, in a real browser on a real TensorBoard."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.logs import write_steady_run
from tests.browser.sweep_logs import ENDS, write_run
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

PARTS = re.compile(r"/plugin/regularization/(?!index)([\w-]+)-[A-Z0-9]{8}\.js$")
ARGUMENTS = {
    "data server": ["--load_fast=true"],
    "Python loader": ["--load_fast=false"],
    "path prefix": ["--path_prefix=/some/where"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of one run a strength."""
    log_dir = tmp_path_factory.mktemp("runs")
    for strength in ENDS:
        write_run(log_dir, strength, 0)
    return log_dir


@pytest.fixture(scope="module", params=list(ARGUMENTS.values()), ids=list(ARGUMENTS))
def served(runs: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """TensorBoard on it, started in each of the ways that its frontend is served by."""
    with start_tensorboard(runs, *request.param) as address:
        wait_for_runs(address, 2 * len(ENDS))
        yield address


def parts_of(dashboard: Dashboard) -> set[str]:
    """Returns the names of the scripts that were asked for, but for the first."""
    return {match[1] for url in dashboard.requests if (match := PARTS.search(url))}


def test_parts_of_the_page_come_after_its_first_sight(served: str, open_page: Open) -> None:
    """Through TensorBoard's content security policy; each is asked for once."""
    dashboard = open_page(served)
    expect(dashboard.frame.get_by_role("region", name="Sweep of strengths")).to_be_visible()
    card = dashboard.frame.get_by_role("article").first
    card.get_by_label(re.compile("^More of ")).click()
    expect(card.get_by_label("SVG figure")).to_be_visible()
    assert {"sweep", "saving"} <= parts_of(dashboard)
    scripts = [url for url in dashboard.requests if PARTS.search(url)]
    assert len(scripts) == len(set(scripts))


def test_one_run_needs_no_sweep(tmp_path: Path, open_dashboard: Open) -> None:
    """Nothing is loaded that could not be shown."""
    write_steady_run(tmp_path / "run")
    dashboard = open_dashboard(tmp_path, runs=1)
    dashboard.menu("run", "CSV of all steps")
    assert "saving" in parts_of(dashboard)
    assert "sweep" not in parts_of(dashboard)


def test_a_part_that_cannot_be_loaded_is_told_and_the_rest_is_there(
    served: str, open_page: Open
) -> None:
    """As where TensorBoard was started again with another version meanwhile."""
    dashboard = open_page(served)
    dashboard.may_complain = True
    lost = re.compile(r"/(sweep|saving)-[A-Z0-9]{8}\.js$")
    dashboard.page.route(lost, lambda route: route.abort())
    dashboard.page.reload()
    notice = dashboard.frame.get_by_text("The sweep of strengths could not be loaded.")
    expect(notice).to_contain_text("See that TensorBoard runs, and reload the page.")
    card = dashboard.frame.get_by_role("article").first
    expect(card.get_by_role("img")).to_be_visible()
    expect(dashboard.frame.get_by_role("region", name="Overview of runs")).to_be_visible()
    card.get_by_label(re.compile("^More of ")).click()
    expect(card.get_by_text("This menu could not be loaded.")).to_be_visible()

    dashboard.page.unroute(lost)
    dashboard.page.reload()
    expect(dashboard.frame.get_by_role("region", name="Sweep of strengths")).to_be_visible()
    expect(notice).to_have_count(0)
