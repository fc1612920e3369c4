"""The sweep of strengths above all runs, in a real browser on a real TensorBoard."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, in_both_themes, serve
from tests.browser.gestures import drawing, pixels
from tests.browser.sweep_card import COLOURS, NAME, SVG, card_of, chart_of, save, texts_of
from tests.browser.sweep_logs import (
    ENDS,
    METRIC,
    SEEDS,
    run_name,
    values_of,
    write_run,
    write_uneven_sweep,
)
from tests.browser.test_access import violations

Open = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard on a sweep of one run a strength, for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("single")
    for strength in ENDS:
        write_run(log_dir, strength, 0)
    with serve(log_dir, 2 * len(ENDS)) as address:
        yield address


def means_of(strength: float) -> tuple[float, float, float]:
    """Returns the means over all seeds of those over the last tenth, as NumPy has them."""
    values = [values_of(strength, seed) for seed in range(SEEDS)]
    training, validation, metric = (
        float(np.mean([np.mean(each[part][-len(each[part]) // 10 :]) for each in values]))
        for part in range(3)
    )
    return training, validation, metric


def test_it_comes_by_itself_and_says_which_strength_is_best(sweep: str, open_page: Open) -> None:
    """Above all runs, with the means of all seeds as a table for those who see no picture."""
    dashboard = open_page(sweep)
    expect(dashboard.frame.locator("main section").first).to_have_accessible_name(NAME)
    _, best, _ = means_of(0.01)
    said = f"The validation data loss is lowest at strength 0.01: {best:.4g} "
    expect(card_of(dashboard).get_by_text(said)).to_be_visible()
    expect(card_of(dashboard).get_by_role("img").first).to_have_accessible_name(
        re.compile(re.escape(said))
    )
    rows = card_of(dashboard).get_by_role("table", name="Strengths").locator("tbody tr")
    expect(rows).to_have_count(len(ENDS))
    for row, strength in zip(rows.all(), ENDS, strict=True):
        expect(row.get_by_role("rowheader")).to_have_text(f"{strength:g}")
        cells = row.get_by_role("cell").all_inner_texts()
        assert cells[0] == f"{SEEDS}"
        training, validation, _ = means_of(strength)
        assert float(cells[1].split()[0]) == pytest.approx(training, rel=1e-3)
        assert float(cells[2].split()[0]) == pytest.approx(validation, rel=1e-3)


@in_both_themes
def test_points_are_where_their_numbers_are(single: str, open_page: Open, theme: str) -> None:
    """Training hollow, validation filled, to the pixel; zero stands behind a break."""
    dashboard = open_page(single)
    expect(card_of(dashboard).get_by_text("is lowest at strength")).to_be_visible()
    picture = pixels(card_of(dashboard).get_by_role("img").first).astype(int)
    ink, grid, text, page = map(np.array, COLOURS[theme])
    is_grid = (picture == grid).all(axis=2)
    # The lines of the strengths are the columns with most of the grid's colour.
    columns = np.flatnonzero(is_grid.sum(axis=0) > 100)
    places = dict(zip(ENDS, columns.tolist(), strict=True))
    # By decades.
    decade = places[1e-3] - places[1e-4]
    assert places[1e-2] - places[1e-3] == pytest.approx(decade, abs=1)
    assert places[1.0] - places[1e-2] == pytest.approx(2 * decade, abs=1)
    # The plot of the losses is from where the grid begins to the first axis.
    top = int(np.flatnonzero(is_grid[:, places[1e-3]])[0])
    is_axis = (picture == text).all(axis=2)
    bottom = int(np.flatnonzero(is_axis.mean(axis=1) > 0.5)[0])
    losses = {
        strength: [float(np.mean(each[-len(each) // 10 :])) for each in values_of(strength, 0)[:2]]
        for strength in ENDS
    }
    logs = np.log10([loss for each in losses.values() for loss in each])
    # A twentieth of room, as model/ranges.ts has it.
    room = 0.05 * float(np.ptp(logs))
    low, high = logs.min() - room, logs.max() + room
    for strength, pair in losses.items():
        for side, is_hollow, loss in zip((-5, 5), (True, False), pair, strict=True):
            x = places[strength] + side
            y = round(bottom - (np.log10(loss) - low) / (high - low) * (bottom - top))
            around = picture[y - 1 : y + 2, x - 1 : x + 2]
            assert (around == (page if is_hollow else ink)).all(), (strength, loss)
            # Its edge is four pixels away on each side, and between two pixels lies on both.
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                edge = [picture[y + r * dy, x + r * dx] for r in (3, 4, 5)]
                away = min(np.abs(colour - ink).sum() for colour in edge)
                assert away < 0.6 * np.abs(page - ink).sum(), (strength, loss)
    # No line crosses the break.
    middle = (places[0.0] + places[1e-4]) // 2
    crossed = picture[top : bottom - 6, middle - 2 : middle + 3]
    assert (crossed == page).all()
    assert is_grid[top:bottom, middle - 20].any()
    # Two strokes stand at it.
    assert (picture[bottom - 4 : bottom + 4, middle - 8 : middle + 8] != page).any(axis=2).sum() > 8


def test_a_metric_is_drawn_above_the_losses_and_a_link_keeps_it(
    sweep: str, open_page: Open
) -> None:
    """With its window and the strengths' source."""
    dashboard = open_page(sweep)
    card = card_of(dashboard)
    card.get_by_label("Metric").select_option(METRIC)
    _, _, best = means_of(0.01)
    said = f"{METRIC} is highest at strength 0.01: {best:.4g} "
    expect(card.get_by_text(said)).to_be_visible()
    heights = chart_of(dashboard).bounding_box()["height"]
    assert heights > 450
    card.get_by_label("Means over").select_option("All rows")
    card.get_by_label("Strengths from").select_option("Names of runs")
    expect(dashboard.page).to_have_url(
        re.compile(f"sweepMetric={METRIC}.*sweepWindow=1.*sweepFrom=names")
    )
    dashboard.page.reload()
    expect(card.get_by_text(said)).to_be_visible()
    expect(card.get_by_label("Means over")).to_have_value("1")
    expect(card.get_by_label("Strengths from")).to_have_value("names")


