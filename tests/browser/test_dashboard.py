"""The dashboard in a real browser on a real TensorBoard, read as a person would."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_regplugin import Writer
from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import drag, pixels, point_at, visible_box
from tests.browser.logs import (
    KERNEL,
    write_layout_of_a_newer_version,
    write_run_with_a_residual,
    write_run_with_a_spike,
    write_run_with_nan,
    write_scalar,
    write_steady_run,
)
from tests.tensorboard_process import get_json, start_tensorboard, wait_until

Open = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_steady_run(log_dir / "steady" / "train")
    write_run_with_a_spike(log_dir / "spike")
    write_run_with_nan(log_dir / "nan")
    write_run_with_a_residual(log_dir / "residual")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 4)
        yield address


def reload_tensorboard(dashboard: Dashboard) -> None:
    """Presses TensorBoard's own reload button, which has no name."""
    dashboard.page.locator("button.reload-button").click()


@pytest.mark.parametrize("load_fast", ["true", "false"])
def test_a_run_is_taken_apart(tmp_path: Path, open_dashboard: Open, load_fast: str) -> None:
    """The run's card tells the total and the shares, in both of TensorBoard's load modes."""
    write_steady_run(tmp_path / "first" / "train")
    dashboard = open_dashboard(tmp_path, f"--load_fast={load_fast}", runs=1)
    expect(dashboard.chart("first/train")).to_have_accessible_name(
        re.compile("run first/train: total 4 at step 99, data 25\\s%, penalties 75\\s%")
    )
    legend = dashboard.legend("first/train")
    expect(legend.get_by_role("button")).to_have_text(
        ["total", re.compile("dense/kernel.*l2 0.01"), re.compile("dense/bias.*l1 0.5"), "data"]
    )


def test_the_tab_is_among_tensorboards_own(shared: str, open_page: Open) -> None:
    """A person who knows nothing of the plugin finds it."""
    dashboard = open_page(shared).open("")
    dashboard.page.get_by_role("tab", name="Regularization").click()
    expect(dashboard.chart("spike")).to_be_visible()


def test_the_tooltip_lists_each_terms_value_and_share(shared: str, open_page: Open) -> None:
    """Pointing at a step reads it off: top of the stack first."""
    dashboard = open_page(shared)
    point_at(dashboard.plot("steady/train"), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows).to_have_text(
        [
            re.compile(r"total\s*4"),
            re.compile(r"data\s*1\s*25\s%"),
            re.compile(r"dense/bias\s*1\s*25\s%"),
            re.compile(r"dense/kernel\s*2\s*50\s%"),
        ]
    )


def test_bands_are_as_high_as_their_shares(shared: str, open_page: Open) -> None:
    """In a column of pixels, the colours stand in the proportion of the values."""
    dashboard = open_page(shared)
    plot = dashboard.plot("steady/train")
    visible_box(plot)
    picture = pixels(plot)
    counts = Counter(map(tuple, picture[:, int(picture.shape[1] * 0.63)].tolist()))
    heights = []
    for name in ("data", "dense/kernel", "dense/bias"):
        heights.append(counts[dashboard.colour("steady/train", name)])
    unit = sum(heights) / 4
    assert unit > 20
    # The total's line and the grid take a pixel or two.
    np.testing.assert_allclose(heights, [unit, 2 * unit, unit], atol=3)


def test_a_legend_entry_hides_and_isolates(shared: str, open_page: Open) -> None:
    """A click takes a band away, and the stack closes up; a shift-click shows it alone."""
    dashboard = open_page(shared)
    kernel = dashboard.term("steady/train", "dense/kernel")
    data = dashboard.term("steady/train", "data")
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    kernel.click()
    expect(kernel).to_have_attribute("aria-pressed", "false")
    point_at(dashboard.plot("steady/train"), 0.5)
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="dense/kernel")).to_have_count(0)
    data.click(modifiers=["Shift"])
    point_at(dashboard.plot("steady/train"), 0.6)
    expect(rows).to_have_text([re.compile(r"data\s*1")])
    data.click(modifiers=["Shift"])
    expect(kernel).to_have_attribute("aria-pressed", "true")


