"""The table of runs: its numbers, and how often recordings are read for it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_regplugin.command_line import main
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.reading import overview, source
from tb_regplugin.reading.aggregates import Digests
from tb_regplugin.reading.overview import Figures, figures
from tb_regplugin.reading.runs import pair
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Contents, Store
from tb_regplugin.reading.strengths import strength_of
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import GRADIENT_ROLES, Layout, Role, Term
from tests.fake_provider import FakeProvider
from tests.logs import DATA, LAYOUT, recording_events, write_events, write_recording

ROLES: tuple[Role, ...] = (
    "total", "data", "data", "penalty", "penalty", "unexplained", "implicit", "unused", "inside",
)  # fmt: skip
TERMS = tuple(Term(f"term {i}", role=role) for i, role in enumerate(ROLES))
VALUES = st.one_of(
    st.integers(-1, 4).map(float), st.sampled_from([math.nan, math.inf, -math.inf, 0.5, 1e38])
)


def _contents(terms: tuple[Term, ...], rows: list[list[float | None]]) -> Contents:
    """Returns what a recording of these rows holds; None where a term was not recorded."""
    values = np.array([[math.nan if v is None else v for v in row] for row in rows], np.float32)
    recorded = np.array([[v is not None for v in row] for row in rows])
    steps = np.arange(len(rows))
    table = Table(
        terms, steps, steps.astype(np.float64), values.T.copy(), np.arange(len(rows) + 1), recorded
    )
    return Contents(table, Digests(), (), "")


def _expected(roles: list[Role], rows: list[list[float | None]]) -> tuple[float | None, ...]:
    """Returns data loss, first and last, and share, largest and last, one number at a time."""
    losses: list[float] = []
    shares: list[float | None] = []
    for row in rows:
        told = [(role, value) for role, value in zip(roles, row, strict=True) if value is not None]
        data = [value for role, value in told if role == "data"]
        parts = [value for role, value in told if role in ("data", "penalty")]
        if data and math.isfinite(sum(data)):
            losses.append(sum(data))
        total = next((value for role, value in told if role == "total"), None)
        if total is None and ("total" in roles or "data" in roles) and parts:
            total = sum(parts)
        is_share = (
            total is not None
            and 0 < total < math.inf
            and all(part >= 0 for part in parts)
            and sum(parts) <= total * 1.001
        )
        penalties = sum(value for role, value in told if role == "penalty")
        shares.append(penalties / total if is_share and total else None)
    known = [share for share in shares if share is not None]
    return (
        losses[0] if losses else None,
        losses[-1] if losses else None,
        max(known, default=None),
        shares[-1],
    )


@given(st.data())
def test_the_numbers_are_those_of_each_row_by_itself(data: st.DataObject) -> None:
    """Whatever is recorded or not, and in which rows."""
    terms = data.draw(st.lists(st.sampled_from(TERMS), unique=True, min_size=1).map(tuple))
    row = st.lists(st.one_of(st.none(), VALUES), min_size=len(terms), max_size=len(terms))
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    found = figures(_contents(terms, rows))
    numbers = (found.data_first, found.data_last, found.share_largest, found.share_last)
    rounded = [[None if v is None else float(np.float32(v)) for v in row] for row in rows]
    expected = _expected([term.role for term in terms], rounded)
    for number, right in zip(numbers, expected, strict=True):
        assert number == (None if right is None else pytest.approx(right, rel=1e-6))
    assert found.steps == len(rows)
    assert found.problem is None


def test_terms_that_are_no_summands_count_neither_as_penalties_nor_as_loss() -> None:
    """However large they are."""
    outside = (Term("a", role="implicit"), Term("b", role="unused"), Term("c", role="inside"))
    found = figures(_contents((DATA, Term("k"), *outside), [[3, 1, 50, 60, 70]]))
    assert (found.data_last, found.share_largest, found.share_last) == (3, 0.25, 0.25)


def test_a_recording_without_rows_has_no_numbers() -> None:
    """And no steps."""
    nothing = np.zeros((1, 0), np.float32)
    steps, times = np.empty(0, np.int64), np.empty(0)
    table = Table((DATA,), steps, times, nothing, np.zeros(1, np.int64), np.empty((0, 1), bool))
    assert figures(Contents(table, Digests(), (), "")) == Figures()


@pytest.mark.parametrize(
    ("terms", "strength"),
    [
        ([], None),
        ([Term("a", kind="custom")], None),
        ([Term("a", kind="l2", strength=0.01), Term("b", kind="l2", strength=0.01)], 0.01),
        ([Term("a", kind="l2", strength=0.01), Term("b", kind="l2", strength=1e-4)],
         "l2 0.0001–0.01"),
        ([Term("a", kind="l1_l2", strength=(0.1, 0.2)), Term("b", kind="l2", strength=0.2)],
         "l1 0.1, l2 0.2"),
        ([Term("a", strength=0.5), Term("b", role="unused", strength=1.0)], 0.5),
    ],
)  # fmt: skip
def test_strengths_are_one_number_or_those_of_each_kind(
    terms: list[Term], strength: float | str | None
) -> None:
    """Those of terms that reach no loss do nothing."""
    assert strength_of(terms) == strength


def test_a_validation_is_in_the_row_of_its_training() -> None:
    """Beside it, as callbacks write it, or below it; of the same name, and else for itself."""
    runs = ("train", "validation", "a/train", "a/validation", "b", "b/validation", "c/validation")
    keys = [(run, "losses") for run in (*runs, "my_validation")]
    rows = pair([*keys, ("a/validation", "other")])
    assert {run: found and found[0] for (run, _), found in rows.items()} == {
        "train": "validation", "a/train": "a/validation", "b": "b/validation",
        "c/validation": None, "my_validation": None, "a/validation": None,
    }  # fmt: skip
    assert pair([(".", "losses"), ("validation", "losses")]) == {
        (".", "losses"): ("validation", "losses")
    }


@pytest.fixture
def provider() -> FakeProvider:
    """Returns a provider with three trainings, the first of them with a validation."""
    made = FakeProvider()
    for i, run in enumerate(("a/train", "a/validation", "b", "c")):
        made.add(recording_events([0, 1], [[4, 3, 1], [2 + i, 1 + i, 1]]), run)
    return made


def _ask(plugin: RegularizationPlugin, **query: Any) -> Any:
    response = Client(plugin.get_plugin_apps()["/overview"]).get(query_string=query)
    assert response.status_code == 200
    return json.loads(response.data)


def _plugin(provider: FakeProvider, cache_bytes: int | None = None) -> RegularizationPlugin:
    return RegularizationPlugin(base_plugin.TBContext(data_provider=provider), cache_bytes)


def test_rows_come_with_their_validations(provider: FakeProvider) -> None:
    """Recordings of gradients have none."""
    gradients = Layout((Term("kernel", role=GRADIENT_ROLES[0]),))
    provider.add(recording_events([0], [[1.0]], gradients, name="losses.gradients"), "b")
    answer = _ask(_plugin(provider))
    assert answer["next"] is None
    told = [
        (row["run"], row["data_last"], row["validation_data_last"], row["share_last"])
        for row in answer["rows"]
    ]
    assert told == [("a/train", 1, 2, 0.5), ("b", 3, None, 0.25), ("c", 4, None, 0.2)]


def test_an_answer_ends_in_time_and_says_where_to_go_on(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a row at least, so that whoever goes on comes to the end."""
    monkeypatch.setattr(overview, "_SECONDS", -1.0)
    # Nothing is read together with anything else.
    monkeypatch.setattr(source, "MAX_BATCH_BYTES", 1)
    plugin = _plugin(provider)
    answers, start = [], 0
    while start is not None:
        answer = _ask(plugin, start=start)
        answers.append([row["run"] for row in answer["rows"]])
        start = answer["next"]
    assert answers == [["a/train"], ["b", "c"]]
    assert _ask(plugin, start=100) == {"rows": [], "next": None}


