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
    menu = dashboard.card(run).get_by_label(f"More of {run}")
    menu.click()
    with dashboard.page.expect_download() as info:
        dashboard.card(run).get_by_text(what, exact=True).click()
    return info.value


def read(file: Download) -> bytes:
    """Returns what was downloaded."""
    return file.path().read_bytes()


def test_an_svg_has_legend_and_axis_labels(shared: str, open_page: Open) -> None:
    """The file is well-formed, says what a paper must say, and its bands are in proportion."""
    file = download(open_page(shared), "steady/train", "SVG figure")
    assert file.suggested_filename == "steady_train.svg"
    root = ET.fromstring(read(file))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    for text in ("steady/train", "step", "loss", "total", "data", "dense/kernel", "dense/bias"):
        assert text in texts
    bands = [path for path in root.iter(f"{SVG}path") if (path.get("d") or "").endswith("Z")]
    edges = [np.array(re.findall(r"[\d.]+", path.get("d") or ""), float)[1::2] for path in bands]
    heights = [np.ptp(edge) for edge in edges]
    np.testing.assert_allclose(np.array(heights) / heights[0], [1, 2, 1], rtol=0.01)


def test_a_png_is_a_large_picture_on_white(shared: str, open_page: Open) -> None:
    """Also in dark mode: figures are printed."""
    dashboard = open_page(shared, color_scheme="dark")
    dashboard.view("Lines")
    file = download(dashboard, "residual", "PNG figure")
    image = Image.open(io.BytesIO(read(file))).convert("RGB")
    assert image.width > 1000
    assert image.getpixel((1, 1)) == (255, 255, 255)
    assert len(image.resize((200, 200)).getcolors(100_000) or []) > 5


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