def test_the_legend_works_from_the_keyboard(shared: str, open_page: Open) -> None:
    """Enter on a focused entry toggles it, and the focus can be seen."""
    dashboard = open_page(shared)
    kernel = dashboard.term("steady/train", "dense/kernel")
    kernel.focus()
    dashboard.page.keyboard.press("Shift+Tab")
    dashboard.page.keyboard.press("Tab")
    expect(kernel).to_be_focused()
    assert kernel.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
    dashboard.page.keyboard.press("Enter")
    expect(kernel).to_have_attribute("aria-pressed", "false")


def test_a_spike_of_one_step_is_within_the_picture_of_all(shared: str, open_page: Open) -> None:
    """Without zooming, the tooltip names the spike's height within its bucket of many steps."""
    dashboard = open_page(shared)
    plot = dashboard.plot("spike")
    texts = []
    # A bucket is about a pixel wide.
    for pixels_off in range(-3, 4):
        point_at(plot, 25_000 / 49_999 + pixels_off / visible_box(plot)["width"])
        texts.append(dashboard.frame.get_by_role("tooltip").inner_text())
    assert any("778" in text for text in texts)


def test_zooming_fetches_the_range_and_shows_single_steps(shared: str, open_page: Open) -> None:
    """Zooming in on one step among 50,000 ends at its exact values."""
    dashboard = open_page(shared)
    card, plot = dashboard.card("spike"), dashboard.plot("spike")
    first, last = 0, 49_999
    while last - first > 200:
        at = (25_000 - first) / (last - first)
        with dashboard.page.expect_response(re.compile(r"/curves.*start=")) as response:
            drag(plot, max(0.0, at - 0.1), min(1.0, at + 0.1))
        url = response.value.url
        first, last = (int(re.findall(rf"{key}=(\d+)", url)[0]) for key in ("start", "end"))
        assert first <= 25_000 <= last
        expect(card.get_by_role("button", name="Reset zoom")).to_be_visible()
    point_at(plot, (25_000 - first) / (last - first))
    tooltip = dashboard.frame.get_by_role("tooltip")
    expect(tooltip).to_contain_text("step 25,000")
    expect(tooltip.get_by_role("row", name="total")).to_contain_text("778")


def test_a_double_click_and_the_button_reset_the_zoom(shared: str, open_page: Open) -> None:
    """Both ways back lead to the whole recording."""
    dashboard = open_page(shared)
    plot = dashboard.plot("steady/train")
    reset = dashboard.card("steady/train").get_by_role("button", name="Reset zoom")
    drag(plot, 0.2, 0.4)
    expect(reset).to_be_visible()
    plot.dblclick()
    expect(reset).to_have_count(0)
    drag(plot, 0.2, 0.4)
    reset.click()
    expect(reset).to_have_count(0)


def test_the_run_picker_filters_and_chooses(shared: str, open_page: Open) -> None:
    """A regular expression narrows the list; a check box takes a card away."""
    frame = open_page(shared).frame
    expect(frame.get_by_role("article")).to_have_count(4)
    runs = frame.get_by_role("searchbox", name="Filter runs")
    runs.fill("^(NAN|re)")
    expect(frame.get_by_role("article")).to_have_count(2)
    frame.get_by_role("checkbox", name="nan").click()
    expect(frame.get_by_role("article")).to_have_count(1)
    expect(frame.get_by_role("article", name="residual")).to_be_visible()
    runs.fill("(")
    expect(frame.get_by_text(re.compile("regular expression"))).to_be_visible()


def test_without_recordings_it_says_what_to_do(tmp_path: Path, open_dashboard: Open) -> None:
    """An empty log directory gets the lines that fill it."""
    dashboard = open_dashboard(tmp_path)
    expect(dashboard.frame.get_by_text("RegularizationCallback")).to_be_visible()
    expect(dashboard.frame.get_by_text("tb_regplugin.Writer")).to_be_visible()


HOSTILE_TERMS = [
    "<script>parent.hacked = 1</script>",
    "<img src=x onerror='parent.hacked = 1'>",
    "\"'`&amp;${7*7}",
    "line\nbreak",
    "loss 🚀 λ",
]
HOSTILE_RUN = "<b onclick=alert(1)>run 🚀"


