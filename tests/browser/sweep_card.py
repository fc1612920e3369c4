"""The card of a sweep: where it is, and what it shows and saves."""

import xml.etree.ElementTree as ET
from typing import Any

from tests.browser.conftest import Dashboard

NAME = "Sweep of strengths"
# By theme: of the losses, the grid, the axes and the page.
COLOURS = {
    "light": [(13, 71, 161), (232, 234, 237), (97, 97, 97), (255, 255, 255)],
    "dark": [(144, 202, 249), (66, 66, 66), (189, 189, 189), (48, 48, 48)],
}
SVG = "{http://www.w3.org/2000/svg}"


def card_of(dashboard: Dashboard) -> Any:
    """Returns the sweep."""
    return dashboard.frame.get_by_role("region", name=NAME, exact=True)


def chart_of(dashboard: Dashboard) -> Any:
    """Returns its picture, which takes keys."""
    return card_of(dashboard).get_by_role("group", name=NAME)


def save(dashboard: Dashboard, what: str) -> bytes:
    """Saves something of the card by its menu."""
    card_of(dashboard).get_by_label(f"More of {NAME}").click()
    with dashboard.page.expect_download() as info:
        card_of(dashboard).get_by_label(what, exact=True).click()
    return info.value.path().read_bytes()


def texts_of(svg: bytes) -> list[str | None]:
    """Returns what is written in a figure."""
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]
