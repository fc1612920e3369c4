"""The tab within a notebook, which shows TensorBoard in a frame of its own page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.logs import write_steady_run
from tests.tensorboard_process import start_tensorboard


@pytest.fixture
def theme() -> str:
    """What is tested here is the same in the dark."""
    return "light"


def test_the_tab_is_shown_within_a_page_of_another_origin(
    tmp_path: Path, open_page: Callable[..., Dashboard]
) -> None:
    """As %tensorboard shows it: the tab is chosen, and its charts are drawn."""
    write_steady_run(tmp_path / "run")
    with start_tensorboard(tmp_path) as address:
        wait_for_runs(address, 1)
        page = open_page(address).page
        # What tensorboard.notebook displays in Jupyter.
        page.goto("about:blank")
        page.set_content(f'<iframe src="{address}" width="100%" height="800"></iframe>')
        tensorboard = page.frame_locator("iframe")
        tensorboard.get_by_role("tab", name="Regularization").click()
        chart = tensorboard.frame_locator("iframe").get_by_role("img").first
        expect(chart).to_be_visible()
        tensorboard.frame_locator("iframe").get_by_role("radio", name="Lines").check()
