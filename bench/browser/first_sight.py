"""What a first visit waits for: the overview of 1,000 runs, and the first card of 10,000 terms."""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

from bench.browser.probe import Probe, inject
from bench.browser.tabs import WINDOW, open_regularization, regularization_server
from bench.logs import Workload
from bench.report import Section, within

_JANK_MS = 50
_NOTCH = 100  # pixels, a wheel's
_NOTCH_MS = 25
_TIMEOUT_MS = 120_000
# Until what is found while one waits has come.
_FINDINGS_REST_MS = 3000


def measure(browser: Browser, root: Path, quick: bool) -> Section:
    """Opens the tab for the first time, each time on a server that has answered nothing yet."""
    many_runs = Workload("Many runs", 100 if quick else 1_000, 500, 16)
    many_terms = Workload("Many terms", 1, 200, 1_000 if quick else 10_000)
    section = Section(
        "In Chromium: first sights",
        f"{many_runs}, and {many_terms}. From opening the address, in a fresh profile, on a "
        "TensorBoard that has read the logs and was asked for nothing but the list of runs. "
        "Scrolled: the overview, by a wheel's 100 pixels, to its end, while findings still come "
        "and once more later; frame: the time from one animation frame to the next.",
        ["what", "at most", "found"],
    )
    repeats = 1 if quick else 3
    opened: list[list[float]] = []
    frames: list[list[float]] = []
    for repeat in range(repeats):
        with regularization_server(many_runs, root / f"runs_{repeat}") as address:
            page, times = _open_overview(browser, address, many_runs.runs)
            opened.append(times)
            frames.append(_scroll(page, many_runs.runs))
            page.wait_for_timeout(_FINDINGS_REST_MS)
            frames.append(_scroll(page, many_runs.runs))
            page.close()
    first, whole = zip(*opened, strict=True)
    section.add(f"overview of {many_runs.runs:,} runs, first rows", "2 s", _seconds(first))
    section.add(f"overview of {many_runs.runs:,} runs, all rows", "2 s", _seconds(whole))
    all_frames = [frame for some in frames for frame in some]
    slow = sum(frame > _JANK_MS for frame in all_frames)
    section.add(
        "scrolling the overview, frames",
        f"{_JANK_MS} ms",
        f"{statistics.median(all_frames):.1f} ms / {within(0.95, all_frames):.1f} ms, "
        f"longest {max(all_frames):.0f} ms, {slow} of {len(all_frames):,} over {_JANK_MS} ms",
    )
    cards = []
    for repeat in range(repeats):
        with regularization_server(many_terms, root / f"terms_{repeat}") as address:
            tab = open_regularization(browser, address, "")
            cards.append(tab.opened_in / 1000)
            tab.page.close()
    section.add(f"first card, {many_terms.terms:,} terms", "2 s", _seconds(cards))
    return section


def _open_overview(browser: Browser, address: str, runs: int) -> tuple[Page, list[float]]:
    page = browser.new_page(viewport=WINDOW)
    inject(page, ".chart")
    start = time.perf_counter()
    page.goto(f"{address}#regularization")
    table = _table(page)
    table.get_by_role("rowheader").first.wait_for(timeout=_TIMEOUT_MS)
    first = time.perf_counter() - start
    page.frame_locator("iframe").locator(f"table[aria-rowcount='{runs + 1}']").wait_for(
        timeout=_TIMEOUT_MS
    )
    return page, [first, time.perf_counter() - start]


def _scroll(page: Page, runs: int) -> list[float]:
    (frame,) = (found for found in page.frames if "plugin_entry" in found.url)
    probe = Probe(page, frame)
    box = _table(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    return probe.frames_during(partial(_turn_wheel, page, runs))


def _turn_wheel(page: Page, runs: int) -> None:
    for _ in range(min(200, runs // 5)):
        page.mouse.wheel(0, _NOTCH)
        page.wait_for_timeout(_NOTCH_MS)


def _table(page: Page) -> Locator:
    return page.frame_locator("iframe").get_by_role("table", name="Runs")


def _seconds(values: list[float] | tuple[float, ...]) -> str:
    return f"{statistics.median(values):.2f} s (longest {max(values):.2f} s)"
