"""Selected steps and the figures of them alone, in a real browser on a real TensorBoard."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, serve
from tests.browser.gestures import visible_box

Open = Callable[..., Dashboard]

STEPS = 2_001
COLUMNS = {"Last": 0, "Min": 1, "Max": 2, "Mean": 3}


def values(name: str) -> np.ndarray:
    """What is recorded of a term, as training has it."""
    noise = np.random.default_rng(len(name)).normal(0, 0.1, STEPS)
    return (len(name) + noise).astype(np.float32)


def write_run(directory: Path) -> None:
    """A noisy data loss and two noisy penalties over 2,001 steps."""
    data, kernel, bias = values("data"), values("kernel"), values("dense/bias")
    with Writer(directory) as writer:
        for step in range(STEPS):
            penalties = {Term("kernel"): float(kernel[step]), Term("dense/bias"): float(bias[step])}
            writer.write(step, float(data[step]), penalties)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_run(log_dir / "one")
    write_run(log_dir / "two")
    with serve(log_dir, 2) as address:
        yield address


def table(dashboard: Dashboard, run: str) -> Locator:
    """Returns the table of a card's terms."""
    region: Locator = dashboard.card(run).get_by_role("region", name=f"Table of terms of {run}")
    return region


def band(dashboard: Dashboard, run: str) -> Locator:
    """Returns the shaded band over a chart."""
    shade: Locator = dashboard.card(run).locator(".chart-band")
    return shade


def box_of(element: Locator) -> FloatRect:
    """Returns where an element is."""
    box = element.bounding_box()
    assert box is not None
    return box


def drag_axis(dashboard: Dashboard, run: str, begin: float, end: float) -> None:
    """Drags along the x axis, from one share of its width to another."""
    plot = visible_box(dashboard.plot(run))
    mouse, y = dashboard.page.mouse, plot["y"] + plot["height"] + 10
    mouse.move(plot["x"] + begin * plot["width"], y)
    mouse.down()
    mouse.move(plot["x"] + end * plot["width"], y, steps=3)
    mouse.up()


def ends(dashboard: Dashboard, run: str) -> tuple[int, int]:
    """Returns the selected steps that a card's fields say."""
    group = dashboard.card(run).get_by_role("group", name="Selected steps")
    fields = [group.get_by_label(name, exact=True) for name in ("From step", "to step")]
    expect(fields[0]).to_be_visible()
    first, last = (int(field.input_value()) for field in fields)
    return first, last


def check_figures(dashboard: Dashboard, run: str, first: int, last: int) -> None:
    """Compares the table with NumPy, over these steps and no others."""
    caption = f"Steps {first:,}–{last:,}" if first < last else f"Steps {first:,}"
    expect(table(dashboard, run).get_by_text(caption, exact=True)).to_be_visible()
    for name in ("data", "kernel", "dense/bias"):
        part = values(name)[first : last + 1].astype(np.float64)
        expected = (part[-1], part.min(), part.max(), part.mean())
        cells = table(dashboard, run).get_by_role("row", name=name).get_by_role("cell")
        shown = [float(text) for text in cells.all_inner_texts()[: len(COLUMNS)]]
        # Four digits are shown.
        np.testing.assert_allclose(shown, expected, rtol=5.1e-4)


def test_a_drag_along_the_axis_gives_the_figures_of_these_steps(
    shared: str, open_page: Open
) -> None:
    """In all cards, at once, without zooming; the band says which steps, and covers them."""
    dashboard = open_page(shared)
    expect(dashboard.chart("one")).to_be_visible()
    expect(dashboard.frame.get_by_role("table")).to_have_count(0)
    drag_axis(dashboard, "one", 0.2, 0.6)
    first, last = ends(dashboard, "one")
    assert first == pytest.approx(400, abs=4)
    assert last == pytest.approx(1_200, abs=4)
    for run in ("one", "two"):
        check_figures(dashboard, run, first, last)
        expect(band(dashboard, run)).to_have_text(f"steps {first}–{last:,}")
        plot, shade = box_of(dashboard.plot(run)), box_of(band(dashboard, run))
        assert (shade["x"] - plot["x"]) / plot["width"] == pytest.approx(first / 2000, abs=0.003)
        assert shade["width"] / plot["width"] == pytest.approx((last - first) / 2000, abs=0.003)
    expect(dashboard.card("one").get_by_role("button", name="Reset zoom")).to_have_count(0)


