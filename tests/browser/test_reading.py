"""Cursor, keys, wheel and highlights, in a real browser on a real TensorBoard."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import drawing, pixels, point_at, visible_box
from tests.browser.logs import write_long_run, write_steady_run
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_steady_run(log_dir / "one", steps=101)
    write_steady_run(log_dir / "two", steps=101)
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 2)
        yield address


def keyboard(dashboard: Dashboard, run: str) -> Locator:
    """Returns what the keys of a chart go to."""
    keys: Locator = dashboard.card(run).get_by_role("group", name=re.compile("Arrow keys pan"))
    return keys


def test_the_keyboard_zooms_pans_and_resets(shared: str, open_page: Open) -> None:
    """Each key says what is shown then, and the focus can be seen."""
    dashboard = open_page(shared)
    chart = keyboard(dashboard, "one")
    chart.focus()
    page = dashboard.page
    for key, steps in [
        ("+", "25 to 75"),
        ("ArrowRight", "35 to 85"),
        ("ArrowLeft", "25 to 75"),
        ("+", "37 to 63"),
        ("-", "24 to 76"),
        ("0", "0 to 100"),
    ]:
        page.keyboard.press(key)
        expect(chart).to_have_accessible_name(re.compile(f"step {steps}\\."))
        expect(chart.get_by_role("status")).to_have_text(f"step {steps}")
    assert chart.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
    expect(dashboard.card("one").get_by_role("button", name="Reset zoom")).to_have_count(0)


def test_the_keyboard_reads_values(shared: str, open_page: Open) -> None:
    """Bucket by bucket, in the tooltip and in words; all charts show where."""
    dashboard = open_page(shared)
    chart, page = keyboard(dashboard, "one"), dashboard.page
    tooltip, status = dashboard.frame.get_by_role("tooltip"), chart.get_by_role("status")
    values = "total 4; data 1, 25 %; dense/bias 1, 25 %; dense/kernel 2, 50 %"
    chart.focus()
    page.keyboard.press("Escape")
    expect(tooltip).to_have_count(0)
    for key, step in [(".", 0), (".", 1), (",", 0), ("End", 100), ("PageUp", 89), (",", 88)]:
        page.keyboard.press(key)
        expect(status).to_have_text(f"step {step}: {values}")
        expect(tooltip).to_contain_text(f"step {step}")
    plot, cursor = dashboard.plot("two"), dashboard.card("two").locator(".chart-cursor")
    box, line = plot.bounding_box(), cursor.bounding_box()
    assert box is not None
    assert line is not None
    assert (line["x"] - box["x"]) / box["width"] == pytest.approx(0.88, abs=0.01)
    # Zooming keeps what is read where it is, in both charts.
    page.keyboard.press("+")
    expect(chart).to_have_accessible_name(re.compile(r"step 44 to 94\."))
    expect(status).to_have_text(f"step 88: {values}")
    # What is panned out of sight is no longer read.
    page.keyboard.press("0")
    # Home goes to the first bucket that is there.
    expect(chart).to_have_accessible_name(re.compile(r"step 0 to 100\."))
    page.keyboard.press("Home")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(tooltip).to_have_count(0)
    page.keyboard.press(".")
    expect(tooltip).to_have_count(1)
    page.keyboard.press("Escape")
    expect(tooltip).to_have_count(0)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A run of 20,000 steps: where a chart is zoomed, new curves come a little later."""
    log_dir = tmp_path_factory.mktemp("long")
    write_long_run(log_dir / "long")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 1)
        yield address


WATCH = """chart => {
  window.frames_seen = [];
  const look = () => {
    const tooltip = document.querySelector("[role=tooltip] caption");
    const [line, area] = [".chart-cursor", ".chart-area"].map((name) =>
      chart.querySelector(name).getBoundingClientRect());
    if (tooltip !== null) {
      const share = (line.left - area.left) / area.width;
      window.frames_seen.push([chart.ariaLabel, share, tooltip.textContent]);
    }
    requestAnimationFrame(look);
  };
  look();
}"""


def test_the_tooltip_names_the_steps_at_its_line_in_every_frame(long: str, open_page: Open) -> None:
    """Also while new curves come in, whose buckets are others, under quick keys."""
    dashboard = open_page(long)
    chart, page = keyboard(dashboard, "long"), dashboard.page
    chart.focus()
    chart.evaluate(WATCH)
    for keys in (["+", "+", ".", ".", "PageDown"], ["0", "PageDown", "+", "-", ","]):
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_timeout(500)
    seen = chart.evaluate("() => window.frames_seen")
    assert len({tuple(frame) for frame in seen}) > 4
    for name, share, text in seen:
        first, last = (
            int(part.replace(",", ""))
            for part in re.findall(r"step ([\d,]+) to ([\d,]+)", name)[-1]
        )
        begin, end = (int(part.replace(",", "")) for part in re.findall(r"[\d,]+", text)[:2])
        at = first + share * (last - first)
        # A line is on whole pixels; a bucket is about as wide as one.
        assert begin - 50 <= at <= end + 50, (name, share, text)


