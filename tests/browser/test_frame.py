"""Axes, and drawings as sharp as the screen is."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import drawing, point_at, visible_box
from tests.browser.logs import write_steady_run
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_steady_run(log_dir / "run")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 1)
        yield address


@pytest.fixture
def theme() -> str:
    """What is tested here is the same in the dark."""
    return "light"


def size(canvas: Locator) -> list[int]:
    """Returns a canvas' width and height in pixels of the screen."""
    found: list[int] = canvas.evaluate("canvas => [canvas.width, canvas.height]")
    return found


def test_a_chart_is_drawn_again_when_the_pixels_of_the_screen_change(
    shared: str, open_page: Open
) -> None:
    """As where a window moves to another screen: twice the pixels, the same picture in between."""
    dashboard = open_page(shared)
    chart, overlay = dashboard.chart("run"), dashboard.plot("run").locator("canvas")
    before, covered = drawing(chart), size(overlay)
    session = dashboard.page.context.new_cdp_session(dashboard.page)
    # Chromium tells a page of emulated pixels only where the window's size changes, too.
    for ratio, height in [(2, 901), (1, 900)]:
        window = {"width": 1400, "height": height}
        metrics = {**window, "deviceScaleFactor": ratio, "mobile": False}
        session.send("Emulation.setDeviceMetricsOverride", metrics)
        expect(chart).to_have_attribute("width", str(before.shape[1] * ratio))
        assert size(overlay) == [length * ratio for length in covered]
        after = drawing(chart)
        assert after.shape[:2] == (before.shape[0] * ratio, before.shape[1] * ratio)
        # Where four pixels are alike, they are of an area: that of the same band.
        quarters = after.reshape(before.shape[0], ratio, before.shape[1], ratio, 4)
        areas = (quarters == quarters[:, :1, :, :1]).all(axis=(1, 3, 4))
        alike = (quarters[:, 0, :, 0] == before).all(axis=2)
        assert alike[areas].mean() > 0.97
    np.testing.assert_array_equal(after, before)


def test_a_drag_is_seen_and_may_end_outside(shared: str, open_page: Open) -> None:
    """What is selected is shaded as far as the plot goes; letting go zooms to it."""
    dashboard = open_page(shared)
    plot = dashboard.plot("run")
    selection = plot.locator(".chart-selection")
    expect(selection).to_be_hidden()
    box = visible_box(plot)
    point_at(plot, 0.75)
    dashboard.page.mouse.down()
    dashboard.page.mouse.move(box["x"] + box["width"] + 10, box["y"] - 20, steps=3)
    shaded = selection.bounding_box()
    assert shaded is not None
    assert shaded["x"] == pytest.approx(box["x"] + 0.75 * box["width"], abs=1)
    assert shaded["x"] + shaded["width"] == pytest.approx(box["x"] + box["width"], abs=1)
    dashboard.page.mouse.up()
    expect(selection).to_be_hidden()
    expect(dashboard.card("run").get_by_role("button", name="Reset zoom")).to_be_visible()
    chart = dashboard.card("run").get_by_role("group", name=re.compile("Arrow keys pan"))
    expect(chart).to_have_accessible_name(re.compile(r"step 7[45] to 99\."))
    plot.dblclick()
    expect(chart).to_have_accessible_name(re.compile(r"step 0 to 99\."))
