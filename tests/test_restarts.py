"""Runs that were really restarted: what is told of where, and from where, they went on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_regplugin import Term, Writer
from tb_regplugin.command_line import main
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.reading.aggregates import Digests
from tb_regplugin.reading.shares import largest_share
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Layout
from tests.curves import decode_curves

KERNEL = Term("kernel", kind="l2", strength=0.01)


def _write(directory: Path, *parts: range, kernels: Sequence[Term] = (KERNEL,)) -> None:
    """Trains by parts, each of them a program of its own."""
    for i, steps in enumerate(parts):
        with Writer(directory) as writer:
            for step in steps:
                writer.write(step, 2.0 + i, {kernels[i % len(kernels)]: 0.5})


def _ask(log_dir: Path, route: str, **query: Any) -> Any:
    multiplexer = EventMultiplexer(tensor_size_guidance={"regularization": 0})
    multiplexer.AddRunsFromDirectory(str(log_dir))
    multiplexer.Reload()
    provider = MultiplexerDataProvider(multiplexer, str(log_dir))
    plugin = RegularizationPlugin(base_plugin.TBContext(data_provider=provider))
    answer = Client(plugin.get_plugin_apps()[f"/{route}"]).get(query_string=query).data
    return decode_curves(answer)[0] if route == "curves" else json.loads(answer)


def _restarts(log_dir: Path, run: str = "run") -> Any:
    return _ask(log_dir, "curves", run=run, name="losses")["restarts"]


def test_a_run_that_goes_back_to_a_checkpoint_says_from_where(tmp_path: Path) -> None:
    """Also where that happens again, before and behind the first time."""
    _write(tmp_path / "run", range(1200), range(1000, 1500))
    assert _restarts(tmp_path) == [{"step": 1000, "after": 1199}]
    _write(tmp_path / "run", range(1400, 1600))
    assert _restarts(tmp_path)[1:] == [{"step": 1400, "after": 1499}]
    _write(tmp_path / "run", range(500, 700))
    assert _restarts(tmp_path) == [{"step": 500, "after": 1599}]


def test_a_run_that_goes_on_has_overwritten_nothing(tmp_path: Path) -> None:
    """Such as by another fit with a callback of its own."""
    _write(tmp_path / "run", range(100), range(100, 200), range(210, 220))
    assert _restarts(tmp_path) == [{"step": 100, "after": 99}, {"step": 210, "after": 199}]
    (row,) = _ask(tmp_path, "overview")["rows"]
    assert (row["steps"], row["restarts"]) == (210, 0)


def test_one_writer_can_go_back_as_well(tmp_path: Path) -> None:
    """Within a block, and behind many of them."""
    with Writer(tmp_path / "run") as writer:
        for step in [*range(100), *range(90, 3000), *range(2500, 2600)]:
            writer.write(step, 1.0, {KERNEL: 0.5})
    assert _restarts(tmp_path) == [{"step": 90, "after": 99}, {"step": 2500, "after": 2999}]


def test_what_was_recorded_anew_from_its_first_step_on_was_not_restarted(tmp_path: Path) -> None:
    """Nothing is left of what was there before."""
    with pytest.warns(RuntimeWarning, match="replaces it in TensorBoard"):
        _write(tmp_path / "run", range(100), range(50))
    assert _restarts(tmp_path) == []


def test_a_sweep_tells_which_runs_were_restarted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that went back, on the command line as well as by the route."""
    _write(tmp_path / "back", range(100), range(50, 120))
    _write(tmp_path / "on", range(100), range(100, 120))
    (entry,) = _ask(tmp_path, "sweep")["strengths"]
    assert entry["restarted"] == ["back"]
    told = {point["run"]: point["restarted"] for point in entry["points"]}
    assert told == {"back": True, "on": False}
    rows = _ask(tmp_path, "overview")["rows"]
    assert {row["run"]: row["restarts"] for row in rows} == {"back": 1, "on": 0}
    assert main(["sweep", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "2~" in text
    assert "Runs that went back to an earlier step, as from a checkpoint: back." in text


def test_a_changed_strength_is_told_from_first_to_last(tmp_path: Path) -> None:
    """The last is that of the last steps, also where it had been that at first."""
    strong = Term("kernel", kind="l2", strength=0.1)
    _write(tmp_path / "run", range(10), range(10, 20), kernels=(KERNEL, strong))
    back = range(10), range(10, 20), range(20, 30)
    _write(tmp_path / "back", *back, kernels=(KERNEL, strong))
    for route in ("recordings", "curves"):
        for run, told in (("run", (0.01, 0.1)), ("back", (None, 0.01))):
            answer = _ask(tmp_path, route, run=run, name="losses")
            if route == "recordings":
                (answer,) = (each for each in answer["recordings"] if each["run"] == run)
            (column,) = (each for each in answer["columns"] if each["name"] == "kernel")
            assert (column.get("first_strength"), column["strength"]) == told


def test_a_headline_has_exact_numbers_of_any_range(tmp_path: Path) -> None:
    """However many steps a bucket holds: against NumPy, on what was written."""
    rng = np.random.default_rng(0)
    data, penalty = rng.random((2, 10_000)).astype(np.float32)
    with Writer(tmp_path / "run") as writer:
        for step in range(10_000):
            writer.write(step, data[step], {KERNEL: penalty[step]})
    shares = penalty.astype(float) / (data + penalty)
    for start, end in ((0, 9_999), (17, 9_000), (4_096, 8_191), (5, 5), (8_000, 8_200)):
        header = _ask(tmp_path, "curves", run="run", name="losses", start=start, end=end, buckets=3)
        rows = slice(start, end + 1)
        assert header["share_largest"] == pytest.approx(shares[rows].max(), rel=1e-6)
        first = {column["name"]: column["first"] for column in header["columns"]}
        assert first["data"] == data[start]
        assert first["kernel"] == penalty[start]


def test_the_largest_share_is_unknown_where_no_row_has_one() -> None:
    """And no row is looked at twice."""
    terms = (Term("total", "total"), Term("data", "data"), KERNEL)
    rows = 10_000
    values = np.full((3, rows), -1, np.float32)
    table = Table(
        terms,
        np.arange(rows),
        np.zeros(rows),
        values,
        np.array([0, rows]),
        np.ones((1, 3), bool),
        (Layout(terms),),
    )
    contents = Contents(table, Digests(), (), "")
    assert largest_share(contents, 0, rows) is None
    # What is known of rows is not worked out again.
    values[:] = [[2], [1], [1]]
    assert largest_share(contents, 0, 8_192) is None
    assert largest_share(contents, 0, rows) == 0.5
