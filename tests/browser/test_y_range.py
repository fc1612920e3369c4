"""The y range: without outliers, the same for all cards, by hand, on a real TensorBoard."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import pixels, point_at, until_it_passes
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

STEPS = 101
SPIKES = (40, 60, 61)


def write_run(directory: Path, scale: float = 1.0) -> None:
    """A data loss of 1, and a penalty of 0.5 that is 50 and more at three steps; times a scale."""
    with Writer(directory) as writer:
        for step in range(STEPS):
            penalty = 50.0 + step if step in SPIKES else 0.5
            writer.write(step, 1.0 * scale, {Term("kernel", kind="l2"): penalty * scale})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_run(log_dir / "one")
    write_run(log_dir / "large", scale=3.0)
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 2)
        yield address


def edge(dashboard: Dashboard, run: str) -> float:
    """Returns where the penalty's band ends, as a share of the plot's height from its bottom."""
    picture = pixels(dashboard.plot(run)).astype(int)
    colour = np.array(dashboard.colour(run, "kernel"))
    column = picture[:, int(0.2 * picture.shape[1])]
    rows = np.flatnonzero((column == colour).all(axis=1))
    assert len(rows) > 0
    return 1 - float(rows.min()) / len(column)


def check_edge(dashboard: Dashboard, run: str, expected: float) -> None:
    """Waits until the band ends where its values say, to a hundredth of the plot's height."""

    def check() -> None:
        assert edge(dashboard, run) == pytest.approx(expected, abs=0.01)

    until_it_passes(check)


def note(dashboard: Dashboard, run: str) -> Locator:
    """Returns what a card says of what is not in view."""
    said: Locator = dashboard.card(run).get_by_text("Not in view")
    return said


def fill(dashboard: Dashboard, label: str, value: str) -> None:
    """Types a number and confirms it."""
    field = dashboard.option(label)
    field.fill(value)
    field.press("Enter")


def test_outliers_leave_the_picture_and_are_said(shared: str, open_page: Open) -> None:
    """How many, from where on, how far, and where; the tooltip tells their values."""
    dashboard = open_page(shared)
    check_edge(dashboard, "one", 0.5 / (1.05 * 112))
    expect(note(dashboard, "one")).to_have_count(0)
    dashboard.option("Ignore outliers").check()
    # The usual total is 1.5, and a twentieth of room is above it.
    check_edge(dashboard, "one", 0.5 / 1.575)
    expect(note(dashboard, "one")).to_have_text(
        f"Not in view: 3 steps above 1.575, up to {50 + 61 + 1}."
    )
    point_at(dashboard.plot("one"), 0.4)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows.filter(has_text="kernel")).to_contain_text("90")
    # Where they are, a mark points upwards; elsewhere there is none.
    picture = pixels(dashboard.plot("one")).astype(int)
    dark = (picture[1:6] < 90).all(axis=2).sum(axis=0)
    width = picture.shape[1]
    for step in SPIKES[:2]:
        assert dark[round(step / 100 * width) - 4 : round(step / 100 * width) + 5].sum() >= 5
    assert dark[int(0.1 * width) : int(0.35 * width)].sum() == 0
    expect(dashboard.page).to_have_url(re.compile("ignoreOutliers=true"))


def test_all_cards_have_one_range(shared: str, open_page: Open) -> None:
    """Heights can be compared then; a card that is taken away takes its range with it."""
    dashboard = open_page(shared)
    dashboard.option("Ignore outliers").check()
    for run in ("one", "large"):
        check_edge(dashboard, run, 0.5 / 1.575)
    dashboard.option("Same y range for all cards").check()
    for run, penalty in (("one", 0.5), ("large", 1.5)):
        check_edge(dashboard, run, penalty / (3 * 1.575))
    # The link follows a moment after the picture.
    expect(dashboard.page).to_have_url(re.compile("sameRange=true"))
    dashboard.page.reload()
    check_edge(dashboard, "one", 0.5 / (3 * 1.575))
    dashboard.frame.get_by_role("checkbox", name="large").click()
    check_edge(dashboard, "one", 0.5 / 1.575)


def test_a_range_by_hand_holds_and_is_in_link_and_figure(shared: str, open_page: Open) -> None:
    """From 0 to 5, also after a reload and in the saved figure; emptied, the axis is automatic."""
    dashboard = open_page(shared)
    fill(dashboard, "Y to", "5")
    check_edge(dashboard, "one", 0.1)
    said = "Not in view: 3 steps above 5, up to 112."
    expect(note(dashboard, "one")).to_have_text(said)
    fill(dashboard, "Y from", "0.25")
    expect(note(dashboard, "one")).to_contain_text("zero, where the bands begin")
    expect(dashboard.page).to_have_url(re.compile(r"yMin=0\.25&p\.regularization\.yMax=5"))
    dashboard.page.reload()
    check_edge(dashboard, "one", 0.25 / 4.75)
    fill(dashboard, "Y from", "")
    with dashboard.page.expect_download() as info:
        dashboard.menu("one", "SVG figure")
    texts = [element.text for element in ET.fromstring(info.value.path().read_bytes()).iter()]
    assert said in texts
    assert {"0", "5"} <= set(texts)
    assert "120" not in texts
    # What was typed for losses says nothing about ratios.
    dashboard.view("Ratio")
    expect(dashboard.option("Y to")).to_have_value("")
    expect(note(dashboard, "one")).to_have_count(0)


def test_ends_that_make_no_range_are_explained(shared: str, open_page: Open) -> None:
    """And the chart stays as it is without them."""
    dashboard = open_page(shared)
    fill(dashboard, "Y to", "2")
    check_edge(dashboard, "one", 0.25)
    fill(dashboard, "Y from", "3")
    expect(dashboard.frame.get_by_text("3 is not below 2.")).to_be_visible()
    check_edge(dashboard, "one", 0.5 / (1.05 * 112))
    dashboard.view("Lines")
    fill(dashboard, "Y from", "-1")
    dashboard.option("Y axis").select_option("Log")
    expect(dashboard.frame.get_by_text("A log axis has only values above 0.")).to_be_visible()


def test_small_charts_have_the_range_too(shared: str, open_page: Open) -> None:
    """Each says for itself what it does not show."""
    dashboard = open_page(shared, viewport={"width": 360, "height": 740})
    dashboard.view("Small multiples")
    dashboard.option("Ignore outliers").check()
    # The data loss has no outliers.
    expect(note(dashboard, "large")).to_have_count(2)
    dashboard.option("Same y range for all cards").check()
    expect(note(dashboard, "large")).to_have_count(2)
    overflow = dashboard.frame.locator("html").evaluate("e => e.scrollWidth - e.clientWidth")
    assert overflow <= 0