def test_a_recording_is_read_once_until_it_changes(provider: FakeProvider) -> None:
    """Also where there is no room to keep it: its numbers are kept."""
    plugin = _plugin(provider, cache_bytes=0)
    before = _ask(plugin)
    reads = provider.reads.copy()
    assert _ask(plugin) == before
    assert provider.reads == reads
    provider.add(recording_events([2], [[4, 3, 1]], writer="2"), "b")
    after = _ask(plugin)["rows"]
    assert [after[0], after[2]] == [before["rows"][0], before["rows"][2]]
    assert (after[1]["steps"], after[1]["data_last"]) == (3, 3)
    # The old segment and the new one of the run that changed.
    assert sum((provider.reads - reads).values()) == 2


def test_no_more_is_kept_in_memory_than_the_cache_may_hold(provider: FakeProvider) -> None:
    """One recording, where it may hold none."""
    store = Store(0)
    sizes = []
    contents = store.contents

    def watching(*asked: Any) -> Contents | None:
        found = contents(*asked)
        sizes.append(store.nbytes)
        return found

    store.contents = watching  # type: ignore[assignment, method-assign]
    overview.Overview(store).answer(TensorBoardSource(provider, None), 0)
    assert len(sizes) == 4
    assert max(sizes) == min(sizes)


def test_what_cannot_be_read_says_why_and_hides_no_other(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that fails; it is tried again the next time."""
    contents, failing = Store.contents, ["b"]

    def fail_once(self: Store, source: Any, run: str, name: str) -> Contents | None:
        if run in failing:
            raise OSError("The disk is gone.")
        return contents(self, source, run, name)

    monkeypatch.setattr(Store, "contents", fail_once)
    plugin = _plugin(provider)
    rows = _ask(plugin)["rows"]
    assert [row["problem"] for row in rows] == [None, "OSError: The disk is gone.", None]
    assert (rows[1]["steps"], rows[1]["data_last"]) == (0, None)
    failing.clear()
    assert [row["problem"] for row in _ask(plugin)["rows"]] == [None, None, None]


def test_the_command_line_prints_the_same_rows_with_their_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a list; a validation is in the row of its training there, too."""
    nan = float("nan")
    write_recording(tmp_path / "a" / "train", {0: [4, 3, 1], 1: [2, 1, 1], 2: [nan, nan, 1]})
    write_recording(tmp_path / "a" / "validation", {1: [6, 5, 1]})
    write_events(tmp_path / "b", recording_events([0], [[1, 1, 0]], LAYOUT))
    assert main(["summary", "--json", str(tmp_path)]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first == {
        "run": "a/train", "name": "losses", "strength": 0.01, "data_first": 3, "data_last": 1,
        "validation_data_last": 5, "share_largest": 0.5, "share_last": None, "steps": 3,
        "restarts": 0, "problem": None, "findings": 1, "worst_finding": "error",
    }  # fmt: skip
    assert (second["run"], second["share_last"]) == ("b", 0)
    assert (second["findings"], second["worst_finding"]) == (0, None)
