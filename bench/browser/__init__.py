"""What a person waits for in Chromium, in the plugin's tab and in TensorBoard's Time Series."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.browser import first_sight, many_runs, one_run, sweep
from bench.report import Section
from tests.browser.chromium import find_browser


def measure(quick: bool) -> list[Section]:
    """Opens both tabs on the same numbers, then the plugin's on more than people mostly have."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(playwright),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        root = Path(directory)
        sections = [
            one_run.measure(browser, root / "one", quick),
            many_runs.measure(browser, root / "many", quick),
            first_sight.measure(browser, root / "first", quick),
            sweep.measure(browser, root / "sweep", quick),
        ]
        browser.close()
    return sections
