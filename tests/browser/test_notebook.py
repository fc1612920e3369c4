"""The tab within a notebook, which shows TensorBoard in a frame of its own page."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import wait_for_runs
from tests.browser.logs import write_steady_run
from tests.tensorboard_process import start_tensorboard


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[str]:
    """A server of pages beside TensorBoard's, as a notebook's is."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def test_the_tab_is_shown_within_a_page_of_another_server(
    tmp_path: Path, browser: Browser, notebook: str
) -> None:
    """As %tensorboard shows it: the tab is chosen, its chart is drawn, and its views change."""
    write_steady_run(tmp_path / "logs" / "run")
    with start_tensorboard(tmp_path / "logs") as address, browser.new_page() as page:
        wait_for_runs(address, 1)
        # What tensorboard.notebook displays in Jupyter.
        frame = f'<iframe src="{address}" width="100%" height="800" frameborder="0"></iframe>'
        (tmp_path / "cell.html").write_text(frame)
        page.goto(notebook + "cell.html")
        tensorboard = page.frame_locator("iframe")
        tensorboard.get_by_role("tab", name="Regularization").click()
        dashboard = tensorboard.frame_locator("iframe")
        chart = dashboard.get_by_role("article", name="run", exact=True).get_by_role("img")
        expect(chart).to_be_visible(timeout=30_000)
        dashboard.get_by_role("radio", name="Lines", exact=True).check()
