"""The table of runs above the cards, in a real browser on a real TensorBoard."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, in_both_themes, wait_for_runs
from tests.browser.logs import write_layout_of_a_newer_version, write_run_with_nan
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

STEPS = 120
# By strength: the last data loss in training and in validation.
LOSSES = {"0": (0.25, 0.75), "0.01": (0.375, 0.5), "0.1": (0.5, 0.625), "1": (1.0, 1.25)}
HEADINGS = [
    "Run", "Strength", "Data loss, first", "Data loss, last", "Validation data loss",
    "Penalties’ share, largest", "Penalties’ share, last", "Steps", "Findings",
]  # fmt: skip


def write_sweep(directory: Path) -> None:
    """A training with validations for each strength, one that is lost, and what can't be read.

    Data losses begin at 2. Penalties are half of the total at first, and a fifth of it at the end.
    """
    for strength, (trained, validated) in LOSSES.items():
        kernel = Term("kernel", kind="l2", strength=float(strength))
        with Writer(directory / f"lambda={strength}" / "train") as writer:
            for step in range(STEPS):
                data = 2.0 + (trained - 2.0) * step / (STEPS - 1)
                share = 0.5 - 0.3 * step / (STEPS - 1)
                writer.write(step, data, {kernel: data * share / (1 - share)})
        with Writer(directory / f"lambda={strength}" / "validation") as writer:
            for step in (STEPS // 2, STEPS):
                writer.write(step, validated + (step < STEPS), {kernel: 0.125})
    write_run_with_nan(directory / "lost")
    write_layout_of_a_newer_version(directory / "newer")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for all tests, which only look."""
    log_dir = tmp_path_factory.mktemp("sweep")
    write_sweep(log_dir)
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 2 * len(LOSSES) + 2)
        yield address


def table_of(dashboard: Dashboard) -> Any:
    """Returns the table of runs."""
    return dashboard.frame.get_by_role("table", name="Runs", exact=True)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Runs that are named by their settings, as sweeps name them."""
    log_dir = tmp_path_factory.mktemp("settings")
    for rate, seed in itertools.product((0.0001, 0.001), range(4)):
        with Writer(log_dir / f"model=resnet50, lr={rate}, seed={seed}") as writer:
            writer.write(0, 1.0, {"kernel": 0.5})
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 8)
        yield address


def test_names_on_a_phone_keep_what_differs(settings: str, open_page: Open) -> None:
    """None is cut off, and the title has all of it."""
    dashboard = open_page(settings, viewport={"width": 360, "height": 800})
    names = table_of(dashboard).locator(".run-name")
    expect(names).to_have_count(8)
    expect(names.first).to_have_text("lr=0.0001, seed=0")
    assert len(set(names.all_inner_texts())) == 8
    assert all(
        name.evaluate("name => name.scrollWidth <= name.clientWidth") for name in names.all()
    )
    first = table_of(dashboard).get_by_role("rowheader").first
    expect(first).to_have_attribute("title", "model=resnet50, lr=0.0001, seed=0")


def test_the_table_is_beside_the_sweep_where_there_is_room(shared: str, open_page: Open) -> None:
    """As high as the sweep, and below it in a laptop's window or where either is folded."""
    dashboard = open_page(shared, viewport={"width": 2560, "height": 1400})
    sweep = dashboard.frame.get_by_role("region", name="Sweep of strengths")
    overview = dashboard.frame.get_by_role("region", name="Overview of runs")
    expect(sweep.get_by_role("img")).to_be_visible()
    main = dashboard.frame.get_by_role("main").bounding_box()
    boxes = [sweep.bounding_box(), overview.bounding_box()]
    assert main is not None
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]
    assert (boxes[0]["y"], boxes[0]["height"]) == (boxes[1]["y"], boxes[1]["height"])
    assert main["x"] + main["width"] - boxes[1]["x"] - boxes[1]["width"] < 40
    sweep.get_by_role("button", name="Sweep of strengths").click()
    expect(sweep.get_by_role("img")).to_be_hidden()
    folded, below = sweep.bounding_box(), overview.bounding_box()
    assert folded is not None
    assert below is not None
    assert (folded["x"], folded["width"]) == (below["x"], below["width"])
    assert folded["y"] < below["y"]


