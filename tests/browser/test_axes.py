"""Time axes and smoothing, read off a run whose wall times and values are known."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import point_at
from tests.logs import LAYOUT, recording_events, write_events
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

STEPS = np.arange(101)
# Different at each step, so that a value belongs to one step alone.
DATA = 5.0 + (STEPS * 37 % 101) / 101


def write_run(directory: Path) -> None:
    """A step each second since the epoch: data loss, and a penalty of 1."""
    values = np.column_stack([DATA + 1, DATA, np.ones(len(STEPS))])
    write_events(directory, recording_events(STEPS, values, LAYOUT))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_run(log_dir / "run")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 1)
        yield address


@pytest.mark.parametrize(
    ("axis", "place"), [("Relative time", r"50\s?s|0:50"), ("Wall time", r"00:00:50")]
)
def test_a_place_on_a_time_axis_is_the_step_of_that_time(
    shared: str, open_page: Open, axis: str, place: str
) -> None:
    """Half way is the step of 50 seconds after the first, with that step's value."""
    dashboard = open_page(shared, timezone_id="UTC")
    expect(dashboard.chart("run")).to_be_visible()
    dashboard.option("X axis").select_option(axis)
    point_at(dashboard.plot("run"), 0.5)
    tooltip = dashboard.frame.get_by_role("tooltip")
    expect(tooltip.locator("caption")).to_have_text(re.compile(rf"step 50\b.*({place})"))
    expect(tooltip.get_by_role("row").filter(has_text="data")).to_contain_text(f"{DATA[50]:.4g}")


def test_smoothed_values_are_the_moving_average_of_tensorboard(
    shared: str, open_page: Open
) -> None:
    """Exponential, with the bias of its start taken out: TensorBoard's own formula."""
    dashboard = open_page(shared)
    dashboard.view("Lines")
    slider = dashboard.frame.get_by_role("slider", name="Smoothing")
    slider.fill("0.9")
    weights = 0.1 * 0.9 ** np.arange(50, -1, -1)
    smoothed = (weights * DATA[:51]).sum() / weights.sum()
    point_at(dashboard.plot("run"), 0.5)
    tooltip = dashboard.frame.get_by_role("tooltip")
    expect(tooltip.locator("caption")).to_contain_text("step 50")
    row = tooltip.get_by_role("row").filter(has_text="data")
    expect(row).to_contain_text(f"{smoothed:.4g}")
