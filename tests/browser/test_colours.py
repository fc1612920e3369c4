"""Terms that are shown together are told apart, in charts as in legends."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_regplugin import Writer
from tests.browser.conftest import Dashboard, in_both_themes, serve
from tests.browser.gestures import pixels, until_it_passes
from tests.browser.logs import MODELS

Open = Callable[..., Dashboard]

SHOWN = 12
ONE_BY_ONE = "#regularization&p.regularization.group=term"


def write_model(directory: Path, names: list[str], largest: range) -> None:
    """Penalties of 1 each, but for the twelve largest, which are somewhere among the others."""
    sizes = {names[place % len(names)]: 20.0 + place for place in largest}
    with Writer(directory) as writer:
        for step in range(20):
            writer.write(step, 100.0, {name: sizes.get(name, 1.0) for name in names})


def colours(dashboard: Dashboard, run: str) -> dict[str, tuple[int, ...]]:
    """Returns the colour of each penalty that has a band of its own."""
    entries = dashboard.legend(run).locator("[data-term^='penalty:']")
    expect(entries).to_have_count(SHOWN)
    return {
        str(entry.get_attribute("data-term")): tuple(
            int(part)
            for part in re.findall(
                r"\d+",
                entry.locator(".swatch").evaluate("e => getComputedStyle(e).backgroundColor"),
            )
        )[:3]
        for entry in entries.all()
    }


@pytest.fixture(scope="module", params=MODELS)
def shared(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A TensorBoard on two runs of each model, for the tests that only look."""
    log_dir, names = tmp_path_factory.mktemp("shared"), MODELS[request.param]
    # Every eighth: two rounds of a palette of eight would give all of them the same.
    for run, first in (("one", 0), ("two", 1)):
        write_model(log_dir / run, names, range(first, first + 8 * SHOWN, 8))
    with serve(log_dir, 2) as address:
        yield address


def told_apart(dashboard: Dashboard) -> dict[str, dict[str, tuple[int, ...]]]:
    """Returns the colours in each run's legend: of its own for each term, alike, and drawn."""
    shown = {run: colours(dashboard, run) for run in ("one", "two")}
    for of_run in shown.values():
        assert len(set(of_run.values())) == SHOWN
    both = shown["one"] | shown["two"]
    assert len(set(both.values())) == len(both)
    assert all(both[key] == colour for key, colour in shown["one"].items())
    picture = pixels(dashboard.plot("one")).reshape(-1, 3)
    drawn = {tuple(colour) for colour in np.unique(picture, axis=0).tolist()}
    assert set(shown["one"].values()) <= drawn
    return shown


@in_both_themes
def test_the_shown_terms_of_a_large_model_have_a_colour_each(shared: str, open_page: Open) -> None:
    """Also where their places in the model would give them one colour; and in all runs alike."""
    dashboard = open_page(shared)
    dashboard.open(ONE_BY_ONE)
    # The colours of both runs are chosen once the terms of both are there.
    shown = until_it_passes(lambda: told_apart(dashboard))
    dashboard.page.reload()

    def check() -> None:
        assert told_apart(dashboard) == shown

    until_it_passes(check)
