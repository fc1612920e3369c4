"""The state in TensorBoard's address, in a real browser on a real TensorBoard."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import drag, drawing
from tests.browser.logs import write_run_with_a_spike, write_scalar, write_steady_run
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_steady_run(log_dir / "steady")
    write_run_with_a_spike(log_dir / "spike")
    write_steady_run(log_dir / "other")
    write_scalar(log_dir / "other")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 3)
        yield address


def change_everything(dashboard: Dashboard) -> None:
    """Puts the dashboard into a state that has little of the first one."""
    frame = dashboard.frame
    frame.get_by_role("checkbox", name="other").click()
    dashboard.view("Lines")
    dashboard.option("Y axis").select_option("Log")
    frame.get_by_role("slider", name="Smoothing").fill("0.6")
    dashboard.term("steady", "dense/bias").click()
    drag(dashboard.plot("spike"), 0.3, 0.6)
    expect(dashboard.card("spike").get_by_role("button", name="Reset zoom")).to_be_visible()
    dashboard.page.wait_for_function("location.hash.includes('zoom')")
    dashboard.page.wait_for_load_state("networkidle")


def test_a_link_restores_the_state_in_a_fresh_browser(shared: str, open_page: Open) -> None:
    """Charts and legends are the same to the pixel."""
    first = open_page(shared)
    change_everything(first)
    second = open_page(shared).open("")
    second.page.goto("about:blank")
    second.page.goto(first.page.url)
    expect(second.card("spike").get_by_role("button", name="Reset zoom")).to_be_visible()
    expect(second.frame.get_by_role("article")).to_have_count(2)
    second.page.wait_for_load_state("networkidle")
    for run in ("steady", "spike"):
        np.testing.assert_array_equal(drawing(second.chart(run)), drawing(first.chart(run)))
        legends = [each.legend(run).inner_text() for each in (first, second)]
        assert legends[0] == legends[1]
    expect(second.frame.get_by_role("slider", name="Smoothing")).to_have_value("0.6")
    assert second.page.url == first.page.url


def test_the_state_survives_other_tabs_and_a_reload(shared: str, open_page: Open) -> None:
    """Going to Time Series and back, and reloading the page, changes nothing."""
    dashboard = open_page(shared)
    change_everything(dashboard)
    url = dashboard.page.url
    before = drawing(dashboard.chart("spike"))
    dashboard.page.get_by_role("tab", name="Time Series").click()
    expect(dashboard.chart("spike")).to_be_hidden()
    dashboard.page.get_by_role("tab", name="Regularization").click()
    expect(dashboard.page).to_have_url(url)
    expect(dashboard.chart("spike")).to_be_visible()
    np.testing.assert_array_equal(drawing(dashboard.chart("spike")), before)
    dashboard.page.reload()
    expect(dashboard.card("spike").get_by_role("button", name="Reset zoom")).to_be_visible()
    dashboard.page.wait_for_load_state("networkidle")
    np.testing.assert_array_equal(drawing(dashboard.chart("spike")), before)


def test_a_first_visit_leaves_the_address_alone(shared: str, open_page: Open) -> None:
    """Only what is not usual is in the address; undoing it takes it out again."""
    dashboard = open_page(shared)
    expect(dashboard.chart("steady")).to_be_visible()
    dashboard.page.wait_for_timeout(500)
    assert dashboard.page.url.endswith("#regularization")
    dashboard.view("Lines")
    dashboard.page.wait_for_url(re.compile(r"p\.regularization\.view=lines"))
    dashboard.view("Stack")
    dashboard.page.wait_for_url(re.compile("#regularization$"))


def test_a_link_to_nonsense_shows_a_first_visit(shared: str, open_page: Open) -> None:
    """A link of another version, or one that somebody broke, harms nothing."""
    dashboard = open_page(shared).open("")
    dashboard.page.goto("about:blank")
    dashboard.open("#regularization&p.regularization.view=pie&p.regularization.zoom=%5B%5B1")
    expect(dashboard.chart("steady")).to_be_visible()
    expect(dashboard.frame.get_by_role("radio", name="Stack")).to_be_checked()


def test_copy_link_says_that_it_did(shared: str, open_page: Open) -> None:
    """The clipboard has the address of what is shown."""
    dashboard = open_page(shared, permissions=["clipboard-read", "clipboard-write"])
    dashboard.view("Ratio")
    dashboard.frame.get_by_role("button", name="Copy link").click()
    expect(dashboard.frame.get_by_role("button", name="Copied")).to_be_visible()
    text = dashboard.page.evaluate("navigator.clipboard.readText()")
    assert text.endswith("#regularization&p.regularization.view=ratio")