def test_names_are_text_and_nothing_else(tmp_path: Path, open_dashboard: Open) -> None:
    """Markup in names of runs, recordings and terms is shown as it is, and never executed."""
    with Writer(tmp_path / HOSTILE_RUN, name=HOSTILE_TERMS[0]) as writer:
        for step in range(2):
            writer.write(step, 1.0, dict.fromkeys(HOSTILE_TERMS, 1.0))
    dashboard = open_dashboard(tmp_path, runs=1)
    for name in (*HOSTILE_TERMS, HOSTILE_RUN):
        named = dashboard.frame.get_by_text(name.split("\n")[0])
        # Closed lists have them, too.
        expect(named.locator("visible=true").first).to_be_visible()
    assert dashboard.page.evaluate("window.hacked") is None


def test_what_cannot_be_read_is_named_beside_what_can(tmp_path: Path, open_dashboard: Open) -> None:
    """A layout of a newer version is named with its reason; the good run is shown."""
    write_steady_run(tmp_path / "good")
    write_layout_of_a_newer_version(tmp_path / "from the future")
    dashboard = open_dashboard(tmp_path, runs=2)
    expect(dashboard.chart("good")).to_be_visible()
    expect(dashboard.frame.get_by_text(re.compile("version 99")).first).to_be_visible()
    expect(dashboard.frame.get_by_text("from the future").first).to_be_visible()


def test_values_that_are_not_finite_are_said(shared: str, open_page: Open) -> None:
    """The card names the step, and the tooltip shows NaN as NaN."""
    dashboard = open_page(shared)
    point_at(dashboard.plot("nan"), 0.5)
    expect(dashboard.card("nan").get_by_text(re.compile("became NaN at step 40"))).to_be_visible()
    expect(dashboard.frame.get_by_role("tooltip")).to_contain_text("NaN")


