"""Bands are where their numbers put them, to the pixel."""

import io
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, in_both_themes, wait_for_runs
from tests.browser.gestures import drag, pixels, until_it_passes
from tests.browser.logs import write_long_run
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

pytestmark = in_both_themes

STEPS = 101
TERMS = ("rising", "falling", "steady")
SVG = "{http://www.w3.org/2000/svg}"


def values(step: np.ndarray) -> dict[str, np.ndarray]:
    """What the run recorded: smooth, so that each pixel's neighbours are close."""
    return {
        "data": 2 + np.cos(step / 20),
        "rising": 0.5 + step / 50,
        "falling": 1.5 - step / 100,
        "steady": np.full_like(step, 0.4),
    }


def write_run(directory: Path) -> None:
    """A run of known values."""
    with Writer(directory) as writer:
        for step in range(STEPS):
            at = {name: float(value) for name, value in values(np.array(step, np.float64)).items()}
            writer.write(step, at.pop("data"), {Term(name): at[name] for name in TERMS})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_run(log_dir / "run")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 1)
        yield address


def check_bands(dashboard: Dashboard, shown: list[str], *, is_under_total: bool = False) -> None:
    """Waits until the drawn edges of each band, from bottom to top, are those of the values."""
    until_it_passes(lambda: _check_bands(dashboard, shown, is_under_total))


def _check_bands(dashboard: Dashboard, shown: list[str], is_under_total: bool) -> None:
    card = dashboard.card("run")
    name = card.get_by_role("group", name=re.compile("Arrow keys pan")).get_attribute("aria-label")
    first, last = (int(part) for part in re.findall(r"step (\d+) to (\d+)", name or "")[-1])
    colours = {term: np.array(dashboard.colour("run", term)) for term in shown}
    picture = pixels(dashboard.plot("run")).astype(int)
    height, width = picture.shape[:2]
    steps = np.arange(STEPS, dtype=float)
    in_range = steps[(steps >= first) & (steps <= last)]
    whole = sum(values(in_range)[term] for term in shown)
    # The axis has a twentieth of room over the highest sum, as model/ranges.ts says.
    top = 1.05 * float(np.max(whole))
    for column in range(30, width - 30, 37):
        step = np.float64(first + (column + 0.5) / width * (last - first))
        ground = 0.0
        for term in shown:
            ceiling = ground + float(np.interp(step, steps, values(steps)[term]))
            expected = height * (1 - np.array([ceiling, ground]) / top)
            rows = np.flatnonzero((picture[:, column] == colours[term]).all(axis=1))
            assert len(rows) > 0, f"{term} at step {step:.1f}"
            # Pixels that an edge crosses are mixed: the first pure one is half a pixel further.
            edges = rows.min() - 0.5, rows.max() + 1.5
            # The total's line, where it is shown, covers the highest edge.
            slack = 2.5 if is_under_total and term == shown[-1] else 1.0
            assert edges[0] == pytest.approx(expected[0], abs=slack), (term, column)
            assert edges[1] == pytest.approx(expected[1], abs=1.0), (term, column)
            ground = ceiling


def test_edges_are_where_the_values_are(shared: str, open_page: Open) -> None:
    """Before and after zooming, hiding, showing, isolating and another order."""
    dashboard = open_page(shared)
    card = dashboard.card("run")
    # The largest terms are at the bottom; the data loss lies on them.
    check_bands(dashboard, ["rising", "falling", "steady", "data"], is_under_total=True)
    dashboard.term("run", "total").click()
    check_bands(dashboard, ["rising", "falling", "steady", "data"])
    drag(dashboard.plot("run"), 0.25, 0.65)
    expect(card.get_by_role("button", name="Reset zoom")).to_be_visible()
    check_bands(dashboard, ["rising", "falling", "steady", "data"])
    dashboard.term("run", "rising").click()
    check_bands(dashboard, ["falling", "steady", "data"])
    card.get_by_role("button", name="Reset zoom").click()
    expect(card.get_by_role("button", name="Reset zoom")).to_have_count(0)
    check_bands(dashboard, ["falling", "steady", "data"])
    dashboard.term("run", "rising").click()
    dashboard.option("Order").select_option("Name")
    check_bands(dashboard, ["falling", "rising", "steady", "data"])
    dashboard.term("run", "rising").click(modifiers=["Shift"])
    check_bands(dashboard, ["rising"])


def test_edges_with_the_data_loss_at_the_bottom(shared: str, open_page: Open) -> None:
    """The same bands, put up the other way round: also zoomed, and after its link was opened."""
    dashboard = open_page(shared)
    order = dashboard.option("Stack order")
    order.select_option("Data loss at the bottom")
    bands = ["data", "rising", "falling", "steady"]
    check_bands(dashboard, bands, is_under_total=True)
    dashboard.term("run", "total").click()
    check_bands(dashboard, bands)
    drag(dashboard.plot("run"), 0.25, 0.65)
    expect(dashboard.card("run").get_by_role("button", name="Reset zoom")).to_be_visible()
    check_bands(dashboard, bands)
    expect(dashboard.page).to_have_url(re.compile(r"stackOrder=data"))
    dashboard.page.reload()
    check_bands(dashboard, bands)
    dashboard.option("Stack order").select_option("Penalties at the bottom")
    check_bands(dashboard, ["rising", "falling", "steady", "data"])


