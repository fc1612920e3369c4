"""Opens either tab in a fresh profile, to be watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize

from bench.browser.probe import Probe, inject
from bench.logs import Workload, write_blocks, write_scalars
from tests.tensorboard_process import get_json, start_tensorboard, wait_until

# One card a row in the plugin's tab, whose chart is as wide as 1,000 buckets.
WINDOW: ViewportSize = {"width": 1300, "height": 960}


@contextmanager
def regularization_server(workload: Workload, directory: Path) -> Iterator[str]:
    """Runs TensorBoard, which has loaded a workload that the plugin's writer wrote."""
    write_blocks(workload, directory)
    with start_tensorboard(directory) as address:

        def has_all() -> bool:
            found = get_json(address + "data/plugin/regularization/recordings")["recordings"]
            return [each["last_step"] for each in found] == [workload.steps - 1] * workload.runs

        wait_until(has_all)
        yield address


@contextmanager
def time_series_server(workload: Workload, directory: Path) -> Iterator[str]:
    """Runs TensorBoard, which has loaded the same as scalars."""
    write_scalars(workload, directory)
    with start_tensorboard(directory) as address:

        def has_all() -> bool:
            tags = get_json(address + "data/plugin/scalars/tags").values()
            return [len(each) for each in tags] == [workload.columns] * workload.runs

        wait_until(has_all)
        yield address


@dataclass(frozen=True)
class Tab:
    """An open tab that is watched."""

    page: Page
    probe: Probe
    opened_in: float
    """Milliseconds from asking for its address to its first chart."""


def open_regularization(browser: Browser, address: str, state: str) -> Tab:
    """Opens the plugin's tab in a state that its address holds."""
    page = browser.new_page(viewport=WINDOW)
    inject(page, ".chart")
    start = time.perf_counter()
    page.goto(f"{address}#regularization&{state}")
    page.frame_locator("iframe").get_by_role("img").first.wait_for()
    took = time.perf_counter() - start
    (frame,) = (found for found in page.frames if "plugin_entry" in found.url)
    return Tab(page, Probe(page, frame), 1000 * took)


def open_time_series(browser: Browser, address: str) -> Tab:
    """Opens TensorBoard's tab."""
    page = browser.new_page(viewport=WINDOW)
    # Its tooltips lie outside of its charts.
    inject(page, "line-chart, .cdk-overlay-container")
    start = time.perf_counter()
    page.goto(f"{address}#timeseries")
    page.locator("line-chart canvas, line-chart svg").first.wait_for()
    took = time.perf_counter() - start
    return Tab(page, Probe(page, page.main_frame), 1000 * took)