def test_a_total_that_is_not_the_sum_shows_the_residual(shared: str, open_page: Open) -> None:
    """What the parts lack is a hatched band of its own name: a third of the total here."""
    dashboard = open_page(shared)
    expect(dashboard.term("residual", "residual")).to_be_visible()
    picture = pixels(dashboard.plot("residual"))
    height, width = picture.shape[:2]
    # The total of 3 has a twentieth of room above it.
    band = picture[int(height * 0.1) : int(height * 0.3), width // 4 : width // 2].reshape(-1, 3)
    (first, many), (second, fewer) = Counter(map(tuple, band.tolist())).most_common(2)
    # Stripes of one colour, between which the page can be seen.
    assert tuple(picture[2, 2].tolist()) in (first, second)
    assert min(many, fewer) > 0.1 * len(band)


def test_new_steps_appear_on_reload_and_choices_stay(tmp_path: Path, open_dashboard: Open) -> None:
    """TensorBoard's reload button brings what was recorded meanwhile; zoom and toggles stay."""
    with Writer(tmp_path / "run") as writer:
        for step in range(100):
            writer.write(step, 1.0, {KERNEL: 1.0})
        writer.flush()
        dashboard = open_dashboard(tmp_path, runs=1)
        card = dashboard.card("run")
        expect(card.get_by_text("at step 99")).to_be_visible()
        drag(dashboard.plot("run"), 0.2, 0.4)
        dashboard.term("run", "dense/kernel").click()
        for step in range(100, 200):
            writer.write(step, 1.0, {KERNEL: 1.0})
        writer.flush()
    route = f"{dashboard.address}data/plugin/regularization/recordings"
    wait_until(lambda: get_json(route)["recordings"][0]["last_step"] == 199)
    reload_tensorboard(dashboard)
    card.get_by_role("button", name="Reset zoom").click()
    expect(card.get_by_text("at step 199")).to_be_visible()
    expect(dashboard.term("run", "dense/kernel")).to_have_attribute("aria-pressed", "false")


def test_a_lost_server_is_told_and_comes_back(tmp_path: Path, open_page: Open) -> None:
    """What was loaded stays on the screen; nothing is lost once TensorBoard is back."""
    write_steady_run(tmp_path / "run")
    with start_tensorboard(tmp_path) as address:
        wait_for_runs(address, 1)
        dashboard = open_page(address)
        dashboard.may_complain = True
        expect(dashboard.chart("run")).to_be_visible()
    drag(dashboard.plot("run"), 0.2, 0.4)
    notice = dashboard.frame.get_by_text("Can't reach TensorBoard; showing what was loaded.")
    expect(notice).to_be_visible()
    expect(dashboard.chart("run")).to_be_visible()
    with start_tensorboard(tmp_path, f"--port={urlsplit(address).port}"):
        wait_for_runs(address, 1)
        # What was dragged while nobody answered is asked again.
        with dashboard.page.expect_response(re.compile(r"curves\?.*start=")) as answer:
            dashboard.frame.get_by_role("button", name="Try again").click()
        assert answer.value.ok
        expect(notice).to_have_count(0)
        point_at(dashboard.plot("run"), 0.5)
        expect(dashboard.frame.get_by_role("tooltip")).to_contain_text("step 30")


def test_it_follows_tensorboards_dark_mode(shared: str, open_page: Open) -> None:
    """Choosing TensorBoard's dark theme darkens the plugin's page, without a reload."""
    dashboard = open_page(shared)
    chart = dashboard.chart("steady/train")
    expect(chart).to_be_visible()
    assert pixels(chart)[2, 2].mean() > 200
    dashboard.page.get_by_role("button", name=re.compile("light or dark")).click()
    dashboard.page.get_by_role("menuitem", name=re.compile("dark", re.IGNORECASE)).click()
    expect(dashboard.page.locator("body")).to_have_class(re.compile("dark-mode"))
    expect(dashboard.page.get_by_role("menuitem")).to_have_count(0)
    assert pixels(chart)[2, 2].mean() < 80


def test_a_narrow_window_has_one_line_of_settings(shared: str, open_page: Open) -> None:
    """The view, the options and the table; what is used less is among the options."""
    dashboard = open_page(shared, viewport={"width": 360, "height": 740})
    chart = dashboard.frame.get_by_role("article").get_by_role("img").first
    expect(chart).to_be_visible()
    settings = dashboard.frame.get_by_role("region", name="Settings of all charts")
    box = settings.bounding_box()
    assert box is not None
    assert box["height"] < 44
    dashboard.view("Lines")
    expect(chart).to_have_accessible_name(re.compile("as lines"))
    expect(dashboard.option("Smoothing")).to_be_visible()
    expect(settings.get_by_role("button", name="Copy link")).to_be_visible()


@pytest.mark.parametrize("width", [360, 800, 3840])
def test_it_fits_windows_of_all_widths(shared: str, open_page: Open, width: int) -> None:
    """Nothing is wider than the window, and the chart is there."""
    dashboard = open_page(shared, viewport={"width": width, "height": 800})
    expect(dashboard.frame.get_by_role("img").first).to_be_visible()
    root = dashboard.frame.locator("html")
    assert root.evaluate("element => element.scrollWidth") <= width


def test_nothing_is_asked_of_other_hosts(tmp_path: Path, open_dashboard: Open) -> None:
    """Every request goes to TensorBoard, under its path prefix: here, and in all other tests."""
    write_steady_run(tmp_path / "run")
    dashboard = open_dashboard(tmp_path, "--path_prefix=/some/where", runs=1)
    expect(dashboard.chart("run")).to_be_visible()
    assert "/some/where/" in dashboard.address
    assert dashboard.plugin_requests()
    assert all(url.startswith(dashboard.address) for url in dashboard.requests)


def test_nothing_is_fetched_while_the_tab_is_hidden(tmp_path: Path, open_dashboard: Open) -> None:
    """In another tab, reloads cost the plugin nothing; coming back catches up."""
    write_steady_run(tmp_path / "run")
    write_scalar(tmp_path / "run")
    dashboard = open_dashboard(tmp_path, runs=1)
    expect(dashboard.chart("run")).to_be_visible()
    dashboard.page.get_by_role("tab", name="Time Series").click()
    dashboard.page.wait_for_timeout(500)
    before = dashboard.plugin_requests()
    reload_tensorboard(dashboard)
    dashboard.page.wait_for_timeout(1500)
    assert dashboard.plugin_requests() == before
    with dashboard.page.expect_response(re.compile("/plugin/regularization/recordings")):
        dashboard.page.get_by_role("tab", name="Regularization").click()


def test_a_menu_closes_on_escape_and_on_a_press_outside(shared: str, open_page: Open) -> None:
    """With Escape, the focus is back where it was."""
    dashboard = open_page(shared)
    opener = dashboard.card("nan").get_by_label("More of nan")
    entry = dashboard.card("nan").get_by_label("SVG figure")
    opener.click()
    expect(entry).to_be_visible()
    dashboard.page.keyboard.press("Escape")
    expect(entry).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    expect(entry).to_be_visible()
    dashboard.frame.get_by_role("heading", name="nan").click()
    expect(entry).to_be_hidden()
