"""What a person waits for in Chromium: the first charts, and the answer to a zoom or a click."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Frame, Page, sync_playwright

from bench.logs import WORKLOADS, Workload, write_blocks, write_scalars
from bench.report import Section, seconds
from tests.browser.chromium import find_browser
from tests.tensorboard_process import get_json, start_tensorboard, wait_until

_WINDOW = {"width": 1440, "height": 960}
# Until the frame after the next one is due: by then, what a click changes is on the screen.
_TWO_FRAMES = """
  const frame = () => new Promise(requestAnimationFrame);
  const frames = async () => { await frame(); await frame(); };
"""


def measure(quick: bool) -> Section:
    """Opens both tabs on the same numbers."""
    workload = WORKLOADS["W1"]
    section = Section(
        "In Chromium",
        f"{workload}, in a window of 1440 × 960. First charts: from opening the address of a "
        "TensorBoard that has loaded everything, in a fresh profile. Toggle and nothing: from a "
        "click to the second frame after it, and as long without a click. Zoom: from the end of "
        "a drag to the second frame after the answer. Medians.",
        ["tab", "first charts", "toggle a term", "zoom", "nothing"],
    )
    repeats = 2 if quick else 7
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        root = Path(directory)
        write_blocks(workload, root / "blocks")
        write_scalars(workload, root / "scalars")
        browser = playwright.chromium.launch(
            executable_path=find_browser(playwright),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        for name, log, row in (
            ("Regularization", root / "blocks", _regularization),
            ("Time Series", root / "scalars", _time_series),
        ):
            with start_tensorboard(log) as address:
                _wait_until_loaded(address, workload)
                found = [row(browser, address) for _ in range(repeats)]
                medians = [statistics.median(column) for column in zip(*found, strict=True)]
                cells = [f"{1000 * median:.0f} ms" if median else "–" for median in medians]
                section.add(name, *cells)
        browser.close()
    return section


def _wait_until_loaded(address: str, workload: Workload) -> None:
    def has_all() -> bool:
        recordings = get_json(address + "data/plugin/regularization/recordings")["recordings"]
        tags = get_json(address + "data/plugin/scalars/tags")
        return any(found["last_step"] == workload.steps - 1 for found in recordings) or any(tags)

    wait_until(has_all)


def _regularization(browser: Browser, address: str) -> tuple[float, ...]:
    page = browser.new_page(viewport=_WINDOW)
    dashboard = page.frame_locator("iframe")
    first = seconds(lambda: _open(page, f"{address}#regularization", dashboard.get_by_role("img")))
    (frame,) = (found for found in page.frames if "plugin_entry" in found.url)
    toggle = _frames_after(frame, "document.querySelectorAll('.term')[2].click()")
    nothing = _frames_after(frame, "")
    box = dashboard.locator(".u-over").first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], y)
    page.mouse.move(box["x"] + 0.6 * box["width"], y)

    def zoom() -> None:
        with page.expect_response(lambda response: "start=" in response.url):
            page.mouse.up()
        _frames_after(frame, "")

    zooming = seconds(zoom)
    page.close()
    return first, toggle, zooming, nothing


def _time_series(browser: Browser, address: str) -> tuple[float, ...]:
    page = browser.new_page(viewport=_WINDOW)
    charts = page.locator("line-chart canvas, line-chart svg")
    first = seconds(lambda: _open(page, f"{address}#timeseries", charts))
    nothing = _frames_after(page.main_frame, "")
    page.close()
    return first, 0.0, 0.0, nothing


def _open(page: Page, address: str, charts: object) -> None:
    page.goto(address)
    charts.first.wait_for()  # type: ignore[attr-defined]  # A locator of page or frame.


def _frames_after(frame: Frame, act: str) -> float:
    script = f"""async () => {{
      {_TWO_FRAMES}
      await frames();
      const start = performance.now();
      {act};
      await frames();
      return performance.now() - start;
    }}"""
    return float(frame.evaluate(script)) / 1000
