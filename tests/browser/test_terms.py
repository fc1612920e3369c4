"""Grouping, filtering and the table of terms, in a real browser on a real TensorBoard."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_regplugin import Writer
from tests.browser.conftest import Dashboard, wait_for_runs
from tests.browser.gestures import drag, drawing, point_at
from tests.browser.logs import (
    write_run_with_many_terms,
    write_run_with_terms_beside_the_loss,
    write_steady_run,
    write_very_deep_run,
)
from tests.tensorboard_process import start_tensorboard

Open = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_run_with_many_terms(log_dir / "many")
    write_steady_run(log_dir / "steady")
    write_run_with_terms_beside_the_loss(log_dir / "beside")
    write_very_deep_run(log_dir / "very_deep")
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, 4)
        yield address


def test_many_terms_are_the_largest_and_the_rest(shared: str, open_page: Open) -> None:
    """Twelve terms have bands of their own, 288 make one; the number can be chosen."""
    dashboard = open_page(shared)
    dashboard.option("Group by").select_option("Term")
    legend = dashboard.legend("many")
    expect(legend.locator("[data-term]")).to_have_count(2 + 12 + 1)
    expect(legend.get_by_role("button", name="288 more terms")).to_be_visible()
    top = dashboard.option("Largest terms")
    top.fill("3")
    top.press("Enter")
    expect(legend.get_by_role("button", name="297 more terms")).to_be_visible()


def test_the_rest_is_named_first_and_rows_of_a_heat_strip_can_be_read(
    shared: str, open_page: Open
) -> None:
    """However many entries a legend has; a strip is as high as its rows need."""
    dashboard = open_page(shared)
    dashboard.option("Group by").select_option("Term")
    entries = dashboard.legend("many").locator("[data-term]")
    expect(entries.nth(1)).to_have_text(re.compile("288 more terms"))
    dashboard.view("Heat strip")
    top = dashboard.option("Largest terms")
    top.fill("0")
    top.press("Enter")
    expect(entries).to_have_count(1 + 300)
    height = dashboard.plot("many").evaluate("element => element.clientHeight")
    assert height >= 12 * 301


def test_the_list_of_runs_is_resized(shared: str, open_page: Open) -> None:
    """By dragging or with keys, and stays so."""
    dashboard = open_page(shared)
    runs = dashboard.frame.get_by_role("navigation", name="Runs")
    edge = dashboard.frame.get_by_role("separator", name="Width of the list of runs")
    edge.press("ArrowRight")
    expect(edge).to_have_attribute("aria-valuenow", "300")
    box = edge.bounding_box()
    assert box is not None
    dashboard.page.mouse.move(box["x"] + 4, box["y"] + 300)
    dashboard.page.mouse.down()
    dashboard.page.mouse.move(box["x"] + 104, box["y"] + 300)
    dashboard.page.mouse.up()
    # The list's own border is a pixel wide.
    expect(edge).to_have_attribute("aria-valuenow", "399")
    dashboard.page.reload()
    expect(edge).to_have_attribute("aria-valuenow", "399")
    assert runs.evaluate("element => element.offsetWidth") == 399


def test_many_terms_are_grouped_and_a_group_opens(shared: str, open_page: Open) -> None:
    """By the blocks in their names; the terms of one come in its place, and go again."""
    dashboard = open_page(shared)
    legend = dashboard.legend("many")
    entries = legend.locator("[data-term]")
    expect(entries).to_have_count(2 + 10)
    expect(dashboard.term("many", "block_9 30 terms")).to_be_visible()
    legend.get_by_role("button", name="Terms of block_8").click()
    expect(entries).to_have_count(2 + 9 + 30)
    # In the place of the sum, behind the larger block.
    expect(entries.nth(1)).to_have_text(re.compile("block_9"))
    expect(entries.nth(2)).to_have_text(re.compile("block_8/layer_0/kernel"))
    expect(entries.nth(32)).to_have_text(re.compile("block_7"))
    # 39 terms: beyond 24 colours, by their patterns.
    looks = "e => getComputedStyle(e).backgroundColor + getComputedStyle(e).backgroundImage"
    swatches = legend.locator("[data-term^='penalty:'] .swatch").all()
    assert len({swatch.evaluate(looks) for swatch in swatches}) == 39
    expect(dashboard.page).to_have_url(re.compile("opened=.*block_8"))
    dashboard.page.reload()
    expect(entries).to_have_count(2 + 9 + 30)
    legend.get_by_role("button", name="Terms of block_8").click()
    expect(entries).to_have_count(2 + 10)


def test_80_layers_are_ranges_that_open_to_layers_and_to_terms(
    shared: str, open_page: Open
) -> None:
    """No term is in a rest without a name; the link keeps what is open, and closing closes all."""
    dashboard = open_page(shared)
    legend = dashboard.legend("very_deep")
    entries = legend.locator("[data-term]")
    expect(entries).to_have_count(2 + 8)
    largest = legend.get_by_role("button", name="Terms of model.layers.70–79")
    expect(entries.nth(1)).to_have_text(re.compile("model.layers.70–79.*90 terms"))
    point_at(dashboard.plot("very_deep"), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows.filter(has_text="model.layers.70–79")).to_have_text(re.compile(r"79\s*720\s*22.2"))
    largest.click()
    expect(entries).to_have_count(2 + 7 + 10)
    expect(entries.nth(11)).to_have_text(re.compile("model.layers.60–69"))
    legend.get_by_role("button", name="Terms of model.layers.75").click()
    expect(entries).to_have_count(2 + 7 + 9 + 9)
    term = "model.layers.75.mlp.up_proj.weight"
    expect(dashboard.term("very_deep", term)).to_be_visible()
    point_at(dashboard.plot("very_deep"), 0.4)
    expect(rows.filter(has_text="model.layers.79")).to_have_text(re.compile(r"79\s*72\s*2.2"))
    expect(dashboard.page).to_have_url(re.compile(r"opened=.*layers\.75"))
    dashboard.page.reload()
    expect(entries).to_have_count(2 + 7 + 9 + 9)
    expect(dashboard.term("very_deep", term)).to_be_visible()
    largest.click()
    expect(entries).to_have_count(2 + 8)
    largest.click()
    expect(entries).to_have_count(2 + 7 + 10)


def test_what_is_hidden_or_alone_stays_so_in_the_parts_of_a_group(
    shared: str, open_page: Open
) -> None:
    """And a layer shown alone is shown after a reload, whatever it is in."""
    dashboard = open_page(shared)
    legend = dashboard.legend("very_deep")
    shown = legend.locator("[aria-pressed=true]")
    dashboard.term("very_deep", "model.layers.20–29").click(modifiers=["Shift"])
    expect(shown).to_have_count(1)
    legend.get_by_role("button", name="Terms of model.layers.20–29").click()
    expect(shown).to_have_count(10)
    dashboard.term("very_deep", "model.layers.24").click(modifiers=["Shift"])
    expect(shown).to_have_text(re.compile("model.layers.24"))
    expect(dashboard.page).to_have_url(re.compile(r"isolated=(?![^&]*layers\.25)[^&]*layers\.24"))
    dashboard.page.reload()
    expect(shown).to_have_text(re.compile("model.layers.24"))
    legend.get_by_role("button", name="Terms of model.layers.24").click()
    expect(shown).to_have_count(9)


def test_the_rest_opens_and_closes(shared: str, open_page: Open) -> None:
    """Each of its terms is shown then; the link keeps that, too."""
    dashboard = open_page(shared)
    dashboard.option("Group by").select_option("Term")
    legend = dashboard.legend("many")
    entries = legend.locator("[data-term]")
    expect(entries).to_have_count(2 + 12 + 1)
    rest = legend.get_by_role("button", name="Terms of the rest")
    rest.click()
    expect(entries).to_have_count(2 + 300)
    expect(dashboard.page).to_have_url(re.compile("opened="))
    dashboard.page.reload()
    expect(entries).to_have_count(2 + 300)
    rest.click()
    expect(entries).to_have_count(2 + 12 + 1)


def test_terms_are_grouped_by_an_expression(shared: str, open_page: Open) -> None:
    """By what it captures; the sums are the server's. Nonsense is said to be nonsense."""
    dashboard = open_page(shared)
    dashboard.option("Group by").select_option("Regular expression")
    dashboard.option("Group expression").fill(r"/(layer_\d)\d?/")
    expect(dashboard.term("many", "layer_0 l1, 10 terms")).to_be_visible()
    expect(dashboard.term("many", "layer_2 110 terms")).to_be_visible()
    point_at(dashboard.plot("many"), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows.filter(has_text="layer_2")).to_have_text(re.compile(r"layer_2\s*605\s*36.6"))
    dashboard.option("Group expression").fill("(")
    expect(dashboard.frame.get_by_text("Not a regular expression.")).to_be_visible()