def test_ends_are_dragged_and_typed(shared: str, open_page: Open) -> None:
    """Neither changes the other end; a first step above the last takes it along."""
    dashboard = open_page(shared)
    drag_axis(dashboard, "one", 0.2, 0.6)
    first, last = ends(dashboard, "one")
    plot = box_of(dashboard.plot("one"))
    mouse = dashboard.page.mouse
    mouse.move(plot["x"] + last / 2000 * plot["width"], plot["y"] + 60)
    mouse.down()
    mouse.move(plot["x"] + 0.8 * plot["width"], plot["y"] + 60, steps=3)
    mouse.up()
    kept, last = ends(dashboard, "two")
    assert kept == first
    assert last == pytest.approx(1_600, abs=4)
    for run, name, typed, expected in (
        ("one", "From step", "500", (500, last)),
        ("two", "to step", "750", (500, 750)),
        ("two", "From step", "1000", (1000, 1000)),
    ):
        field = dashboard.card(run).get_by_label(name, exact=True)
        field.fill(typed)
        field.press("Enter")
        check_figures(dashboard, "one", *expected)
    # No term was picked by pressing on the band.
    expect(dashboard.legend("one").locator("[aria-pressed=false]")).to_have_count(0)


def test_a_selection_is_removed(shared: str, open_page: Open) -> None:
    """By its button or Escape; the table goes with it, unless it was asked for."""
    dashboard = open_page(shared)
    card = dashboard.card("two")
    drag_axis(dashboard, "one", 0.2, 0.6)
    card.get_by_role("button", name="Remove the selection").click()
    expect(table(dashboard, "two")).to_have_count(0)
    expect(band(dashboard, "one")).to_be_hidden()
    dashboard.frame.get_by_role("checkbox", name="Table").check()
    drag_axis(dashboard, "one", 0.2, 0.6)
    check_figures(dashboard, "one", *ends(dashboard, "one"))
    dashboard.card("one").get_by_role("group", name=re.compile("Arrow keys")).focus()
    dashboard.page.keyboard.press("Escape")
    check_figures(dashboard, "one", 0, 2_000)


def test_keys_select_what_they_read(shared: str, open_page: Open) -> None:
    """All steps of the buckets at both ends; what happens is said to those who hear it."""
    dashboard = open_page(shared)
    chart = dashboard.card("one").get_by_role("group", name=re.compile("s starts and ends"))
    status, press = chart.get_by_role("status"), dashboard.page.keyboard.press
    chart.focus()
    press("s")
    expect(dashboard.card("one").get_by_role("group", name="Selected steps")).to_have_count(0)
    press(".")
    press("s")
    expect(status).to_have_text("Selection starts here: go to its end and press s")
    press("PageDown")
    expect(dashboard.card("one").locator(".chart-selection")).to_be_visible()
    expect(status).to_contain_text("total")
    end = re.search(r"step (\d+)(?:–(\d+))?:", status.inner_text())
    assert end is not None
    press("s")
    first, last = ends(dashboard, "one")
    assert (first, last) == (0, int(end[2] or end[1]))
    expect(status).to_have_text(f"steps 0–{last} selected")
    check_figures(dashboard, "one", first, last)
    press("Escape")
    assert ends(dashboard, "one") == (first, last)
    press("Escape")
    expect(status).to_have_text("Nothing selected")
    # A selection that was begun is given up with the reading.
    for key in (".", "s", "Escape", ",", "s"):
        press(key)
    expect(status).to_contain_text("Selection starts")


def test_a_link_has_the_selection(shared: str, open_page: Open) -> None:
    """Also where the chart is zoomed to other steps; another axis gives it up."""
    dashboard = open_page(shared).open("")
    dashboard.page.goto("about:blank")
    dashboard.open("#regularization&p.regularization.selected=%5B250%2C300%5D")
    check_figures(dashboard, "one", 250, 300)
    expect(band(dashboard, "one")).to_be_visible()
    drag_axis(dashboard, "one", 0.5, 0.75)
    first, last = ends(dashboard, "one")
    expect(dashboard.page).to_have_url(re.compile(rf"selected=%5B{first}%2C{last}%5D"))
    dashboard.option("X axis").select_option("Relative time")
    expect(band(dashboard, "one")).to_be_hidden()
    expect(dashboard.page).not_to_have_url(re.compile("selected"))


def test_a_narrow_window_has_room_for_it(shared: str, open_page: Open) -> None:
    """Nothing is beside the page, and the text of the band stays within the plot."""
    dashboard = open_page(shared, viewport={"width": 360, "height": 740})
    drag_axis(dashboard, "one", 0.9, 0.98)
    check_figures(dashboard, "one", *ends(dashboard, "one"))
    plot = box_of(dashboard.plot("one"))
    text = box_of(dashboard.card("one").locator(".chart-band-text"))
    assert plot["x"] <= text["x"]
    assert text["x"] + text["width"] <= plot["x"] + plot["width"] + 1
    overflow = dashboard.frame.locator("html").evaluate("e => e.scrollWidth - e.clientWidth")
    assert overflow <= 0