def test_it_folds_and_stays_so(sweep: str, open_page: Open) -> None:
    """Into a line that opens it again."""
    dashboard = open_page(sweep)
    line = card_of(dashboard).get_by_role("button", name=NAME)
    line.press("Enter")
    expect(chart_of(dashboard)).to_have_count(0)
    expect(dashboard.page).to_have_url(re.compile("sweep=folded"))
    dashboard.page.reload()
    expect(line).to_have_attribute("aria-expanded", "false")
    line.click()
    expect(chart_of(dashboard)).to_be_visible()


def test_files_have_what_was_written(sweep: str, open_page: Open) -> None:
    """A row for each run, its values as NumPy computes them from what was written."""
    dashboard = open_page(sweep)
    card_of(dashboard).get_by_label("Metric").select_option(METRIC)
    expect(card_of(dashboard).get_by_text(f"{METRIC} is highest")).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(save(dashboard, "CSV of the values drawn").decode())))
    assert len(rows) == SEEDS * len(ENDS)
    runs = {row["run"]: row for row in rows}
    for strength in ENDS:
        for seed in range(SEEDS):
            row = runs[f"{run_name(strength, seed)}/train"]
            training, validation, metric = values_of(strength, seed)
            assert float(row["strength"]) == strength
            assert float(row["last_step"]) == len(training) - 1
            assert float(row["data_loss"]) == pytest.approx(np.mean(training[-10:]), rel=1e-6)
            expected = pytest.approx(np.mean(validation[-2:]), rel=1e-6)
            assert float(row["validation_data_loss"]) == expected
            assert float(row[METRIC]) == pytest.approx(np.mean(metric[-2:]), rel=1e-6)
            share = strength / (strength + 0.01)
            assert float(row["penalty_share"]) == pytest.approx(share / (1 + share), rel=1e-5)
    drawn = json.loads(save(dashboard, "JSON of the values drawn"))
    assert len(drawn["rows"]) == len(rows)
    texts = texts_of(save(dashboard, "SVG figure"))
    for text in (NAME, METRIC, "data loss (log)", "strength", "training", "± standard error"):
        assert text in texts
    image = Image.open(io.BytesIO(save(dashboard, "PNG figure"))).convert("RGB")
    assert image.width > 1000
    assert image.getpixel((1, 1)) == (255, 255, 255)


def test_keys_go_from_run_to_run(sweep: str, open_page: Open) -> None:
    """What is read is told; Enter shows the run alone, once more all are back, Escape ends."""
    dashboard = open_page(sweep)
    chart = chart_of(dashboard)
    chart.press("ArrowRight")
    told = chart.get_by_role("status")
    training, validation, _ = values_of(0.0, 0)
    expect(told).to_have_text(
        re.compile(
            rf"^{run_name(0, 0)}/train, strength 0: "
            rf"data loss, training {np.mean(training[-10:]):.4g}; "
            rf"data loss, validation {np.mean(validation[-2:]):.4g}; "
        )
    )
    expect(chart.get_by_role("tooltip")).to_contain_text(f"{run_name(0, 0)}/train, strength 0")
    chart.press("End")
    expect(told).to_contain_text(f"{run_name(1, SEEDS - 1)}/train, strength 1")
    chart.press(",")
    expect(told).to_contain_text(f"{run_name(1, SEEDS - 2)}/train, strength 1")
    articles = dashboard.frame.get_by_role("article")
    chart.press("Enter")
    expect(articles).to_have_count(1)
    expect(articles.first).to_have_accessible_name(f"{run_name(1, SEEDS - 2)}/train")
    chart.press("Enter")
    expect(articles).to_have_count(2 * SEEDS * len(ENDS))
    chart.press("Escape")
    expect(told).to_be_empty()
    expect(chart.get_by_role("tooltip")).to_have_count(0)


