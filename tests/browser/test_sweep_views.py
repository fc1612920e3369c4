"""The path, the plane and the grid of a sweep, in a real browser on a real TensorBoard."""

import csv
import io
import itertools
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, in_both_themes, serve
from tests.browser.gestures import pixels
from tests.browser.sweep_card import COLOURS, NAME, SVG, card_of, chart_of, save, texts_of
from tests.browser.sweep_logs import (
    ENDS,
    L1,
    L2,
    PAIRS,
    SEEDS,
    STEPS,
    loss_of_pair,
    run_name,
    values_of,
    write_grid,
)
from tests.browser.test_access import violations

Open = Callable[..., Dashboard]

# What is said of a view that was drawn.
SAID = {"Path": "Norms are not recorded at strength 0", "Plane": "Not drawn, as their penalties"}
# TensorBoard's colours of runs that the strengths 0.0001 and 1 have here.
FIRST_COLOUR, LAST_COLOUR = (18, 181, 203), (147, 52, 230)


@pytest.fixture(scope="module")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard on a sweep of two strengths at once, for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("grid")
    with serve(log_dir, write_grid(log_dir)) as address:
        yield address


def choose(dashboard: Dashboard, view: str) -> None:
    """Chooses a view of the sweep, and waits for it."""
    card_of(dashboard).get_by_role("radio", name=view).check()
    expect(card_of(dashboard).get_by_text(SAID[view])).to_be_visible()