def test_a_figure_has_its_edges_where_the_values_are(shared: str, open_page: Open) -> None:
    """Each is drawn once, as the upper one of what reaches to zero; no seam is between them."""
    dashboard = open_page(shared)
    names = ["rising", "falling", "steady", "data"]
    with dashboard.page.expect_download() as info:
        dashboard.menu("run", "SVG figure")
    svg = info.value.path().read_text()
    figure = ET.fromstring(svg)
    keys = [
        key for key in figure.iter(f"{SVG}rect") if key.get("width") == key.get("height") == "12"
    ]
    colours = [list(bytes.fromhex(key.get("fill", "").removeprefix("#"))) for key in keys]
    plot = figure.find(f"{SVG}clipPath/{SVG}rect")
    assert plot is not None
    left, top, width, height = (int(plot.get(key, "")) for key in ("x", "y", "width", "height"))
    dashboard.page.goto("about:blank")
    dashboard.page.set_content(f"<body style='margin: 0'>{svg}")
    picture = np.asarray(Image.open(io.BytesIO(dashboard.page.screenshot())).convert("RGB"))
    picture = picture[top : top + height, left : left + width].astype(int)
    steps = np.arange(STEPS, dtype=float)
    all_values = values(steps)
    scale = height / (1.05 * float(np.max(sum(all_values.values()))))
    for column in range(30, width - 30, 37):
        step = (column + 0.5) / width * (STEPS - 1)
        heights = [float(np.interp(step, steps, all_values[name])) for name in names]
        edges = height - scale * np.cumsum([0.0, *heights])
        for bottom, ceiling, colour in zip(edges, edges[1:], colours, strict=False):
            # Pixels that an edge or the total's line crosses are of several colours.
            rows = picture[math.ceil(ceiling + 1.5) : math.floor(bottom - 0.5), column]
            assert (rows == colour).all(), column


SPIKE = 7_003


@pytest.fixture(scope="module")
def spiky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """20,000 steps of a noisy data loss, and a penalty that is 4 instead of 0.25 at one step."""
    log_dir = tmp_path_factory.mktemp("spiky")
    write_long_run(log_dir / "run", spike=SPIKE)
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 1)
        yield address


@pytest.mark.parametrize("view", ["Stack", "100 %", "Lines", "Ratio", "Small multiples"])
def test_one_step_of_20_000_is_seen_at_full_strength(
    spiky: str, open_page: Open, view: str
) -> None:
    """In its term's colour, as wide as a line, and far above what is around."""
    dashboard = open_page(spiky)
    colour = np.array(dashboard.colour("run", "dense/kernel"))
    dashboard.view(view)
    plots = dashboard.card("run").locator(".chart-area")
    # The second of the small charts after the total and the data loss.
    picture = pixels(plots.nth(2) if view == "Small multiples" else plots).astype(int)
    # A thin line between two rows of pixels is of its own colour in neither, but between that and
    # the page's.
    page = picture[2, 2]
    share = (picture - page) @ (colour - page) / ((colour - page) ** 2).sum()
    is_between = (np.abs(picture - page - share[..., None] * (colour - page)) < 12).all(axis=2)
    is_term = is_between & (share > 0.4)
    at = round(SPIKE / 20_000 * picture.shape[1])
    highest = np.where(is_term.any(axis=0), is_term.argmax(axis=0), picture.shape[0])
    around = highest[[*range(at - 30, at - 5), *range(at + 5, at + 30)]]
    spike = highest[at - 3 : at + 4]
    assert (spike < np.median(around) - 40).sum() >= 2
    # Where a thin line is steep, no pixel of a column is all of its colour.
    around = around[around < picture.shape[0]]
    assert around.max() - around.min() <= 20


def test_one_step_of_20_000_is_seen_in_the_heat_strip(spiky: str, open_page: Open) -> None:
    """Its cell has the shade of the share that the step itself had."""
    dashboard = open_page(spiky)
    dashboard.view("Heat strip")
    expect(dashboard.chart("run")).to_have_accessible_name(re.compile("Heat strip"))
    picture = pixels(dashboard.plot("run")).astype(int)
    row = picture[int(picture.shape[0] * 5 / 6)].sum(axis=1)
    at = round(SPIKE / 20_000 * len(row))
    usual = np.median(row)
    assert (np.abs(row[at - 3 : at + 4] - usual) > 50).sum() >= 2
    assert (np.abs(np.delete(row, range(at - 3, at + 4)) - usual) < 50).all()


def test_noise_moves_no_penalty_and_fades_with_smoothing(spiky: str, open_page: Open) -> None:
    """Bands under a noisy data loss are smooth; the noise is named until it is smoothed away."""
    dashboard = open_page(spiky)
    note = dashboard.legend("run").get_by_text("between minimum and maximum")
    expect(note).to_be_visible()
    kernel = np.array(dashboard.colour("run", "dense/kernel"))
    picture = pixels(dashboard.plot("run"))
    at = round(SPIKE / 20_000 * picture.shape[1])
    is_term = (picture == kernel).all(axis=2)
    edges = np.delete(is_term.argmax(axis=0), range(at - 3, at + 4))[2:-2]
    assert edges.max() - edges.min() <= 1
    dashboard.frame.get_by_role("slider", name="Smoothing").fill("0.95")
    expect(note).to_have_count(0)