def test_pointing_brings_a_run_to_the_fore_and_a_click_shows_it_alone(
    sweep: str, open_page: Open
) -> None:
    """In its card, and in the table of runs."""
    dashboard = open_page(sweep)
    chart = chart_of(dashboard)
    # Where keys put the tooltip, the run's first dot is.
    chart.press("Home")
    expect(chart.get_by_role("tooltip")).to_be_visible()
    chart.press("Escape")
    box = chart.bounding_box()
    canvas = drawing(chart.get_by_role("img").first)[..., :3].astype(int)
    ink = (np.abs(canvas - [13, 71, 161]).sum(axis=2) < 30)[40:, : canvas.shape[1] // 5]
    y, x = (int(axis[0]) for axis in np.nonzero(ink[:, 60:]))
    dashboard.page.mouse.move(box["x"] + x + 60, box["y"] + y + 40)
    tooltip = chart.get_by_role("tooltip")
    expect(tooltip).to_contain_text("strength 0")
    run = tooltip.locator("caption").inner_text().split(",")[0]
    expect(dashboard.card(run)).to_have_class(re.compile("is-highlighted"))
    row = dashboard.frame.get_by_role("table", name="Runs").locator("tr.is-highlighted")
    expect(row.get_by_role("rowheader")).to_have_text(run)
    dashboard.page.mouse.down()
    dashboard.page.mouse.up()
    expect(dashboard.frame.get_by_role("article")).to_have_count(1)
    expect(dashboard.card(run)).to_be_visible()


def test_what_is_no_run_like_others_is_marked_and_kept(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """One that ended early, and one that was lost; no line joins them without a word."""
    dashboard = open_dashboard(tmp_path, runs=write_uneven_sweep(tmp_path))
    card = card_of(dashboard)
    expect(card.get_by_text("Runs that ended before step 99")).to_be_visible()
    expect(card.get_by_text("too few to call it best")).to_be_visible()
    svg = save(dashboard, "SVG figure")
    texts = texts_of(svg)
    for text in ("runs of different lengths", "ended early, restarted or diverged", "no value"):
        assert text in texts
    assert "± standard error" not in texts
    paths = list(ET.fromstring(svg).iter(f"{SVG}path"))
    dashed = [path for path in paths if path.get("stroke-dasharray")]
    # In the legend, and from 0.0001 to 0.001 in both losses.
    assert len(dashed) == 3
    chart = chart_of(dashboard)
    chart.press("End")
    expect(chart.get_by_role("status")).to_contain_text("note NaN or infinite")


def test_strengths_in_names_do_where_recordings_tell_none(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """Of several strengths at once there is a table; where nothing differs, nothing."""
    for strength in (0.1, 0.2, 0.3):
        with Writer(tmp_path / f"lambda={strength}") as writer:
            writer.write(0, strength, {Term("kernel"): 1.0})
    dashboard = open_dashboard(tmp_path, runs=3)
    expect(card_of(dashboard).get_by_label("Strengths from")).to_have_value("names")
    expect(card_of(dashboard).get_by_text("largest that was tried")).to_have_count(0)
    card_of(dashboard).get_by_label("Strengths from").select_option("Hyperparameters")
    expect(card_of(dashboard).get_by_text("Runs of unknown or changed strength")).to_be_visible()
    expect(chart_of(dashboard)).to_have_count(0)
    expect(card_of(dashboard).get_by_role("rowheader")).to_have_text(["–"])


def test_runs_of_one_strength_are_no_sweep(tmp_path: Path, open_dashboard: Open) -> None:
    """Nothing is shown of it."""
    for seed in range(3):
        write_run(tmp_path, 0.01, seed)
    dashboard = open_dashboard(tmp_path, runs=6)
    expect(dashboard.frame.get_by_role("article").first).to_be_visible()
    dashboard.page.wait_for_load_state("networkidle")
    assert any("/sweep" in url for url in dashboard.plugin_requests())
    expect(card_of(dashboard)).to_have_count(0)


@in_both_themes
@pytest.mark.parametrize("width", [1400, 360])
def test_all_can_use_it(sweep: str, open_page: Open, width: int) -> None:
    """Axe finds nothing, with the menu open and a run read; a phone scrolls nothing sideways."""
    dashboard = open_page(sweep, viewport={"width": width, "height": 900})
    card_of(dashboard).get_by_label("Metric").select_option(METRIC)
    expect(card_of(dashboard).get_by_text(f"{METRIC} is highest")).to_be_visible()
    dashboard.frame.get_by_role("checkbox", name="Table").check()
    chart_of(dashboard).press("End")
    expect(chart_of(dashboard).get_by_role("tooltip")).to_be_visible()
    assert violations(dashboard) == []
    card_of(dashboard).get_by_label(f"More of {NAME}").click()
    assert violations(dashboard) == []
    root = dashboard.frame.locator("html")
    assert root.evaluate("element => element.scrollWidth <= element.clientWidth")