def norm_of(strength: float, seed: int, rows: slice = slice(-STEPS // 10, None)) -> float:
    """Returns the norm that the penalties of a run are made of, as NumPy has it."""
    training = values_of(strength, seed)[0]
    # Penalties are λ ÷ (λ + 0.01) of the data loss, and λ · ‖w‖².
    return float(np.sqrt(np.mean(training[rows]) / (strength + 0.01)))


def way_of(strength: float, seed: int) -> list[tuple[float, float]]:
    """Returns penalty ÷ λ and the data loss over 32 equal parts of a run."""
    training = values_of(strength, seed)[0]
    cuts = [STEPS * part // 32 for part in range(33)]
    means = [float(np.mean(training[low:high])) for low, high in itertools.pairwise(cuts)]
    return [(mean / (strength + 0.01), mean) for mean in means]


def test_the_path_has_the_norms_of_each_strength(sweep: str, open_page: Open) -> None:
    """As NumPy has them of what was written; of no penalty, none is known, and that is said."""
    dashboard = open_page(sweep)
    choose(dashboard, "Path")
    table = card_of(dashboard).get_by_role("table", name="Strengths")
    expect(table.get_by_role("columnheader").nth(2)).to_have_text("‖w‖₂ dense/kernel")
    for row, strength in zip(table.locator("tbody tr").all(), ENDS, strict=True):
        cell = row.get_by_role("cell").nth(1).inner_text()
        norms = [norm_of(strength, seed) for seed in range(SEEDS)]
        if strength == 0:
            assert cell == "–"
        else:
            numbers = [float(text) for text in re.findall(r"[\d.]+", cell)]
            assert numbers == pytest.approx([np.mean(norms), min(norms), max(norms)], rel=1e-3)
    texts = texts_of(save(dashboard, "SVG figure"))
    for text in (NAME, "‖w‖₂", "strength", "dense/kernel", "not recorded"):
        assert text in texts
    rows = list(csv.DictReader(io.StringIO(save(dashboard, "CSV of the values drawn").decode())))
    runs = {row["run"]: row["‖w‖₂ dense/kernel"] for row in rows}
    assert runs[f"{run_name(0, 0)}/train"] == ""
    assert float(runs[f"{run_name(1, 2)}/train"]) == pytest.approx(norm_of(1, 2), rel=1e-6)


def test_a_link_keeps_the_view_and_keys_read_it(sweep: str, open_page: Open) -> None:
    """Also after a reload; Enter shows the run alone."""
    dashboard = open_page(sweep)
    choose(dashboard, "Path")
    expect(dashboard.page).to_have_url(re.compile("sweepView=path"))
    dashboard.page.reload()
    expect(card_of(dashboard).get_by_role("radio", name="Path")).to_be_checked()
    expect(card_of(dashboard).get_by_text("Norms are not recorded")).to_be_visible()
    chart = chart_of(dashboard)
    chart.press("End")
    run = f"{run_name(1, SEEDS - 1)}/train"
    norm = f"{norm_of(1, SEEDS - 1):.4g}"
    expect(chart.get_by_role("status")).to_have_text(
        re.compile(rf"^{run}, strength 1: ‖w‖₂ dense/kernel {norm}; ")
    )
    expect(chart.get_by_role("tooltip")).to_contain_text("‖w‖₂ dense/kernel")
    chart.press("Enter")
    expect(dashboard.frame.get_by_role("article")).to_have_count(1)
    expect(dashboard.card(run)).to_be_visible()


@in_both_themes
def test_trajectories_end_where_their_numbers_are(sweep: str, open_page: Open, theme: str) -> None:
    """To the pixel: hollow where they begin, filled where they end, seeds in one colour."""
    dashboard = open_page(sweep)
    choose(dashboard, "Plane")
    picture = pixels(card_of(dashboard).get_by_role("img").first).astype(int)
    _, grid, _, page = map(np.array, COLOURS[theme])
    is_grid = (picture == grid).all(axis=2)
    # Lines of the grid begin or end a few pixels outside of the axes.
    rows = np.flatnonzero(is_grid.sum(axis=1) > 400)
    columns = np.flatnonzero(is_grid.sum(axis=0) > 100)
    across = np.flatnonzero(is_grid[rows[0]])
    down = np.flatnonzero(is_grid[:, columns[0]])
    left, right, top, bottom = across[0] + 4, across[-1], down[0], down[-1] - 4
    ways = {
        (strength, seed): np.log10(way_of(strength, seed))
        for strength in ENDS
        for seed in range(SEEDS)
        if strength > 0
    }
    places = np.concatenate(list(ways.values()))
    # A twentieth of room, as model/ranges.ts has it.
    low, high = places.min(axis=0), places.max(axis=0)
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)

    def near(place: Any) -> Any:
        share = (place - low) / (high - low)
        x = left + share[0] * (right - left)
        y = bottom - share[1] * (bottom - top)
        return picture[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2]

    last = (1.0, SEEDS - 1)
    assert (near(ways[last][-1]) == LAST_COLOUR).all()
    assert (near(ways[last][0]) == page).all()
    for seed in range(SEEDS):
        # Each seed's dot that is drawn over another's rounds its colour again.
        assert np.abs(near(ways[1e-4, seed][-1]) - FIRST_COLOUR).max() <= SEEDS


def test_a_trajectory_is_read_and_saved(sweep: str, open_page: Open) -> None:
    """From its first to its last part; a click shows its run, and no corner is marked."""
    dashboard = open_page(sweep)
    choose(dashboard, "Plane")
    chart = chart_of(dashboard)
    chart.press("Home")
    way = way_of(1e-4, 0)
    told = [f"{way[0][axis]:.4g} → {way[-1][axis]:.4g}" for axis in (1, 0)]
    expect(chart.get_by_role("status")).to_have_text(
        f"{run_name(1e-4, 0)}/train, strength 0.0001: data loss {told[0]}; penalty ÷ λ {told[1]}"
    )
    rows = json.loads(save(dashboard, "JSON of the values drawn"))["rows"]
    assert len(rows) == 32 * SEEDS * (len(ENDS) - 1)
    run = f"{run_name(1, 1)}/train"
    own = [row[-2:] for row in rows if row[0] == run]
    np.testing.assert_allclose(own, way_of(1, 1), rtol=1e-5)
    texts = texts_of(save(dashboard, "SVG figure"))
    for text in ("penalty ÷ λ (log)", "data loss (log)", "λ = 0.0001", "first steps", "last steps"):
        assert text in texts
    assert not any("corner" in (text or "") for text in texts)
    table = card_of(dashboard).get_by_role("table", name="Trajectories")
    expect(table.locator("tbody tr")).to_have_count(SEEDS * (len(ENDS) - 1))
    chart.press("Home")
    chart.press("Enter")
    expect(dashboard.frame.get_by_role("article")).to_have_count(1)
    expect(dashboard.card(f"{run_name(1e-4, 0)}/train")).to_be_visible()


def contrast(one: str, other: str) -> float:
    """Returns the contrast of two colours, as WCAG has it."""

    def light(colour: str) -> float:
        channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        bright = ((channels + 0.055) / 1.055) ** 2.4
        linear = np.where(channels <= 0.04045, channels / 12.92, bright)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, bright = sorted([light(one), light(other)])
    return (bright + 0.05) / (dark + 0.05)


@in_both_themes
def test_cells_have_the_colours_of_their_means(paired: str, open_page: Open, theme: str) -> None:
    """To the pixel, as does their scale; a pair without a run has none."""
    dashboard = open_page(paired)
    said = "The training data loss is lowest at strength"
    expect(card_of(dashboard).get_by_text(said)).to_be_visible()
    picture = pixels(card_of(dashboard).get_by_role("img").first).astype(int)
    heat, _, _, page = (np.array(colour) for colour in COLOURS[theme])
    means = {
        pair: np.mean([loss_of_pair(*pair, seed) for seed in range(seeds)])
        for pair, seeds in PAIRS.items()
        if seeds
    }
    low, high = min(means.values()), max(means.values())
    used = [(picture == colour).all(axis=2) for colour in (heat, page)]
    # The darkest cell is the largest mean's: its edges tell where all cells are.
    worst = max(means, key=lambda pair: means[pair])
    row, column = L2[::-1].index(worst[1]), L1.index(worst[0])
    solid = used[0].copy()
    solid[:45] = False  # The scale.
    height, width = (np.ptp(np.flatnonzero(solid.any(axis=axis))) + 2 for axis in (1, 0))
    top = np.flatnonzero(solid.any(axis=1))[0] - row * height
    left = np.flatnonzero(solid.any(axis=0))[0] - column * width
    for (l1, l2), mean in means.items():
        y = top + L2[::-1].index(l2) * height + 5
        x = left + L1.index(l1) * width + 5
        shade = 0.08 + 0.92 * (mean - low) / (high - low)
        assert np.abs(picture[y, x] - (shade * heat + (1 - shade) * page)).max() <= 1, (l1, l2)
    missing = picture[top + 2 : top + height - 4, left + 2 * width + 2 : left + 3 * width - 4]
    assert np.abs(missing - page).max(axis=2).mean() > 1
    assert not (missing == heat).all(axis=2).any()


def test_a_grid_is_read_by_keys_and_shows_its_runs(paired: str, open_page: Open) -> None:
    """Row by row and column by column; each cell with its mean and its number of runs."""
    dashboard = open_page(paired)
    expect(card_of(dashboard).get_by_text("is lowest at strength")).to_be_visible()
    expect(card_of(dashboard).get_by_role("radio")).to_have_count(0)
    svg = save(dashboard, "SVG figure")
    texts = texts_of(svg)
    assert texts.count("2 runs") == 8
    assert texts.count("no run") == 1
    assert "mean of data loss, training" in texts
    for pair, seeds in PAIRS.items():
        losses = [loss_of_pair(*pair, seed) for seed in range(seeds)]
        assert not losses or f"{np.mean(losses):.4g}" in texts
    # Texts come after the rectangle that they are in.
    fill, contrasts = "", []
    for element in ET.fromstring(svg).iter():
        if element.tag == f"{SVG}rect" and (element.get("fill") or "").startswith("#"):
            fill = element.get("fill") or ""
        elif element.text == "2 runs":
            contrasts.append(contrast(element.get("fill") or "", fill))
    assert len(contrasts) == 8
    assert min(contrasts) >= 4.5
    chart = chart_of(dashboard)
    told = chart.get_by_role("status")
    chart.press("Home")
    expect(told).to_have_text(re.compile(r"^l1 0, l2 1: data loss, training "))
    chart.press("ArrowRight")
    chart.press("ArrowDown")
    losses = [loss_of_pair(1e-3, 0.1, seed) for seed in range(2)]
    mean = rf"{np.mean(losses):.4g} \({losses[0]:.4g} – {losses[1]:.4g}\)"
    expect(told).to_have_text(re.compile(rf"^l1 0\.001, l2 0\.1: data loss, training {mean}; "))
    expect(told).to_contain_text("l1=0.001_l2=0.1_seed=1 ")
    chart.press("Enter")
    articles = dashboard.frame.get_by_role("article")
    expect(articles).to_have_count(2)
    expect(articles.first).to_have_accessible_name("l1=0.001_l2=0.1_seed=0")
    chart.press("Enter")
    expect(articles).to_have_count(sum(PAIRS.values()))
    chart.press("ArrowUp")
    chart.press("ArrowRight")
    expect(told).to_have_text("l1 0.01, l2 1: data loss, training –")
    chart.press("Enter")
    expect(articles).to_have_count(sum(PAIRS.values()))


def test_a_click_on_a_cell_shows_its_runs(paired: str, open_page: Open) -> None:
    """Wherever in it one clicks."""
    dashboard = open_page(paired)
    chart = chart_of(dashboard)
    chart.press("Home")
    expect(chart.get_by_role("tooltip")).to_be_visible()
    chart.press("Escape")
    box = chart.bounding_box()
    # The last row begins three quarters down; its last cell ends near the right.
    dashboard.page.mouse.move(box["x"] + box["width"] - 40, box["y"] + box["height"] - 60)
    expect(chart.get_by_role("tooltip")).to_contain_text("l1 0.01, l2 0")
    dashboard.page.mouse.down()
    dashboard.page.mouse.up()
    articles = dashboard.frame.get_by_role("article")
    expect(articles).to_have_count(2)
    expect(articles.first).to_have_accessible_name("l1=0.01_l2=0_seed=0")


def test_three_strengths_at_once_are_a_list(tmp_path: Path, open_dashboard: Open) -> None:
    """A grid has two sides; what they lead to is in the table."""
    for i in range(3):
        kinds = ("l1", "l2", "activity")
        terms = [
            Term(kind, kind=kind, strength=0.1 * ((i + j) % 3 + 1))  # type: ignore[arg-type]
            for j, kind in enumerate(kinds)
        ]
        with Writer(tmp_path / f"run_{i}") as writer:
            writer.write(0, 1.0 + i, dict.fromkeys(terms, 0.5))
    dashboard = open_dashboard(tmp_path, runs=3)
    said = "More than two strengths vary at once, so their means are listed."
    expect(card_of(dashboard).get_by_text(said)).to_be_visible()
    expect(chart_of(dashboard)).to_have_count(0)
    expect(card_of(dashboard).get_by_role("rowheader")).to_have_count(3)


@in_both_themes
@pytest.mark.parametrize("width", [1400, 360])
def test_all_can_use_each_view(sweep: str, paired: str, open_page: Open, width: int) -> None:
    """Axe finds nothing, with a tooltip and the table; a phone scrolls nothing sideways."""
    for address, views in ((sweep, ("Path", "Plane")), (paired, ("Grid",))):
        dashboard = open_page(address, viewport={"width": width, "height": 900})
        dashboard.frame.get_by_role("checkbox", name="Table").check()
        expect(card_of(dashboard).get_by_text("is lowest at strength")).to_be_visible()
        for view in views:
            if view in SAID:
                choose(dashboard, view)
            chart_of(dashboard).press("End")
            expect(chart_of(dashboard).get_by_role("tooltip")).to_be_visible()
            assert violations(dashboard) == []
            root = dashboard.frame.locator("html")
            assert root.evaluate("element => element.scrollWidth <= element.clientWidth")
        image = Image.open(io.BytesIO(save(dashboard, "PNG figure"))).convert("RGB")
        assert image.getpixel((1, 1)) == (255, 255, 255)
