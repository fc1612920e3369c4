"""Cards of runs that logged scalars and no recording, in a real browser on a real TensorBoard."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tb_regplugin.command_line import main
from tests.browser.conftest import Dashboard, in_both_themes, serve, wait_for_runs
from tests.browser.scalar_logs import (
    losses,
    write,
    write_keras,
    write_object_detection,
    write_stable_baselines,
)
from tests.tensorboard_process import get_json, start_tensorboard, wait_until

Open = Callable[..., Dashboard]

DETECTOR = "detector · Loss/total_loss"
KERAS = "keras/train · epoch_loss"
LONG = "long · Loss/total_loss"
PPO = "ppo · train/loss"


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an object detector, Keras and Stable-Baselines3 logged."""
    root = tmp_path_factory.mktemp("scalars")
    write_object_detection(root / "detector")
    write_object_detection(root / "long", 3_000)
    write_keras(root / "keras")
    write_stable_baselines(root / "ppo")
    return root


@pytest.fixture(scope="module")
def shared(log_dir: Path) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    with serve(log_dir, 5) as address:
        yield address


@pytest.fixture(scope="module", params=["true", "false"])
def loaded(log_dir: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """One of each loader, for what depends on which steps it keeps and when."""
    with start_tensorboard(log_dir, f"--load_fast={request.param}") as address:
        wait_for_runs(address, 5)
        yield address


def told(dashboard: Dashboard, name: str) -> Any:
    """Returns what a card says of its scalars."""
    return dashboard.card(name).locator(".composition")


def test_the_tab_is_there_for_scalars_that_are_called_losses(loaded: str) -> None:
    """TensorBoard's list of tabs does not wait for the look at names."""
    listing = f"{loaded}data/plugins_listing"
    wait_until(lambda: get_json(listing)["regularization"]["enabled"])


@in_both_themes
def test_what_adds_up_is_stacked(shared: str, open_page: Open) -> None:
    """As recordings are, with what is known of the steps and of the sum."""
    dashboard = open_page(shared)
    expect(told(dashboard, DETECTOR)).to_contain_text("From scalars: all 200 logged steps.")
    expect(told(dashboard, DETECTOR)).to_contain_text(re.compile(r"Adds up \(error \d\.\de-0[78]"))
    expect(dashboard.card(DETECTOR).get_by_text(re.compile(r"penalties \d"))).to_be_visible()
    penalty, data = (
        dashboard.colour(DETECTOR, f"Loss/{name}_loss")
        for name in ("regularization", "classification")
    )
    assert penalty[0] > penalty[2]
    assert data[2] > data[0]


def test_steps_that_tensorboard_left_out_are_told(loaded: str, open_page: Open) -> None:
    """How many are shown, that spikes may be missing, and the flag that keeps all."""
    dashboard = open_page(loaded)
    expect(told(dashboard, LONG)).to_contain_text(
        "1,000 of up to 3,000 steps, chosen by TensorBoard; spikes may be missing. "
        "tensorboard --samples_per_plugin scalars=0 keeps all."
    )


def test_all_steps_are_shown_where_all_are_kept(log_dir: Path, open_dashboard: Open) -> None:
    """With the flag that the card names."""
    dashboard = open_dashboard(log_dir, "--samples_per_plugin=scalars=0", runs=5)
    expect(told(dashboard, LONG)).to_contain_text("all 3,000 logged steps")


def test_what_does_not_add_up_is_lines(shared: str, open_page: Open) -> None:
    """PPO's parts have weights that nobody logged: no share of the loss is told."""
    dashboard = open_page(shared)
    card = dashboard.card(PPO)
    card.scroll_into_view_if_needed()
    expect(told(dashboard, PPO)).to_contain_text("Does not add up")
    expect(dashboard.term(PPO, "train/value_loss")).to_contain_text("its share is unknown")
    expect(card.get_by_text(re.compile("penalties"))).to_have_count(0)
    dashboard.view("100 %")
    expect(card.get_by_text("100 % needs parts that add up to the loss")).to_be_visible()


def test_parts_without_a_total_are_said_to_be_uncertain(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """There is no loss of which they could be no summand."""
    write(tmp_path / "vae", {"kl_loss": losses(1), "reconstruction_loss": losses(2)})
    dashboard = open_dashboard(tmp_path, runs=1)
    name = "vae · kl_loss + reconstruction_loss"
    expect(dashboard.term(name, "kl_loss")).to_contain_text("no total is logged")
    expect(dashboard.legend(name)).not_to_contain_text("summand")


def test_offered_weights_are_used_by_a_click_alone(shared: str, open_page: Open) -> None:
    """Until then nothing is stacked. A link keeps them."""
    dashboard = open_page(shared)
    expect(told(dashboard, KERAS)).to_contain_text("Would add up with these weights")
    expect(dashboard.term(KERAS, "epoch_box_loss")).to_contain_text("its share is unknown")
    told(dashboard, KERAS).get_by_role("button", name="Use these weights").click()
    expect(told(dashboard, KERAS)).to_contain_text("Adds up (error")
    expect(dashboard.term(KERAS, "epoch_box_loss")).not_to_contain_text("its share is unknown")
    expect(dashboard.page).to_have_url(re.compile("composition="))
    dashboard.page.reload()
    expect(told(dashboard, KERAS)).to_contain_text("Adds up (error")
    told(dashboard, KERAS).get_by_role("button", name="Undo edits").click()
    expect(told(dashboard, KERAS)).to_contain_text("Would add up with these weights")


def test_a_part_less_leaves_a_rest(shared: str, open_page: Open) -> None:
    """Roles and weights change what is drawn, and what can't be is said and can be mended."""
    dashboard = open_page(shared)
    editor = told(dashboard, DETECTOR)
    editor.get_by_role("button", name="Edit parts").click()
    editor.get_by_role("button", name="Remove Loss/localization_loss").click()
    expect(editor).to_contain_text("Leaves a rest that nobody logged")
    expect(dashboard.term(DETECTOR, "rest that nobody logged")).to_be_visible()
    weight = editor.get_by_label("Weight of Loss/classification_loss")
    dashboard.may_complain = True
    weight.fill("much")
    weight.press("Enter")
    expect(editor).to_contain_text("The weight 'much' is not a finite number.")
    weight.fill("0.5")
    weight.press("Enter")
    expect(editor.locator("code")).to_contain_text("Loss/classification_loss=0.5:data")
    expect(editor).not_to_contain_text("finite number")
    editor.get_by_label("Role of Loss/classification_loss").select_option("penalty")
    expect(editor.locator("code")).to_contain_text("Loss/classification_loss=0.5:penalty")
    editor.get_by_label("Add a part").select_option("Loss/localization_loss")
    expect(dashboard.term(DETECTOR, "Loss/localization_loss")).to_be_visible()


def test_the_line_to_paste_stores_it_for_everyone(
    tmp_path: Path, open_dashboard: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    """Quoted so that a shell takes it, and read through TensorBoard."""
    run = "it's a run"
    write_object_detection(tmp_path / run)
    dashboard = open_dashboard(tmp_path, runs=1)
    name = f"{run} · Loss/total_loss"
    editor = told(dashboard, name)
    editor.get_by_role("button", name="Edit parts").click()
    editor.get_by_label("Role of Loss/localization_loss").select_option("penalty")
    line = editor.locator("code")
    expect(line).to_contain_text("Loss/localization_loss:penalty")
    program, *arguments = shlex.split(line.inner_text())
    assert program == "tb-regplugin"
    assert main(arguments) == 0
    capsys.readouterr()
    route = f"{dashboard.address}data/plugin/regularization/recordings"
    wait_until(lambda: get_json(route)["recordings"][0]["scalars"]["stored"])
    dashboard.open("#regularization&p.regularization.table=true")
    dashboard.page.reload()
    expect(told(dashboard, name)).to_contain_text("stored in the log directory")
    penalty, other = (
        dashboard.colour(name, f"Loss/{part}_loss") for part in ("localization", "classification")
    )
    assert penalty[0] > penalty[2]
    assert other[2] > other[0]


def test_the_editor_fits_a_phone(shared: str, open_page: Open) -> None:
    """Nothing sticks out of the page."""
    dashboard = open_page(shared, viewport={"width": 360, "height": 800})
    editor = told(dashboard, DETECTOR)
    editor.get_by_role("button", name="Edit parts").click()
    editor.get_by_label("Weight of Loss/classification_loss").wait_for()
    card = dashboard.card(DETECTOR).bounding_box()
    table = editor.get_by_role("table").bounding_box()
    assert table["x"] + table["width"] <= card["x"] + card["width"]
