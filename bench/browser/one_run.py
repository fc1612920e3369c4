"""One run of many terms: the first draw, and the answers to a click, a drag and a move."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

from bench.browser.probe import Change, Probe
from bench.browser.tabs import (
    open_regularization,
    open_time_series,
    regularization_server,
    time_series_server,
)
from bench.logs import WORKLOADS
from bench.report import Section, within

_CLICKS = 6  # an even number: what was hidden is shown again
_ZOOMS = 3
_MOVES = 20
_LIMITS = {"draw": "200 ms", "redraw": "50 ms", "hover": "8 ms"}


@dataclass
class _Found:
    """What was found in one tab, all times of opening it together."""

    opened: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    toggles: list[Change] = field(default_factory=list)
    zooms: list[Change] = field(default_factory=list)
    moves: list[Change] = field(default_factory=list)
    nothing: list[float] = field(default_factory=list)


def measure(browser: Browser, root: Path, quick: bool) -> Section:
    """Opens both tabs again and again, and does the same in both."""
    workload = WORKLOADS["W1"]
    repeats = 2 if quick else 7
    section = Section(
        "In Chromium: one run of 66 series",
        f"{workload}: total, data loss and 64 terms, all shown, as 1,000 buckets. A gesture "
        "counts from its event until the frame that shows its effect is painted, the wait for "
        "that frame included. Main thread: how long it was busy with everything that a gesture "
        "brought about. Median / what 95 % are within; a fresh profile whenever a tab is opened.",
        ["gesture", "at most", "Regularization", "Time Series"],
        notes=[
            "Time Series has a chart for each of the 66 series, twelve on a page, and draws those "
            "on the screen: with the window's size, four to six. It draws their lines in "
            "workers, which are counted in the first draw alone; otherwise its figures are of "
            "axes and tooltips. Toggled is its only run, as it has no terms to hide. It asks for "
            "nothing when it zooms: there are no more points than those it has.",
        ],
    )
    ours, theirs = _Found(), _Found()
    with regularization_server(workload, root / "blocks") as address:
        for _ in range(repeats):
            _regularization(browser, address, ours)
    with time_series_server(workload, root / "scalars") as address:
        for _ in range(repeats):
            _time_series(browser, address, theirs)

    def add(gesture: str, limit: str, *values: Sequence[float]) -> None:
        section.add(gesture, _LIMITS.get(limit, "–"), *map(_spread, values))

    both = (ours, theirs)
    add("first charts, from opening the address", "", *(tab.opened for tab in both))
    add("first draw, from the arrival of the data", "draw", *(tab.drawn for tab in both))
    add("toggle", "redraw", *(_each("last", tab.toggles) for tab in both))
    add("toggle, main thread", "", *(_each("work", tab.toggles) for tab in both))
    add("zoom, what is there already", "redraw", *(_each("first", tab.zooms) for tab in both))
    add("zoom, with the server's answer", "", _each("last", ours.zooms), [])
    add("zoom, main thread", "", *(_each("work", tab.zooms) for tab in both))
    add("move over a chart, main thread", "hover", *(_each("work", tab.moves) for tab in both))
    add("move over a chart", "", *(_each("last", tab.moves) for tab in both))
    add("as long without a move, main thread", "", *(tab.nothing for tab in both))
    return section


def _regularization(browser: Browser, address: str, found: _Found) -> None:
    tab = open_regularization(browser, address, "p.regularization.top=0")
    page, probe = tab.page, tab.probe
    found.opened.append(tab.opened_in)
    found.drawn.append(probe.first_draw("curves?"))
    (asked,) = probe.asked("curves?")
    assert "buckets=1000" in asked, asked
    dashboard = page.frame_locator("iframe")
    _click(page, probe, dashboard.locator(".term").nth(5), found)
    _drag_and_move(page, probe, dashboard.locator(".chart-area").first, found)
    page.close()


def _time_series(browser: Browser, address: str, found: _Found) -> None:
    tab = open_time_series(browser, address)
    page, probe = tab.page, tab.probe
    found.opened.append(tab.opened_in)
    found.drawn.append(probe.first_draw("timeSeries"))
    _click(page, probe, page.locator("tb-data-table-content-row mat-checkbox").first, found)
    _drag_and_move(page, probe, page.locator("line-chart .series-view").first, found)
    page.close()


def _click(page: Page, probe: Probe, element: Locator, found: _Found) -> None:
    element.hover()
    probe.rest()

    def click() -> None:
        page.mouse.down()
        page.mouse.up()

    for _ in range(_CLICKS):
        found.toggles.append(probe.watch("click", click))


def _drag_and_move(page: Page, probe: Probe, chart: Locator, found: _Found) -> None:
    box = chart.bounding_box()
    assert box is not None

    def move(right: float, down: float) -> None:
        page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"])

    for _ in range(_ZOOMS):
        move(0.3, 0.5)
        page.mouse.down()
        move(0.5, 0.5)
        move(0.6, 0.5)
        found.zooms.append(probe.watch("mouseup", page.mouse.up))
        move(0.4, 0.5)
        page.mouse.dblclick(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
        probe.rest()
    shares = [0.1 + 0.8 * i / _MOVES for i in range(_MOVES)]
    found.moves += probe.watch_moves([partial(move, share, share) for share in shares])
    found.nothing += [probe.nothing() for _ in range(_MOVES)]


def _each(what: str, changes: Sequence[Change]) -> list[float]:
    return [getattr(change, what) for change in changes]


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    median, most = statistics.median(values), within(0.95, values)
    decimals = 1 if median < 20 else 0
    return f"{median:,.{decimals}f} / {most:,.{decimals}f} ms"
