"""Runs that were restarted, as a person sees it, in a real browser on a real TensorBoard."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, in_both_themes, wait_for_runs
from tests.browser.gestures import drawing, point_at, settle
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

KERNEL = Term("kernel", kind="l2", strength=0.01)
STRONGER = Term("kernel", kind="l2", strength=0.1)
STEPS = 1_500


def write(directory: Path, *parts: tuple[range, Term]) -> None:
    """Trains by parts, each of them a program of its own."""
    for steps, kernel in parts:
        with Writer(directory) as writer:
            for step in steps:
                writer.write(step, 3.0 - step / STEPS, {kernel: 1.0})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for all tests, which only look."""
    log_dir = tmp_path_factory.mktemp("restarts")
    write(log_dir / "back", (range(1_200), KERNEL), (range(1_000, STEPS), KERNEL))
    write(log_dir / "often", *((range(30 * i, 30 * i + 60), KERNEL) for i in range(50)))
    write(log_dir / "on", (range(750), KERNEL), (range(750, STEPS), STRONGER))
    write(log_dir / "plain", (range(STEPS), KERNEL))
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 4)
        yield address


def test_the_legend_says_where_a_run_was_restarted(shared: str, open_page: Open) -> None:
    """What overwrote nothing only goes on; many restarts are a few words."""
    dashboard = open_page(shared)
    for run, words in {
        "back": "went back to step 1,000 from 1,199",
        "on": "continued at step 750",
        "often": "went back 49 times, first at step 30",
    }.items():
        expect(dashboard.legend(run).get_by_text(words, exact=True)).to_be_visible()
    expect(dashboard.legend("plain")).not_to_contain_text("step")


@in_both_themes
def test_a_quiet_mark_stands_on_the_axis(shared: str, open_page: Open, theme: str) -> None:
    """At the step from which on another writer's rows are shown, and nowhere else."""
    dashboard = open_page(shared)
    quiet = (97, 97, 97) if theme == "light" else (189, 189, 189)
    for run, step in (("back", 1_000), ("plain", None)):
        chart, area = dashboard.chart(run), dashboard.plot(run)
        expect(chart).to_be_visible()
        settle(chart)
        image, outer, box = drawing(chart), chart.bounding_box(), area.bounding_box()
        assert outer is not None
        assert box is not None
        # A few pixels above the axis.
        row = image[round(box["y"] - outer["y"] + box["height"]) - 9, :, :3]
        left = round(box["x"] - outer["x"])
        inside = row[left : left + round(box["width"])]
        marked = np.flatnonzero((inside == quiet).all(axis=1))
        if step is None:
            assert len(marked) == 0
        else:
            assert len(marked) == 2
            assert abs(marked.mean() + 0.5 - box["width"] * step / (STEPS - 1)) <= 1.5


def test_pointing_at_a_mark_reads_it(shared: str, open_page: Open) -> None:
    """And away from it there is nothing to read."""
    dashboard = open_page(shared)
    point_at(dashboard.plot("back"), 1_000 / (STEPS - 1))
    tooltip = dashboard.frame.get_by_role("tooltip")
    expect(tooltip).to_contain_text("went back to step 1,000 from 1,199")
    point_at(dashboard.plot("back"), 0.5)
    expect(tooltip).to_contain_text("step 7")
    expect(tooltip).not_to_contain_text("went back")


def test_the_overview_says_which_runs_went_back(shared: str, open_page: Open) -> None:
    """Beside the number of their steps."""
    dashboard = open_page(shared)
    table = dashboard.frame.get_by_role("table", name="Runs", exact=True)
    title = "Went back to an earlier step once, as from a checkpoint"
    expect(table.get_by_title(title)).to_have_text("↶ 1,500")
    expect(table.get_by_title("Went back to an earlier step 49 times")).to_have_count(1)
    expect(table.get_by_text("↶")).to_have_count(2)


def test_a_changed_strength_is_told_from_first_to_last(shared: str, open_page: Open) -> None:
    """In the headline and in the legend."""
    dashboard = open_page(shared)
    headline = dashboard.card("on").get_by_text("strength 0.01 → 0.1, changed at step 750")
    expect(headline).to_be_visible()
    expect(dashboard.term("on", "kernel")).to_contain_text("l2 0.01 → 0.1")


def test_a_headline_is_exact_however_many_steps_a_pixel_holds(shared: str, open_page: Open) -> None:
    """The first data loss is that of the first step, and the largest share that of one step."""
    dashboard = open_page(shared)
    data = 3.0 - np.arange(STEPS) / STEPS
    share = 1 / (1 + data)
    headline = f"data loss {data[0]:.4g} → {data[-1]:.4g} · penalties {share[-1]:.1%}"
    expect(dashboard.card("plain")).to_contain_text(headline.replace("%", "\u00a0%"))
    expect(dashboard.card("plain").locator("header")).not_to_contain_text("≈")


def test_a_saved_figure_says_where_a_run_was_restarted(shared: str, open_page: Open) -> None:
    """In the words of the legend."""
    dashboard = open_page(shared)
    with dashboard.page.expect_download() as info:
        dashboard.menu("back", "SVG figure")
    assert ">went back to step 1,000 from 1,199<" in info.value.path().read_text()