def test_terms_are_grouped_by_layer_kind_and_all(shared: str, open_page: Open) -> None:
    """The tooltip reads the sums of the groups, and the total stays."""
    dashboard = open_page(shared)
    plot = dashboard.plot("many")
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    dashboard.option("Group by").select_option("Layer")
    button = dashboard.term("many", "block_9")
    expect(button).to_have_count(1)
    expect(button).to_be_visible()
    point_at(plot, 0.5)
    expect(rows.filter(has_text="total")).to_have_text(re.compile("1,651"))
    expect(rows.filter(has_text="block_9")).to_have_text(re.compile(r"block_9\s*300\s*18.2"))
    dashboard.option("Group by").select_option("Kind")
    expect(dashboard.term("many", "l2, 150 terms")).to_be_visible()
    point_at(plot, 0.4)
    expect(rows.filter(has_text="l2")).to_have_text(re.compile(r"l2\s*825\s*50\s%"))
    dashboard.option("Group by").select_option("All penalties as one")
    expect(dashboard.term("many", "penalties")).to_be_visible()
    point_at(plot, 0.5)
    expect(rows.filter(has_text="penalties")).to_have_text(re.compile("1,650"))


def test_what_is_no_summand_of_the_loss_is_listed_as_such(shared: str, open_page: Open) -> None:
    """In words, below the chart and in its tooltip; alone, it is drawn. Shares are those of 2."""
    dashboard = open_page(shared)
    expect(dashboard.card("beside")).to_contain_text(re.compile(r"total 2 .* penalties 50\s%"))
    for name, why in (
        ("forgotten", "l2 0.25, not in the loss"),
        ("decay", "not in the loss: the optimiser applies it"),
        ("logged", "in the loss, but not as a summand: its share is unknown"),
    ):
        expect(dashboard.term("beside", name)).to_contain_text(why)
    point_at(dashboard.plot("beside"), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows.filter(has_text="forgotten")).to_have_text(re.compile(r"forgotten\s*50$"))
    swatch = dashboard.term("beside", "logged").locator(".swatch")
    style = swatch.evaluate("element => getComputedStyle(element).color")
    colour = [int(part) for part in re.findall(r"\d+", style)[:3]]
    dashboard.term("beside", "logged").click(modifiers=["Shift"])
    expect(dashboard.term("beside", "data")).to_have_attribute("aria-pressed", "false")
    point_at(dashboard.plot("beside"), 0.5)
    expect(rows.filter(has_text="logged")).to_have_text(re.compile(r"logged\s*70$"))
    away = np.abs(drawing(dashboard.chart("beside"))[..., :3].astype(int) - colour).max(axis=-1)
    assert (away < 8).sum() > 50


