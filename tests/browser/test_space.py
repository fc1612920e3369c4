"""What room cards, their buttons and tables take, in a real browser on a real TensorBoard."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, in_both_themes, wait_for_runs
from tests.browser.gestures import settle
from tests.browser.logs import write_run_with_nan, write_steady_run
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

RUNS = ["a", "b", "c", "d", "lost"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for all tests, which only look."""
    log_dir = tmp_path_factory.mktemp("space")
    for run in RUNS[:-1]:
        write_steady_run(log_dir / run)
    write_run_with_nan(log_dir / "lost")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, len(RUNS))
        yield address


def boxes_of(dashboard: Dashboard) -> list[Any]:
    """Returns where the cards are, in the order in which the keyboard comes to them."""
    cards = dashboard.frame.get_by_role("article")
    expect(cards).to_have_count(len(RUNS))
    settle(cards.first)
    return [card.bounding_box() for card in cards.all()]


@pytest.mark.parametrize(("width", "columns"), [(360, 1), (1400, 2), (2560, 3), (3840, 4)])
def test_cards_fill_the_page_in_the_order_of_the_runs(
    shared: str, open_page: Open, width: int, columns: int
) -> None:
    """Row by row, from left to right: as one reads, and as the keyboard goes."""
    dashboard = open_page(shared, viewport={"width": width, "height": 1400})
    boxes = boxes_of(dashboard)
    places = [(round(box["y"]), round(box["x"])) for box in boxes]
    assert places == sorted(places)
    assert len({x for _, x in places}) == columns
    main = dashboard.frame.get_by_role("main").bounding_box()
    assert main is not None
    right = max(box["x"] + box["width"] for box in boxes)
    assert main["x"] + main["width"] - right < 40


def test_few_cards_share_a_large_screen(shared: str, open_page: Open) -> None:
    """One of them has it alone, and is no banner."""
    dashboard = open_page(shared, viewport={"width": 3840, "height": 2160})
    for run in RUNS[1:]:
        dashboard.frame.get_by_role("checkbox", name=run, exact=True).uncheck()
    card = dashboard.card("a").bounding_box()
    main = dashboard.frame.get_by_role("main").bounding_box()
    assert card is not None
    assert main is not None
    assert card["width"] > main["width"] - 40
    expect(dashboard.chart("a")).to_be_visible()
    plot = dashboard.plot("a").bounding_box()
    assert plot is not None
    assert plot["width"] < 5 * plot["height"]


def test_a_card_is_as_high_as_its_content(shared: str, open_page: Open) -> None:
    """Beside one that has findings to tell, which is higher."""
    dashboard = open_page(shared, viewport={"width": 3840, "height": 1400})
    expect(dashboard.card("lost").get_by_text("2 findings")).to_be_visible()
    heights = dict(zip(RUNS, [box["height"] for box in boxes_of(dashboard)], strict=True))
    for run in RUNS:
        below = dashboard.card(run).evaluate(
            """card => card.getBoundingClientRect().bottom
                 - card.lastElementChild.getBoundingClientRect().bottom"""
        )
        assert below < 20, heights


@in_both_themes
@pytest.mark.parametrize("width", [360, 1400])
def test_a_cards_buttons_are_large_enough_to_hit(
    shared: str, open_page: Open, width: int, theme: str
) -> None:
    """24 pixels at least, in grey, with a name and a tooltip each."""
    dashboard = open_page(shared, viewport={"width": width, "height": 900})
    card = dashboard.card("a")
    grey = "rgb(97, 97, 97)" if theme == "light" else "rgb(189, 189, 189)"
    for name, title in (
        ("Pin to the top", "Pin to the top"),
        ("Full screen", "Full screen"),
        ("More of a", "Save"),
    ):
        button = card.get_by_label(name, exact=True)
        expect(button).to_have_attribute("title", title)
        expect(button).to_have_css("color", grey)
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


def test_the_keyboard_pins_and_fills_the_screen(shared: str, open_page: Open) -> None:
    """A button that is pressed keeps the focus, to be pressed again."""
    dashboard = open_page(shared)
    cards = dashboard.frame.get_by_role("article")
    pin = dashboard.card("b").get_by_role("button", name="Pin to the top")
    pin.focus()
    dashboard.page.keyboard.press("Enter")
    expect(cards.first).to_have_accessible_name("b")
    expect(pin).to_have_attribute("title", "Unpin")
    expect(pin).to_be_focused()
    dashboard.page.keyboard.press("Enter")
    expect(cards.first).to_have_accessible_name("a")
    full = dashboard.card("b").get_by_role("button", name="Full screen")
    full.focus()
    dashboard.page.keyboard.press("Enter")
    expect(full).to_have_attribute("title", "Leave full screen")
    dashboard.page.keyboard.press("Enter")
    expect(dashboard.frame.locator("article:fullscreen")).to_have_count(0)
    expect(full).to_have_attribute("aria-pressed", "false")


def test_runs_stay_in_sight_of_a_table_that_is_scrolled_sideways(
    shared: str, open_page: Open
) -> None:
    """On a phone: names of runs cover what goes by below them."""
    dashboard = open_page(shared, viewport={"width": 360, "height": 800})
    table = dashboard.frame.get_by_role("table", name="Runs", exact=True)
    name = table.get_by_role("rowheader", name="b", exact=True)
    before = name.bounding_box()
    dashboard.frame.locator(".run-table").evaluate("box => { box.scrollLeft = 400; }")
    after = name.bounding_box()
    assert before is not None
    assert after is not None
    assert before["x"] == after["x"]
    topmost = name.evaluate(
        """cell => {
             const { right, top } = cell.getBoundingClientRect();
             return cell.contains(document.elementFromPoint(right - 4, top + 8));
           }"""
    )
    assert topmost


def test_what_is_compared_is_readable(shared: str, open_page: Open) -> None:
    """The longest name is not cut off, and the controls are on one line in a laptop's window."""
    dashboard = open_page(shared)
    select = dashboard.frame.get_by_role("combobox", name="Compare runs by")
    link = dashboard.frame.get_by_role("button", name="Copy link")
    toolbar = dashboard.frame.locator(".toolbar-row").first
    expect(link).to_be_visible()
    assert toolbar.evaluate("row => row.clientHeight") < 40
    select.select_option("Penalties ÷ data loss")
    missing = select.evaluate(
        """select => {
             const ruler = document.createElement("canvas").getContext("2d");
             ruler.font = getComputedStyle(select).font;
             const name = select.selectedOptions[0].text;
             // The arrow takes some 20 pixels, and the ends 6 each.
             return ruler.measureText(name).width + 32 - select.clientWidth;
           }"""
    )
    assert missing <= 0
    for name in ("Penalties ÷ data loss", "Difference of two runs"):
        select.select_option(name)
        assert toolbar.evaluate("row => row.clientHeight") < 40, name
