"""A sweep of many runs: when its card is there, and when it has all runs."""

from __future__ import annotations

import functools
from pathlib import Path

from playwright.sync_api import Browser

from bench.browser.tabs import WINDOW
from bench.report import Section
from bench.sweep import are_loaded, write_runs
from tests.tensorboard_process import start_tensorboard, wait_until

# Each returns milliseconds since the plugin's page was begun, once the card is so far.
_IS_DRAWN = "() => document.querySelector('.sweep canvas') && performance.now()"
_IS_WHOLE = """() => [...document.querySelectorAll('.sweep [role=status]')].some(
    element => element.textContent.includes('at strength')) && performance.now()"""


def measure(browser: Browser, root: Path, quick: bool) -> Section:
    """Opens the tab once TensorBoard has read the logs, and once more."""
    section = Section(
        "In Chromium: a sweep of many runs",
        "Runs of 1,000 steps with 50 validations each and 3 terms, of 8 strengths, which "
        "TensorBoard has read. From the beginning of the plugin's page to the first picture of the "
        "sweep, and to that of all runs with what is said of it.",
        ["runs", "drawn", "whole", "drawn again", "whole again"],
    )
    for runs in (30,) if quick else (300, 1_000):
        directory = root / str(runs)
        write_runs(directory, runs)
        with start_tensorboard(directory) as address:
            wait_until(functools.partial(are_loaded, address, 2 * runs))
            times = [time for _ in range(2) for time in _open(browser, address)]
        section.add(f"{runs:,}", *(f"{time / 1000:.2f} s" for time in times))
    return section


def _open(browser: Browser, address: str) -> tuple[float, float]:
    page = browser.new_page(viewport=WINDOW)
    page.goto(f"{address}#regularization")
    page.frame_locator("iframe").locator("main").wait_for()
    (frame,) = (found for found in page.frames if "plugin_entry" in found.url)
    drawn, whole = (
        float(frame.wait_for_function(expression, timeout=60_000).json_value())
        for expression in (_IS_DRAWN, _IS_WHOLE)
    )
    page.close()
    return drawn, whole