def test_a_filter_shows_small_terms_too(shared: str, open_page: Open) -> None:
    """What is filtered for is shown however small it is; nonsense is said to be nonsense."""
    dashboard = open_page(shared)
    legend = dashboard.legend("many")
    dashboard.option("Show terms").fill("block_0/layer_[12]/")
    expect(legend.get_by_role("button", name="block_0/layer_1/kernel")).to_be_visible()
    expect(legend.get_by_role("button", name=re.compile("block_"))).to_have_count(2)
    expect(legend.get_by_role("button", name="data")).to_have_count(0)
    dashboard.option("Show terms").fill("(")
    expect(dashboard.frame.get_by_text("Not a regular expression.")).to_be_visible()
    expect(legend.get_by_role("button", name="data")).to_have_count(1)


def test_the_order_of_terms_is_chosen(shared: str, open_page: Open) -> None:
    """By name, the first blocks come first."""
    dashboard = open_page(shared)
    legend = dashboard.legend("steady")
    expect(legend.get_by_role("button").nth(1)).to_have_text(re.compile("kernel"))
    dashboard.option("Order").select_option("Name")
    expect(legend.get_by_role("button").nth(1)).to_have_text(re.compile("bias"))


def test_the_tooltip_is_ordered_and_limited(shared: str, open_page: Open) -> None:
    """Smallest first, three rows, and how many more there are."""
    dashboard = open_page(shared)
    dashboard.option("Group by").select_option("Term")
    dashboard.option("Tooltip order").select_option("Smallest first")
    rows = dashboard.option("Tooltip rows")
    rows.fill("3")
    rows.press("Enter")
    point_at(dashboard.plot("many"), 0.5)
    tooltip = dashboard.frame.get_by_role("tooltip")
    expect(tooltip).to_contain_text("12 more")
    expect(tooltip.get_by_role("row")).to_have_count(3)  # With the total.


