"""The views of one run and what they refuse, in a real browser on a real TensorBoard."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, in_both_themes, wait_for_runs
from tests.browser.gestures import drag, pixels, point_at, until_it_passes
from tests.browser.logs import (
    write_run_with_a_negative_term,
    write_run_with_a_spike,
    write_steady_run,
)
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

# The colour of the total's line.
TOTAL = {"light": (32, 33, 36), "dark": (241, 243, 244)}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_steady_run(log_dir / "steady")
    write_run_with_a_negative_term(log_dir / "negative")
    write_run_with_a_spike(log_dir / "spike")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 3)
        yield address


def rows_of(picture: np.ndarray, rgb: tuple[int, ...], share: float) -> np.ndarray:
    """Returns where a column of pixels, at a share of the width, has a colour."""
    return np.flatnonzero((picture[:, int(picture.shape[1] * share)] == rgb).all(axis=1))


def line_of(picture: np.ndarray, rgb: tuple[int, ...], share: float) -> int:
    """Returns where a line crosses a column of pixels: where it is most like the line's colour."""
    column = picture[:, int(picture.shape[1] * share)].astype(int)
    return int(np.abs(column - rgb).sum(axis=1).argmin())


def test_100_percent_fills_the_chart_with_shares(shared: str, open_page: Open) -> None:
    """One click, and the bands fill the plot from edge to edge in proportion."""
    dashboard = open_page(shared)
    dashboard.view("100 %")
    expect(dashboard.chart("steady")).to_have_accessible_name(re.compile("Shares of the loss"))
    picture = pixels(dashboard.plot("steady"))
    heights = [
        len(rows_of(picture, dashboard.colour("steady", name), 0.63))
        for name in ("data", "dense/kernel", "dense/bias")
    ]
    height = picture.shape[0]
    np.testing.assert_allclose(heights, [height / 4, height / 2, height / 4], atol=4)


def test_100_percent_with_negative_parts_is_refused(shared: str, open_page: Open) -> None:
    """The card names the negative term; hiding it brings the picture."""
    dashboard = open_page(shared)
    dashboard.view("100 %")
    card = dashboard.card("negative")
    reason = card.get_by_text(re.compile("never negative, but entropy reaches −0.5"))
    expect(reason).to_be_visible()
    expect(dashboard.chart("negative")).to_have_count(0)
    dashboard.term("negative", "entropy").click()
    expect(reason).to_have_count(0)
    expect(dashboard.chart("negative")).to_be_visible()


def test_negative_terms_stack_below_zero(shared: str, open_page: Open) -> None:
    """The negative band hangs below the ground that the others stand on."""
    dashboard = open_page(shared)
    picture = pixels(dashboard.plot("negative"))
    data = rows_of(picture, dashboard.colour("negative", "data"), 0.63)
    entropy = rows_of(picture, dashboard.colour("negative", "entropy"), 0.63)
    assert entropy.min() >= data.max()
    np.testing.assert_allclose(len(data), 4 * len(entropy), atol=8)


@in_both_themes
def test_lines_take_a_log_axis_and_a_stack_refuses_it(
    shared: str, open_page: Open, theme: str
) -> None:
    """The refusal is in words, and leads to the lines that can have it."""
    dashboard = open_page(shared)
    dashboard.option("Y axis").select_option("Log")
    expect(dashboard.frame.get_by_text(re.compile("A stack needs a linear axis"))).to_be_visible()
    dashboard.frame.get_by_role("button", name="Show lines").click()
    expect(dashboard.frame.get_by_text(re.compile("A stack needs"))).to_have_count(0)
    expect(dashboard.frame.get_by_role("radio", name="Lines")).to_be_checked()
    expect(dashboard.chart("steady")).to_have_accessible_name(re.compile("lines"))
    picture = pixels(dashboard.plot("steady"))
    # 1, 2 and 4 are evenly spaced on a log axis.
    one = line_of(picture, dashboard.colour("steady", "dense/bias"), 0.63)
    two = line_of(picture, dashboard.colour("steady", "dense/kernel"), 0.63)
    four = line_of(picture, TOTAL[theme], 0.63)
    assert one - two == pytest.approx(two - four, abs=2)


def test_lines_with_negative_values_take_a_symmetric_log_axis(shared: str, open_page: Open) -> None:
    """A negative term has its line there; on a log axis it is named as missing."""
    dashboard = open_page(shared)
    dashboard.view("Lines")
    card = dashboard.card("negative")
    dashboard.option("Y axis").select_option("Log")
    expect(card.get_by_text(re.compile("entropy.*never above zero"))).to_be_visible()
    dashboard.option("Y axis").select_option("Symmetric log")
    expect(card.get_by_text(re.compile("never above zero"))).to_have_count(0)
    picture = pixels(dashboard.plot("negative"))
    # -0.5 lies as far below zero as 0.5 above it; 1 and 2 are further up.
    lines = [
        line_of(picture, dashboard.colour("negative", name), 0.63)
        for name in ("data", "kernel", "entropy")
    ]
    assert lines == sorted(lines)


def test_the_ratio_stands_between_reference_lines(shared: str, open_page: Open) -> None:
    """Penalties are three times the data loss: the tooltip says 300 %."""
    dashboard = open_page(shared)
    dashboard.view("Ratio")
    expect(dashboard.term("steady", "all penalties")).to_be_visible()
    point_at(dashboard.plot("steady"), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows).to_have_text(
        [
            re.compile(r"all penalties\s*300\s%"),
            re.compile(r"dense/kernel\s*200\s%"),
            re.compile(r"dense/bias\s*100\s%"),
        ]
    )


