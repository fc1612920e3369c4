"""Figures and numbers as files, in a real browser on a real TensorBoard."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Download, expect

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
    bands = [path for path in root.iter(f"{SVG}path") if (path.get("d") or "").endswith("Z")]
    edges = [np.array(re.findall(r"[\d.]+", path.get("d") or ""), float)[1::2] for path in bands]
    # The upper ones come first, and each reaches a pixel under the next one, which covers it.
    heights = np.array([np.ptp(edge) for edge in edges]) - [1, 1, 0]
    np.testing.assert_allclose(heights / heights[1], [1, 1, 2], rtol=0.01)


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