def test_the_table_has_exact_figures_and_sorts(shared: str, open_page: Open) -> None:
    """Each term with what was recorded of it, for the steps shown."""
    dashboard = open_page(shared)
    dashboard.frame.get_by_role("checkbox", name="Table").check()
    region = dashboard.card("steady").get_by_role("region", name="Table of terms of steady")
    kernel = region.get_by_role("row", name="dense/kernel")
    expect(kernel.get_by_role("cell")).to_have_text(
        ["2", "2", "2", "2", re.compile(r"50\s%"), "l2", "0.01", "0.01"]
    )
    names = region.get_by_role("rowheader")
    expect(names).to_have_text(["total", "dense/kernel", "data", "dense/bias"])
    region.get_by_role("button", name="Mean").click()
    header = region.get_by_role("columnheader", name="Mean")
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(names).to_have_text(["total", "dense/kernel", "data", "dense/bias"])
    drag(dashboard.plot("steady"), 0.2, 0.4)
    expect(region.get_by_text(re.compile("Steps [12]\\d–[34]\\d"))).to_be_visible()


def test_the_table_isolates_and_has_the_charts_colours(shared: str, open_page: Open) -> None:
    """A term that is too small for a band of its own is shown alone from the table."""
    dashboard = open_page(shared)
    dashboard.option("Group by").select_option("Term")
    dashboard.frame.get_by_role("checkbox", name="Table").check()
    card = dashboard.card("many")
    card.get_by_role("button", name="block_0/layer_7/kernel").click()
    shown = card.locator(".legend [aria-pressed=true]")
    expect(shown).to_have_text(re.compile("block_0/layer_7/kernel"))
    swatches = [
        swatch.evaluate("e => getComputedStyle(e).backgroundColor")
        for swatch in (
            shown.locator(".swatch"),
            card.locator("tbody tr", has_text="block_0/layer_7/kernel").locator(".swatch"),
        )
    ]
    assert swatches[0] == swatches[1]


def test_a_term_has_one_colour_in_every_run_and_after_a_reload(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """Whatever else a run has, and wherever the term lies in it."""
    names = ["dense/kernel", "dense/bias", "conv/kernel"]
    for run, order in (("all", names), ("turned", names[::-1]), ("some", names[1:])):
        with Writer(tmp_path / run) as writer:
            writer.write(0, 1.0, {name: 1.0 + place for place, name in enumerate(order)})
    dashboard = open_dashboard(tmp_path, runs=3)
    colours = {name: dashboard.colour("all", name) for name in names}
    assert len(set(colours.values())) == len(names)
    dashboard.page.reload()
    for run, has in (("all", names), ("turned", names), ("some", names[1:])):
        assert {name: dashboard.colour(run, name) for name in has} == {
            name: colours[name] for name in has
        }


def test_long_names_are_shortened_in_the_middle(tmp_path: Path, open_dashboard: Open) -> None:
    """Both ends can be read, and the whole name is at hand."""
    name = f"encoder/{'block/' * 20}attention/kernel"
    with Writer(tmp_path / "run") as writer:
        writer.write(0, 1.0, {name: 1.0})
    dashboard = open_dashboard(tmp_path, runs=1, viewport={"width": 360, "height": 740})
    entry = dashboard.legend("run").get_by_role("button").filter(has_text="encoder")
    expect(entry).to_have_text(re.compile(r"^encoder/.*….*attention/kernel"))
    expect(entry).to_have_attribute("title", re.compile(re.escape(name)))
    dashboard.frame.get_by_role("checkbox", name="Table").check()
    expect(dashboard.card("run").get_by_role("rowheader").filter(has_text="…")).to_have_attribute(
        "title", name
    )