def test_a_click_on_a_band_isolates_it(shared: str, open_page: Open) -> None:
    """So does a click on its legend entry with shift; a second click shows all."""
    dashboard = open_page(shared)
    plot = dashboard.plot("steady")
    legend = dashboard.legend("steady")
    box = plot.bounding_box()
    assert box is not None
    # The data loss is the highest quarter.
    high = {"x": box["width"] / 2, "y": box["height"] * 0.15}
    plot.click(position=high)
    expect(legend.locator("[aria-pressed=true]")).to_have_text("data")
    plot.click(position=high)
    expect(legend.locator("[aria-pressed=true]")).to_have_count(4)


def test_the_penalties_are_shown_alone_by_one_click(shared: str, open_page: Open) -> None:
    """On an axis of their own, which fills the chart; the link keeps it, another click ends it."""
    dashboard = open_page(shared)
    card = dashboard.card("steady")
    alone = card.get_by_role("button", name="Penalties alone")
    alone.click()
    expect(alone).to_have_attribute("aria-pressed", "true")
    expect(dashboard.page).to_have_url(re.compile("hidden="))
    dashboard.page.reload()
    expect(alone).to_have_attribute("aria-pressed", "true")
    picture = pixels(dashboard.plot("steady"))
    kernel = rows_of(picture, dashboard.colour("steady", "dense/kernel"), 0.63)
    # Two thirds of what is shown, with a twentieth of room above.
    assert len(kernel) == pytest.approx(picture.shape[0] * 2 / 3 / 1.05, abs=3)
    alone.click()
    expect(dashboard.legend("steady").locator("[aria-pressed=true]")).to_have_count(4)
    dashboard.view("Ratio")
    expect(alone).to_have_count(0)


def test_a_drag_zooms_and_isolates_nothing(shared: str, open_page: Open) -> None:
    """The end of a drag is no click."""
    dashboard = open_page(shared)
    drag(dashboard.plot("steady"), 0.2, 0.4)
    card = dashboard.card("steady")
    expect(card.get_by_role("button", name="Reset zoom")).to_be_visible()
    expect(card.locator(".legend [aria-pressed=true]")).to_have_count(4)


def test_small_multiples_give_each_term_a_chart(shared: str, open_page: Open) -> None:
    """The total first; each is named, and all zoom together."""
    dashboard = open_page(shared)
    dashboard.view("Small multiples")
    card = dashboard.card("steady")
    charts = card.get_by_role("img")
    expect(charts).to_have_count(4)
    for place, name in enumerate(["total", "data", "dense/kernel", "dense/bias"]):
        expect(charts.nth(place)).to_have_accessible_name(re.compile(f"^{name}\\. "))
    drag(card.locator(".chart-area").first, 0.2, 0.6)
    expect(card.get_by_role("button", name="Reset zoom")).to_be_visible()
    groups = card.get_by_role("group", name=re.compile(r"step 1\d to \d\d\."))
    expect(groups).to_have_count(4)


@in_both_themes
def test_the_heat_strip_is_stronger_where_the_share_is_larger(
    shared: str, open_page: Open, theme: str
) -> None:
    """A row for each term, further from the page's colour the larger its share is."""
    dashboard = open_page(shared)
    dashboard.view("Heat strip")
    expect(dashboard.chart("steady")).to_have_accessible_name(re.compile("Heat strip"))
    picture = pixels(dashboard.plot("steady")).astype(int)
    height, width = picture.shape[:2]
    data, bias, kernel = (picture[int(height * at), width // 2] for at in (1 / 6, 1 / 2, 5 / 6))
    np.testing.assert_array_equal(data, bias)
    assert ((kernel < bias) if theme == "light" else (kernel > bias)).all()
    point_at(dashboard.plot("steady"), 0.5, 0.85)
    under = dashboard.frame.locator(".tooltip .is-under")
    expect(under).to_have_text(re.compile(r"dense/kernel\s*2\s*50\s%"))


def test_a_pinned_card_comes_first(shared: str, open_page: Open) -> None:
    """And goes back where it was."""
    dashboard = open_page(shared)
    cards = dashboard.frame.get_by_role("article")
    expect(cards.first).to_have_accessible_name("negative")
    pin = dashboard.card("steady").get_by_role("button", name="Pin to the top")
    expect(pin).to_have_attribute("aria-pressed", "false")
    pin.click()
    expect(cards.first).to_have_accessible_name("steady")
    expect(pin).to_have_attribute("aria-pressed", "true")
    pin.click()
    expect(cards.first).to_have_accessible_name("negative")


def test_a_card_fills_the_screen(shared: str, open_page: Open) -> None:
    """Its chart grows with it."""
    dashboard = open_page(shared)
    before = dashboard.plot("steady").bounding_box()
    button = dashboard.card("steady").get_by_role("button", name="Full screen")
    button.click()
    expect(dashboard.frame.locator("article:fullscreen")).to_have_count(1)
    expect(button).to_have_attribute("aria-pressed", "true")
    assert before is not None

    def check() -> None:
        after = dashboard.plot("steady").bounding_box()
        assert after is not None
        assert after["height"] > before["height"] + 100
        assert after["width"] > before["width"] + 100

    until_it_passes(check)
