"""What a person does to a chart."""

import base64
import io
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from PIL import Image
from playwright.sync_api import FloatRect, Locator

T = TypeVar("T")

# How long what is asked of TensorBoard may take until it is drawn.
_SECONDS_TO_DRAW = 20.0


def until_it_passes(check: Callable[[], T]) -> T:
    """Repeats a check of pixels until it passes, as ``expect`` repeats those of the document."""
    deadline = time.monotonic() + _SECONDS_TO_DRAW
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def settle(element: Locator) -> None:
    """Waits until findings have come, too, which make cards higher."""
    element.page.wait_for_load_state("networkidle")


def visible_box(chart: Locator) -> FloatRect:
    """Scrolls to a chart and returns where it is."""
    settle(chart)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    return box


def point_at(chart: Locator, share: float, height: float = 0.5) -> None:
    """Points at a share of a chart's width, and of its height from the top."""
    box = visible_box(chart)
    chart.page.mouse.move(box["x"] + share * box["width"], box["y"] + height * box["height"])


def drag(chart: Locator, begin: float, end: float) -> None:
    """Drags from one share of a chart's width to another."""
    point_at(chart, begin)
    chart.page.mouse.down()
    point_at(chart, (begin + end) / 2)
    point_at(chart, end)
    chart.page.mouse.up()


def pixels(element: Locator) -> np.ndarray:
    """Returns what an element looks like, uint8 ``[height, width, 3]``."""
    settle(element)
    element.page.mouse.move(0, 0)
    return np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB"))


def drawing(chart: Locator) -> np.ndarray:
    """Returns what was drawn on a chart's canvas, uint8 ``[height, width, 4]``."""
    chart.page.mouse.move(0, 0)
    chart.scroll_into_view_if_needed()
    url = chart.evaluate("canvas => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))
