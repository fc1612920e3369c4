"""How hard penalties pull, as views of the run that they belong to."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Dashboard, serve
from tests.browser.gestures import point_at
from tests.browser.logs import write_run_with_gradients, write_steady_run

Open = Callable[..., Dashboard]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("shared")
    write_run_with_gradients(log_dir / "pulled")
    write_steady_run(log_dir / "steady")
    with serve(log_dir, 3) as address:
        yield address


def test_pull_is_read_as_a_part_of_the_data_gradient(shared: str, open_page: Open) -> None:
    """0.1 of 1 is 10 %, 4 of 2 is 200 %; the cosine is a number."""
    dashboard = open_page(shared)
    dashboard.view("Gradient pull")
    expect(dashboard.chart("pulled")).to_have_accessible_name(re.compile("Gradients"))
    point_at(dashboard.plot("pulled"), 0.5)
    rows = dashboard.frame.get_by_role("tooltip").get_by_role("row")
    expect(rows.filter(has_text="kernel")).to_have_text(re.compile(r"kernel\s*10\s%"))
    expect(rows.filter(has_text="bias")).to_have_text(re.compile(r"bias\s*200\s%"))
    dashboard.view("Gradient cosine")
    expect(dashboard.chart("pulled")).to_have_accessible_name(re.compile("Cosine"))
    point_at(dashboard.plot("pulled"), 0.4)
    expect(rows.filter(has_text="kernel")).to_have_text(re.compile(r"kernel\s*−0.5"))
    expect(rows.filter(has_text="bias")).to_have_text(re.compile(r"bias\s*−1"))


def test_gradients_are_no_run_of_their_own(shared: str, open_page: Open) -> None:
    """They are listed in the table of the run that they belong to."""
    dashboard = open_page(shared)
    expect(dashboard.frame.get_by_role("article")).to_have_count(2)
    dashboard.view("Gradient pull")
    dashboard.frame.get_by_role("checkbox", name="Table").check()
    table = dashboard.card("pulled").get_by_role("table")
    row = table.get_by_role("row").filter(has_text="bias: data loss's gradient")
    expect(row.get_by_role("cell").first).to_have_text("2")


def test_a_run_without_gradients_says_how_to_record_them(shared: str, open_page: Open) -> None:
    """In place of its chart."""
    dashboard = open_page(shared)
    dashboard.view("Gradient pull")
    expect(dashboard.card("steady")).to_contain_text("gradients_every=1")


def test_where_no_run_has_gradients_the_views_are_not_offered(
    tmp_path: Path, open_dashboard: Open
) -> None:
    """Most people never meet them."""
    write_steady_run(tmp_path / "run")
    dashboard = open_dashboard(tmp_path, runs=1)
    expect(dashboard.frame.get_by_role("radio", name="Ratio")).to_have_count(1)
    expect(dashboard.frame.get_by_role("radio", name="Gradient pull")).to_have_count(0)


def test_a_validation_says_that_it_has_no_gradients(tmp_path: Path, open_dashboard: Open) -> None:
    """Rather than how to record them."""
    write_run_with_gradients(tmp_path / "train")
    write_steady_run(tmp_path / "validation")
    dashboard = open_dashboard(tmp_path, runs=3)
    dashboard.view("Gradient pull")
    card = dashboard.card("validation")
    expect(card).to_contain_text("Validation has no gradients")
    expect(card).not_to_contain_text("gradients_every")
