"""Figures and numbers as files, in a real browser on a real TensorBoard."""

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
from playwright.sync_api import Download, expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import drag
from tests.browser.logs import write_run_with_a_residual, write_steady_run
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_steady_run(log_dir / "steady" / "train")
    write_run_with_a_residual(log_dir / "residual")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 2)
        yield address


def download(dashboard: Dashboard, run: str, what: str) -> Download:
    """Downloads something of a run's card."""
    with dashboard.page.expect_download() as info:
        dashboard.menu(run, what)
    return info.value


def read(file: Download) -> bytes:
    """Returns what was downloaded."""
    return file.path().read_bytes()


def test_an_svg_has_legend_and_axis_labels(shared: str, open_page: Open) -> None:
    """The file is well-formed, says what a paper must say, and its bands are in proportion."""
    file = download(open_page(shared), "steady/train", "SVG figure")
    assert file.suggested_filename == "steady_train_chart.svg"
    root = ET.fromstring(read(file))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    for text in ("steady/train", "step", "loss", "total", "data", "dense/kernel", "dense/bias"):
        assert text in texts
    # The upper ones come first, and each reaches to zero under the next ones, which cover it.
    heights = np.array([np.ptp(shape[:, 1]) for shape in shapes(root)])
    np.testing.assert_allclose(heights / heights[1], [4 / 3, 1, 2 / 3], rtol=0.01)


def shapes(root: ET.Element) -> list[np.ndarray]:
    """Returns the corners of a figure's areas, ``[points, 2]``, in the order of drawing."""
    paths = [path.get("d") or "" for path in root.iter(f"{SVG}path")]
    # All but the first by their distance from the one before.
    return [
        np.array(re.findall(r"-?(?:\d+\.?\d*|\.\d+)", path), float).reshape(-1, 2).cumsum(axis=0)
        for path in paths
        if path.endswith("Z")
    ]


NOISY_TERMS = 1_000


def test_a_figure_of_1000_noisy_terms_has_less_than_2_mb(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """All are named, and what is too thin for an area of its own is said."""
    random = np.random.default_rng(0)
    terms = [Term(f"layer_{term}/kernel", kind="l2") for term in range(NOISY_TERMS)]
    with Writer(tmp_path / "run") as writer:
        for step in range(NOISY_TERMS):
            values = random.uniform(0.5, 1.5, NOISY_TERMS).tolist()
            writer.write(step, 100.0, dict(zip(terms, values, strict=True)))
    dashboard = open_dashboard(tmp_path, runs=1)
    dashboard.option("Group by").select_option("Term")
    dashboard.legend("run").get_by_role("button", name="Terms of the rest").click()
    # So many entries take a while.
    dashboard.term("run", "layer_999/kernel").wait_for(timeout=60_000)
    for view in ("Stack", "100 %"):
        dashboard.view(view)
        file = read(download(dashboard, "run", "SVG figure"))
        assert len(file) < 2_000_000, view
        root = ET.fromstring(file)
        texts = [element.text or "" for element in root.iter(f"{SVG}text")]
        assert {term.name for term in terms} <= set(texts)
        (said,) = (text for text in texts if "areas" in text)
        assert said.startswith(f"1,001 terms in {len(shapes(root)):,} areas"), view


@pytest.mark.parametrize("theme", ["dark"], indirect=True)
def test_a_png_is_a_large_picture_on_white(shared: str, open_page: Open) -> None:
    """Also in the dark: figures are printed."""
    dashboard = open_page(shared)
    dashboard.view("Lines")
    file = download(dashboard, "residual", "PNG figure")
    image = Image.open(io.BytesIO(read(file))).convert("RGB")
    assert image.width > 1000
    assert image.getpixel((1, 1)) == (255, 255, 255)
    assert len(image.resize((200, 200)).getcolors(100_000) or []) > 5


def test_csv_and_json_have_the_values_drawn(shared: str, open_page: Open) -> None:
    """What the chart shows, as it shows it: here, shares of the zoomed steps."""
    dashboard = open_page(shared)
    dashboard.view("100 %")
    dashboard.option("Group by").select_option("All penalties as one")
    dashboard.frame.get_by_role("list", name="Terms").get_by_text("penalties").first.wait_for()
    drag(dashboard.plot("steady/train"), 0.2, 0.4)
    expect(dashboard.card("steady/train").get_by_role("button", name="Reset zoom")).to_be_visible()
    dashboard.page.wait_for_load_state("networkidle")
    file = download(dashboard, "steady/train", "CSV of the values drawn")
    assert file.suggested_filename == "steady_train_chart.csv"
    rows = list(csv.reader(read(file).decode().splitlines()))
    assert rows[0] == ["step", "penalties", "data"]
    assert 15 < len(rows) < 30
    assert {tuple(row[1:]) for row in rows[1:]} == {("0.75", "0.25")}
    drawn = json.loads(read(download(dashboard, "steady/train", "JSON of the values drawn")))
    assert drawn["rows"] == [[float(cell) for cell in row] for row in rows[1:]]


def test_a_comparison_has_its_values_as_a_file(shared: str, open_page: Open) -> None:
    """One column a run."""
    dashboard = open_page(shared)
    dashboard.option("Compare runs by").select_option("Data loss")
    file = download(dashboard, "Data loss across runs", "CSV of the values drawn")
    header, first, *_ = csv.reader(read(file).decode().splitlines())
    assert header == ["step", "residual", "steady/train"]
    assert first == ["0", "1", "1"]


def test_csv_and_json_have_the_exact_rows(shared: str, open_page: Open) -> None:
    """Of the steps shown, and of all."""
    dashboard = open_page(shared)
    rows = list(
        csv.reader(
            read(download(dashboard, "steady/train", "CSV of all steps")).decode().splitlines()
        )
    )
    assert rows[0][:2] == ["step", "wall_time"]
    assert len(rows) == 101
    drag(dashboard.plot("steady/train"), 0.2, 0.4)
    expect(dashboard.card("steady/train").get_by_role("button", name="Reset zoom")).to_be_visible()
    shown = json.loads(read(download(dashboard, "steady/train", "JSON of the steps shown")))
    assert 15 < len(shown["steps"]) < 30
    assert dict(zip(shown["columns"], shown["values"][0], strict=True))["dense/kernel"] == 2.0
