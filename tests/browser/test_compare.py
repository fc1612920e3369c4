"""Several runs in one chart, in a real browser on a real TensorBoard."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tb_regplugin import Writer
from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import drag, pixels, point_at
from tests.browser.logs import BIAS, KERNEL
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

RUNS = {"strong,seed=1": 4.0, "strong,seed=2": 6.0, "weak,seed=1": 1.0}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Three runs whose penalties are 4, 6 and 1 beside a data loss of 1."""
    log_dir = tmp_path_factory.mktemp("shared")
    for run, penalty in RUNS.items():
        with Writer(log_dir / run) as writer:
            for step in range(100):
                writer.write(step, 1.0, {KERNEL: penalty - 0.5, BIAS: 0.5})
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 3)
        yield address


@pytest.mark.parametrize(
    ("quantity", "values"),
    [
        ("Total", ["7", "5", "2"]),
        ("Data loss", ["1", "1", "1"]),
        ("All penalties", ["6", "4", "1"]),
        ("Penalties ÷ data loss", ["600", "400", "100"]),
        ("dense/kernel", ["5.5", "3.5", "0.5"]),
    ],
)
def test_a_quantity_is_compared_across_runs(
    shared: str, open_page: Open, quantity: str, values: list[str]
) -> None:
    """One line for each run, read off by the tooltip."""
    dashboard = open_page(shared)
    dashboard.option("Compare runs by").select_option(quantity)
    title = f"{quantity} across runs"
    expect(dashboard.chart(title)).to_have_accessible_name(re.compile("strong,seed=1"))
    point_at(dashboard.plot(title), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows).to_have_text([re.compile(rf"seed=\d\s*{value}") for value in values])


def test_seeds_are_joined_to_their_mean_and_range(shared: str, open_page: Open) -> None:
    """What the expression captures names the group; its band goes from least to most."""
    dashboard = open_page(shared)
    dashboard.option("Compare runs by").select_option("Total")
    card = dashboard.card("Total across runs")
    card.get_by_role("searchbox", name="Join runs that match").fill("^([a-z]+)")
    legend = card.get_by_role("list", name="Runs").get_by_role("button")
    expect(legend).to_have_text(["strong (2 runs)", "weak (1 run)"])
    point_at(dashboard.plot("Total across runs"), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows).to_have_text([re.compile(r"strong.*\s*6"), re.compile(r"weak.*\s*2")])
    # The band is faint: neither the page's colour nor the line's.
    column = pixels(dashboard.plot("Total across runs"))[:, 300]
    assert len({tuple(pixel) for pixel in column.tolist()}) >= 3


def test_the_difference_of_two_runs_is_stacked(shared: str, open_page: Open) -> None:
    """The first chosen run minus the second, term by term."""
    dashboard = open_page(shared)
    dashboard.frame.get_by_role("searchbox", name="Filter runs").fill("seed=1")
    dashboard.option("Compare runs by").select_option("Difference of two runs")
    title = "strong,seed=1 − weak,seed=1"
    expect(dashboard.chart(title)).to_be_visible()
    expect(dashboard.card(title)).to_contain_text(
        "Below zero, strong,seed=1 is lower; above zero, weak,seed=1 is."
    )
    point_at(dashboard.plot(title), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows.filter(has_text="total")).to_have_text(re.compile(r"total\s*3"))
    expect(rows.filter(has_text="kernel")).to_have_text(re.compile(r"kernel\s*3$"))
    expect(rows.filter(has_text="data")).to_have_text(re.compile(r"data\s*0$"))


def test_the_runs_of_a_difference_are_chosen_and_swapped(shared: str, open_page: Open) -> None:
    """Any chosen run minus any other; the link restores which."""
    dashboard = open_page(shared)
    dashboard.option("Compare runs by").select_option("Difference of two runs")
    card = dashboard.card("strong,seed=1 − strong,seed=2")
    card.get_by_label("minus", exact=True).select_option("weak,seed=1")
    card = dashboard.card("strong,seed=1 − weak,seed=1")
    # The run that is subtracted already: the two change places.
    card.get_by_label("Show", exact=True).select_option("weak,seed=1")
    card = dashboard.card("weak,seed=1 − strong,seed=1")
    card.get_by_label("minus", exact=True).select_option("strong,seed=2")
    dashboard.card("weak,seed=1 − strong,seed=2").get_by_role("button", name="Swap").click()
    title = "strong,seed=2 − weak,seed=1"
    expect(dashboard.chart(title)).to_be_visible()
    expect(dashboard.page).to_have_url(re.compile("minuend=.*seed%3D2.*subtrahend="))
    dashboard.page.reload()
    expect(dashboard.chart(title)).to_be_visible()
    point_at(dashboard.plot(title), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows.filter(has_text="total")).to_have_text(re.compile(r"total\s*5"))
    # A run that is no longer chosen gives its place to another.
    dashboard.frame.get_by_role("checkbox", name="strong,seed=2").uncheck()
    expect(dashboard.chart("strong,seed=1 − weak,seed=1")).to_be_visible()


def test_the_comparison_zooms_and_hides(shared: str, open_page: Open) -> None:
    """It is a chart like any other."""
    dashboard = open_page(shared)
    dashboard.option("Compare runs by").select_option("Total")
    title = "Total across runs"
    card = dashboard.card(title)
    drag(dashboard.plot(title), 0.2, 0.5)
    expect(card.get_by_role("button", name="Reset zoom")).to_be_visible()
    card.get_by_role("button", name="weak,seed=1").click()
    point_at(dashboard.plot(title), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows).to_have_count(2)


def test_a_run_that_a_log_axis_cannot_show_is_named(tmp_path: Path, open_dashboard: Open) -> None:
    """A ratio of zero has no place there, and its run does not just go missing."""
    for run, penalty in (("free", 0.0), ("penalised", 1.0)):
        with Writer(tmp_path / run) as writer:
            for step in range(10):
                writer.write(step, 1.0, {"kernel": penalty})
    dashboard = open_dashboard(tmp_path, runs=2)
    dashboard.option("Compare runs by").select_option("Penalties ÷ data loss")
    card = dashboard.card("Penalties ÷ data loss across runs")
    expect(card.get_by_text(re.compile("A log axis leaves out free"))).to_be_visible()


def test_a_comparison_over_time_is_read_by_the_time(shared: str, open_page: Open) -> None:
    """At one time runs are at different steps: the tooltip names none."""
    dashboard = open_page(shared)
    dashboard.option("Compare runs by").select_option("Total")
    dashboard.option("X axis").select_option("Relative time")
    title = "Total across runs"
    expect(
        dashboard.card(title).get_by_role("group", name=re.compile("since the start"))
    ).to_be_visible()
    point_at(dashboard.plot(title), 0.5)
    caption = dashboard.frame.get_by_role("tooltip").get_by_role("caption")
    expect(caption).to_have_text(re.compile(r"^[\d.e-]+ s$"))