def rows_of(dashboard: Dashboard) -> list[list[str]]:
    """Returns what stands in the table of runs, once all rows are there."""
    rows = table_of(dashboard).locator("tbody tr")
    expect(rows).to_have_count(len(LOSSES) + 2)
    return [
        [cell.replace("\u00a0", " ").strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in rows.all()
    ]


def runs_of(dashboard: Dashboard) -> list[str]:
    """Returns the runs in the order of the table's rows."""
    return [row[0].removesuffix("/train") for row in rows_of(dashboard)]


@in_both_themes
def test_each_run_is_a_row_of_its_numbers(shared: str, open_page: Open) -> None:
    """Validations stand in the rows of their trainings; what can't be read says why."""
    dashboard = open_page(shared)
    expect(table_of(dashboard).get_by_role("columnheader")).to_have_text(HEADINGS)
    expect(table_of(dashboard).get_by_text("error · 2")).to_be_visible()
    rows = rows_of(dashboard)
    for row, (strength, (trained, validated)) in zip(rows, LOSSES.items(), strict=False):
        numbers = [strength, "2", f"{trained:g}", f"{validated:g}", "50 %", "20 %", f"{STEPS}"]
        assert row[:-1] == [f"lambda={strength}/train", *numbers]
    lost, unread = rows[-2:]
    assert lost[:2] == ["lost", "0.01"]
    assert lost[4:] == ["–", "50 %", "–", "100", "error · 2"]
    assert unread[0].startswith("newer")
    assert "version 99" in unread[1]
    # As the card says it.
    card = dashboard.card("lambda=0.1/train")
    card.scroll_into_view_if_needed()
    expect(card.get_by_text(re.compile("penalties 20 %".replace(" ", r"\s")))).to_be_visible()


def test_headings_sort(shared: str, open_page: Open) -> None:
    """The largest first; again, the smallest; what has no number is last. A link keeps it."""
    dashboard = open_page(shared)
    heading = table_of(dashboard).get_by_role("columnheader", name="Validation data loss")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    largest_first = ["lambda=1", "lambda=0", "lambda=0.1", "lambda=0.01"]
    assert runs_of(dashboard)[: len(LOSSES)] == largest_first
    heading.get_by_role("button").press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert runs_of(dashboard)[: len(LOSSES)] == largest_first[::-1]
    expect(dashboard.page).to_have_url(re.compile("overviewOrder=validation"))
    dashboard.page.reload()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    assert runs_of(dashboard)[: len(LOSSES)] == largest_first[::-1]


def test_a_click_brings_a_run_to_the_top(shared: str, open_page: Open) -> None:
    """Also one that was not chosen; a second click lets it go back to its place."""
    dashboard = open_page(shared)
    cards = dashboard.frame.get_by_role("article")
    expect(cards.first).to_have_accessible_name("lambda=0/train")
    dashboard.frame.get_by_role("checkbox", name="lambda=1/train").uncheck()
    expect(dashboard.card("lambda=1/train")).to_have_count(0)

    table_of(dashboard).get_by_role("cell", name="1.25").click()
    expect(cards.first).to_have_accessible_name("lambda=1/train")
    pinned = table_of(dashboard).get_by_role("button", name="lambda=1/train", pressed=True)
    pinned.press("Enter")
    expect(cards.first).to_have_accessible_name("lambda=0/train")
    expect(dashboard.card("lambda=1/train")).to_have_count(1)


def test_the_filter_of_runs_filters_the_table(shared: str, open_page: Open) -> None:
    """It stays open, however few are left."""
    dashboard = open_page(shared)
    rows_of(dashboard)
    dashboard.frame.get_by_role("searchbox", name="Filter runs by a regular expression").fill("0.1")
    expect(table_of(dashboard).locator("tbody tr")).to_have_count(1)
    expect(table_of(dashboard).get_by_role("rowheader")).to_have_text(["lambda=0.1/train"])


def test_it_is_folded_with_few_runs_and_a_link_remembers(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """A line that opens it."""
    for name in ("a", "b"):
        with Writer(tmp_path / name) as writer:
            writer.write(0, 1.0, {"kernel": 1.0})
    dashboard = open_dashboard(tmp_path, runs=2)
    line = dashboard.frame.get_by_role("button", name="Overview of runs")
    expect(line).to_have_attribute("aria-expanded", "false")
    expect(table_of(dashboard)).to_have_count(0)
    assert not [url for url in dashboard.plugin_requests() if "/overview" in url]
    line.press("Enter")
    expect(table_of(dashboard).get_by_role("rowheader")).to_have_text(["a", "b"])
    expect(dashboard.page).to_have_url(re.compile("overview=open"))
    dashboard.page.reload()
    expect(table_of(dashboard).get_by_role("rowheader")).to_have_text(["a", "b"])


def test_on_a_phone_it_scrolls_sideways_in_its_own_box(shared: str, open_page: Open) -> None:
    """The page itself doesn't."""
    dashboard = open_page(shared, viewport={"width": 360, "height": 740})
    rows_of(dashboard)
    box = table_of(dashboard).locator("..")
    assert box.evaluate("element => element.scrollWidth > element.clientWidth")
    assert box.evaluate("element => element.getBoundingClientRect().right <= innerWidth")
    root = dashboard.frame.locator("html")
    assert root.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_of_many_rows_only_those_in_sight_are_made(tmp_path: Path, open_dashboard: Open) -> None:
    """The others come as one scrolls, and assistive technology is told of all."""
    runs = 150
    for run in range(runs):
        with Writer(tmp_path / f"run_{run:03d}") as writer:
            writer.write(0, float(run), {"kernel": 1.0})
    dashboard = open_dashboard(tmp_path, runs=runs)
    table = table_of(dashboard)
    expect(table).to_have_attribute("aria-rowcount", str(runs + 1))
    expect(table.get_by_role("rowheader", name="run_000")).to_be_visible()
    assert table.get_by_role("rowheader").count() < 50
    table.locator("..").evaluate("element => element.scrollTo(0, element.scrollHeight)")
    last = table.get_by_role("row").filter(has=dashboard.frame.get_by_text("run_149", exact=True))
    expect(last).to_be_in_viewport()
    expect(last).to_have_attribute("aria-rowindex", str(runs + 1))
