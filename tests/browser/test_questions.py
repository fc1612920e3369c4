"""What a page must answer as it opens, before anything is clicked."""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_regplugin import Term, Writer
from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import pixels, until_it_passes
from tests.browser.logs import KERNEL, write_collapsed_run
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]


def _write_forgotten_penalty(directory: Path) -> None:
    """200 steps whose total is the data loss alone."""
    with Writer(directory) as writer:
        for step in range(200):
            data = 2.0 - step / 200
            writer.write(step, data, {KERNEL: 30.0 - step / 10}, total_loss=data)


def _write_unused_penalty(directory: Path) -> None:
    """200 steps of a term that was collected and is far above the loss."""
    unused = Term("dense/kernel", role="unused", kind="l2", strength=0.25)
    with Writer(directory) as writer:
        for step in range(200):
            data = 2.0 - step / 200
            writer.write(step, data, {unused: 50.0 - step / 10}, data)


def _write_layers(directory: Path) -> None:
    """200 steps of three layers, of which one pays most."""
    pays = {"conv/kernel": 0.1, "dense/kernel": 0.6, "head/kernel": 0.05}
    with Writer(directory) as writer:
        for step in range(200):
            terms = {Term(n, kind="l2"): p * (1 - step / 1e3) for n, p in pays.items()}
            writer.write(step, 2.0 - step / 200, terms)


def _write_spike(directory: Path) -> None:
    """20,000 noisy steps; one penalty is 4 instead of 0.25 at step 13,337."""
    noise = np.random.default_rng(0).standard_normal(20_000)
    spiked = Term("dense_2/kernel", kind="l2")
    with Writer(directory) as writer:
        for step in range(20_000):
            data = (0.2 + 2 * math.exp(-step / 4_000)) * (1 + 0.05 * noise[step])
            writer.write(
                step, data, {KERNEL: 0.1 - step / 1e6, spiked: 4.0 if step == 13_337 else 0.25}
            )


def _write_overfitting(directory: Path) -> None:
    """A training whose data loss falls, and ten validations whose data loss rises."""
    with Writer(directory / "train") as training, Writer(directory / "validation") as validation:
        for step in range(1_000):
            training.write(step, math.exp(-step / 300), {KERNEL: 0.1})
            if step % 100 == 99:
                validation.write(step, 1.0 + step / 1_000, {KERNEL: 0.1})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for all questions."""
    log_dir = tmp_path_factory.mktemp("shared")
    _write_forgotten_penalty(log_dir / "forgotten")
    _write_unused_penalty(log_dir / "unused")
    _write_layers(log_dir / "layers")
    _write_spike(log_dir / "spike")
    _write_overfitting(log_dir / "fit")
    write_collapsed_run(log_dir / "collapsed")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 7)
        yield address


def test_is_the_penalty_in_my_loss(shared: str, open_page: Open) -> None:
    """The line under the name, the first finding and its fix agree."""
    card = open_page(shared).card("forgotten")
    card.scroll_into_view_if_needed()
    headline = card.locator("header .subtitle")
    expect(headline).to_contain_text("penalties not in the total")
    expect(headline).not_to_contain_text("%")
    first = card.locator("details.findings").get_by_role("listitem").first
    expect(first).to_contain_text("the penalties are not in the total")
    expect(first.locator(".fix")).not_to_contain_text("tf.compat.v1")


def test_a_term_that_never_reached_the_loss_can_be_shown_alone(
    shared: str, open_page: Open
) -> None:
    """The line under the name says so, and its finding leads to a curve of it."""
    dashboard = open_page(shared)
    card = dashboard.card("unused")
    card.scroll_into_view_if_needed()
    expect(card.locator("header .subtitle")).to_contain_text("dense/kernel not in the loss")
    first = card.locator("details.findings").get_by_role("listitem").first
    expect(first).to_contain_text("collected but never added to the loss")
    first.get_by_role("button", name="Show only dense/kernel").click()
    expect(dashboard.term("unused", "data")).to_have_attribute("aria-pressed", "false")

    def check() -> None:
        image = pixels(dashboard.plot("unused")).astype(int)
        # Grid lines are grey; the dashed line has a colour.
        coloured = np.ptp(image, axis=2) > 60
        assert coloured.any(axis=0).mean() > 0.3
        # It goes down as the term does.
        places = [np.flatnonzero(column).mean() for column in coloured.T if column.any()]
        assert places[0] + 20 < places[-1]

    until_it_passes(check)


def test_which_layer_pays_most(shared: str, open_page: Open) -> None:
    """The first of the penalties in the legend, which have the chart's order."""
    dashboard = open_page(shared)
    dashboard.card("layers").scroll_into_view_if_needed()
    terms = dashboard.legend("layers").get_by_role("button")
    penalties = [text for text in terms.all_inner_texts() if "kernel" in text]
    assert penalties[0].startswith("dense/kernel")


def test_what_did_a_strength_of_one_do(shared: str, open_page: Open) -> None:
    """How large the penalties were, how large they are, and what that did to the data loss."""
    card = open_page(shared).card("collapsed")
    card.scroll_into_view_if_needed()
    expect(card.locator("header .subtitle")).to_contain_text(re.compile(r"penalties .*up to 99.1"))
    expect(card.locator("header .subtitle")).to_contain_text("data loss 2.503 → 2.304")
    first = card.locator("details.findings").get_by_role("listitem").first
    expect(first).to_contain_text("drove the weights to zero")
    expect(first).to_be_visible()


def test_when_was_the_spike_and_in_which_term(shared: str, open_page: Open) -> None:
    """A finding that leads there, and a mark on the x axis."""
    dashboard = open_page(shared)
    card = dashboard.card("spike")
    card.scroll_into_view_if_needed()
    first = card.locator("details.findings").get_by_role("listitem").first
    expect(first).to_contain_text("dense_2/kernel is 4 at step 13,337 only")
    expect(first).to_be_visible()
    first.get_by_role("button", name="Zoom to step 13,337").click()
    expect(card.get_by_role("group", name=re.compile("step 12,337 to 14,337"))).to_be_visible()


def test_are_train_and_validation_growing_apart(shared: str, open_page: Open) -> None:
    """The card of the training has the data loss of its validation; their gap is compared."""
    dashboard = open_page(shared)
    dashboard.card("fit/train").scroll_into_view_if_needed()
    expect(dashboard.term("fit/train", "validation data")).to_be_visible()
    dashboard.option("Compare runs by").select_option("Validation − train")
    title = "Validation − train across runs"
    expect(dashboard.chart(title)).to_have_accessible_name(f"{title}: fit/train")


def test_which_strength_should_i_choose(sweep: str, open_page: Open) -> None:
    """Said on top of all, with what lies beside it, below the picture of all strengths."""
    dashboard = open_page(sweep)
    first = dashboard.frame.locator("main section").first
    expect(first.get_by_role("img").first).to_be_visible()
    expect(first.get_by_text("lowest at strength 0.01")).to_be_in_viewport()
    expect(first.get_by_text("the mean of 3 runs")).to_be_in_viewport()
