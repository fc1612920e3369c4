"""Fifty runs: what is drawn of them, and how long frames take while a person scrolls."""

from __future__ import annotations

import json
import statistics
from functools import partial
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Locator

from bench.browser.tabs import (
    Tab,
    open_regularization,
    open_time_series,
    regularization_server,
    time_series_server,
)
from bench.logs import Workload
from bench.report import Section, within

_NOTCH = 100  # pixels, a wheel's
_NOTCH_MS = 25
_NOTCHES = 20  # between two looks at how far it is
_JANK_MS = 50
_LOADED_MS = 5000

# Of what scrolls around an element: how far it can still go down, and up.
_ROOM = """(element) => {
  let box = element.parentElement;
  while (!(box.scrollHeight > box.clientHeight
      && /auto|scroll/.test(getComputedStyle(box).overflowY))) {
    box = box.parentElement;
  }
  return [box.scrollHeight - box.clientHeight - box.scrollTop, box.scrollTop];
}"""


def measure(browser: Browser, root: Path, quick: bool) -> Section:
    """Opens both tabs with all runs chosen, and scrolls to the end and back."""
    workload = Workload("Many runs", 12 if quick else 50, 2_000, 16)
    section = Section(
        f"In Chromium: {workload.runs} runs chosen",
        f"{workload}. Drawn: charts that have a canvas before anything is scrolled, of the cards "
        "in the list. Then a wheel is turned by 100 pixels, again and again, to the end of the "
        "list and back to its beginning; frame: the time from one animation frame to the next. "
        "At 60 a second, a frame takes 16.7 ms.",
        ["tab", "cards", "drawn", "scrolled", "frames", "median", "95 %", "longest", "over 50 ms"],
        notes=[
            "Regularization has a card for each run, and asks for a run's curves when its card "
            "comes near. Time Series has a card for each of the 18 series, twelve on a page, "
            "with a line for each run; it draws lines in workers, whose time frames don't show.",
        ],
    )
    with regularization_server(workload, root / "blocks") as address:
        runs = [[f"run_{run:03d}", "losses"] for run in range(workload.runs)]
        state = f"p.regularization.runs={quote(json.dumps(runs))}"
        tab = open_regularization(browser, address, state)
        cards = tab.page.frame_locator("iframe").get_by_role("article")
        _scroll_through(section, "Regularization", tab, cards, cards.get_by_role("img"))
    with time_series_server(workload, root / "scalars") as address:
        tab = open_time_series(browser, address)
        cards = tab.page.locator("card-view")
        _scroll_through(section, "Time Series", tab, cards, cards.locator("line-chart canvas"))
    return section


def _scroll_through(section: Section, name: str, tab: Tab, cards: Locator, charts: Locator) -> None:
    tab.probe.rest(_LOADED_MS)
    count, drawn = cards.count(), charts.count()
    tab.page.mouse.move(_middle(cards.first), 500)
    for way, down in (("down", True), ("up again", False)):
        before = _room(cards)
        durations = tab.probe.frames_during(partial(_scroll, tab, cards, down))
        scrolled = abs(_room(cards)[1] - before[1])
        slow = sum(duration > _JANK_MS for duration in durations)
        section.add(
            f"{name}, {way}",
            f"{count}",
            f"{drawn}",
            f"{scrolled:,.0f} px",
            f"{len(durations):,}",
            f"{statistics.median(durations):.1f} ms",
            f"{within(0.95, durations):.1f} ms",
            f"{max(durations):.0f} ms",
            f"{100 * slow / len(durations):.1f} %",
        )
        tab.probe.rest()
    tab.page.close()


def _scroll(tab: Tab, cards: Locator, down: bool) -> None:
    while _room(cards)[0 if down else 1] > 1:
        for _ in range(_NOTCHES):
            tab.page.mouse.wheel(0, _NOTCH if down else -_NOTCH)
            tab.probe.rest(_NOTCH_MS)


def _room(cards: Locator) -> tuple[float, float]:
    down, up = cards.first.evaluate(_ROOM)
    return down, up


def _middle(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2