def test_the_keys_cursor_goes_with_the_focus_and_yields_to_the_mouse(
    shared: str, open_page: Open
) -> None:
    """There is one place that is read."""
    dashboard = open_page(shared)
    chart, tooltip = keyboard(dashboard, "one"), dashboard.frame.get_by_role("tooltip")
    chart.focus()
    dashboard.page.keyboard.press(".")
    expect(tooltip).to_contain_text("step 0")
    point_at(dashboard.plot("one"), 0.5)
    expect(tooltip).to_contain_text("step 50")
    dashboard.page.mouse.move(5, 5)
    expect(tooltip).to_have_count(0)
    dashboard.page.keyboard.press(".")
    expect(tooltip).to_contain_text("step 0")
    dashboard.page.keyboard.press("Tab")
    expect(tooltip).to_have_count(0)


def test_the_wheel_zooms_with_a_key_and_scrolls_without(shared: str, open_page: Open) -> None:
    """What is under the pointer stays there."""
    dashboard = open_page(shared)
    plot, chart = dashboard.plot("one"), keyboard(dashboard, "one")
    point_at(plot, 0.5)
    dashboard.page.mouse.wheel(0, -300)
    expect(chart).to_have_accessible_name(re.compile("step 0 to 100"))
    dashboard.page.keyboard.down("Alt")
    dashboard.page.mouse.wheel(0, -300)
    dashboard.page.keyboard.up("Alt")
    expect(chart).to_have_accessible_name(re.compile(r"step 2\d to 7\d\."))


def test_a_drag_with_shift_pans(shared: str, open_page: Open) -> None:
    """The curve follows the hand, without changing the width."""
    dashboard = open_page(shared)
    plot, chart = dashboard.plot("one"), keyboard(dashboard, "one")
    chart.focus()
    dashboard.page.keyboard.press("+")
    box = visible_box(plot)
    dashboard.page.keyboard.down("Shift")
    point_at(plot, 0.5)
    dashboard.page.mouse.down()
    dashboard.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 100, steps=4)
    dashboard.page.mouse.up()
    dashboard.page.keyboard.up("Shift")
    expect(chart).to_have_accessible_name(re.compile("step 35 to 85"))


def test_all_charts_show_where_the_pointer_is(shared: str, open_page: Open) -> None:
    """The other card's cursor is at the same step; the tooltip is where the pointer is."""
    dashboard = open_page(shared)
    point_at(dashboard.plot("one"), 0.5)
    cursor = dashboard.card("two").locator(".chart-cursor")
    plot = dashboard.plot("two").bounding_box()
    expect(dashboard.frame.get_by_role("tooltip")).to_have_count(1)
    box = cursor.bounding_box()
    assert plot is not None
    assert box is not None
    assert box["x"] - plot["x"] == pytest.approx(plot["width"] / 2, abs=2)
    dashboard.page.mouse.move(5, 5)
    expect(dashboard.frame.get_by_role("tooltip")).to_have_count(0)


def test_a_band_is_highlighted_everywhere(shared: str, open_page: Open) -> None:
    """Pointing at a band in one chart pales the other bands of all charts."""
    dashboard = open_page(shared)
    other = dashboard.plot("two")
    visible_box(other)
    before = pixels(other)
    point_at(dashboard.plot("one"), 0.5, 0.15)
    entry = dashboard.card("two").locator(".term.is-highlighted")
    expect(entry).to_have_text("data")
    overlay = drawing_of_overlay(other)
    assert overlay.any()
    dashboard.page.mouse.move(5, 5)
    expect(entry).to_have_count(0)
    np.testing.assert_array_equal(pixels(other), before)


def drawing_of_overlay(plot: Locator) -> np.ndarray:
    """Returns what lies over a chart while a band is highlighted."""
    canvas = plot.locator("canvas")
    data = canvas.evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    return np.array(data, dtype=np.uint8)


def test_hovering_changes_nothing_of_what_was_drawn(shared: str, open_page: Open) -> None:
    """The chart itself is drawn once; only what lies over it follows the pointer."""
    dashboard = open_page(shared)
    chart = dashboard.chart("one")
    before = drawing(chart)
    point_at(dashboard.plot("one"), 0.3, 0.7)
    url = chart.evaluate("canvas => canvas.toDataURL()")
    point_at(dashboard.plot("one"), 0.4, 0.2)
    assert chart.evaluate("canvas => canvas.toDataURL()") == url
    np.testing.assert_array_equal(drawing(chart), before)
