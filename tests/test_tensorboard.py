"""A real TensorBoard process, with its data server and with its Python loader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt
import pytest
import tensorboard_data_server
from tensorboard.compat.proto import event_pb2, summary_pb2

from tb_regplugin import load
from tb_regplugin.log_format import SegmentTag, block_event, layout_id
from tb_regplugin.terms import Layout, Term
from tests.curves import decode_curves
from tests.logs import DATA, LAYOUT, TOTAL, block, recording_events, write_events, write_recording
from tests.tensorboard_process import get, get_json, start_tensorboard, wait_until

STEPS, TERMS, SPIKES = 50_000, 64, 20
ODD_NAMES = ["<script>alert(1)</script>", 'it\'s "quoted"', "a/b\\c", "line\nbreak", "λ 🎉"]
ODD_RUN = "<b>&'\" λ=🎉"
ROUTES = "data/plugin/regularization/"


def _spiked() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Returns the values, and at which steps and in which columns the spikes are."""
    random = np.random.default_rng(0)
    values = random.random((STEPS, 2 + TERMS), np.float32)
    steps = np.sort(random.choice(STEPS, SPIKES, replace=False))
    columns = random.integers(2, 2 + TERMS, SPIKES)
    values[steps, columns] = 1000 + np.arange(SPIKES)
    return values, steps, columns


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Writes a long run with spikes, a short one, odd names, and all that can be wrong."""
    directory = tmp_path_factory.mktemp("logs")
    spiked = Layout((TOTAL, DATA, *(Term(f"layer_{i}/kernel") for i in range(TERMS))))
    write_events(directory / "spiked", recording_events(np.arange(STEPS), _spiked()[0], spiked))

    write_recording(directory / "good", {0: [3, 2, 1], 1: [6, 4, 2]})
    scalar = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="loss", simple_value=0.5)])
    write_events(directory / "scalars", [event_pb2.Event(step=0, summary=scalar)])

    rows = np.arange(600)
    path = write_events(directory / "truncated", recording_events(rows, np.ones((600, 3))))
    path.write_bytes(path.read_bytes()[:-10])

    tag = SegmentTag("losses", layout_id(LAYOUT), "1", 1)
    wrong = block_event(tag, block([2], [[1, 2, 3, 4, 5]]))
    write_events(directory / "wrong shape", [*recording_events([0], [[3, 2, 1]]), wrong])

    newer = recording_events([0], [[1.0]], Layout((TOTAL,)))
    newer[0].summary.value[0].tensor.string_val[0] = b'{"version": 99}'
    write_events(directory / "newer", newer)

    odd = Layout(tuple(Term(name) for name in ODD_NAMES))
    for name in ODD_NAMES:
        values = np.ones((1, len(ODD_NAMES)))
        write_events(directory / ODD_RUN, recording_events([0], values, odd, name=name))
    return directory


@pytest.fixture(scope="module", params=["true", "false"], ids=["data server", "Python loader"])
def tensorboard(request: pytest.FixtureRequest, logs: Path) -> Iterator[str]:
    """Runs TensorBoard at its default flags until it has loaded everything; returns its address."""
    argument = f"--load_fast={request.param}"
    with start_tensorboard(logs, argument, with_tensorflow=True) as address:

        def loaded() -> bool:
            last_steps = {
                entry["run"]: entry["last_step"]
                for entry in get_json(address + ROUTES + "recordings")["recordings"]
            }
            return len(last_steps) == 6 and last_steps["spiked"] == STEPS - 1

        wait_until(loaded)
        yield address


def _curves(address: str, run: str, name: str = "losses", **more: int) -> bytes:
    query = urlencode({"run": run, "name": name, **more})
    status, headers, body = get(f"{address}{ROUTES}curves?{query}")
    assert status == 200, body
    assert headers["content-type"] == "application/octet-stream"
    return body


def test_every_spike_is_inside_its_bucket(tensorboard: str) -> None:
    """At 1,000 buckets over 50,000 steps of 64 terms, at TensorBoard's default sampling."""
    header, arrays = decode_curves(_curves(tensorboard, "spiked", buckets=1000))
    assert header["rows"] == STEPS
    assert arrays["max"].shape == (2 + TERMS + 1, 1000)
    assert (arrays["rows"].sum(axis=1) == STEPS).all()
    values, steps, columns = _spiked()
    for step, column in zip(steps, columns, strict=True):
        (bucket,) = np.flatnonzero((arrays["first_step"] <= step) & (step <= arrays["last_step"]))
        spike = values[step, column]
        assert arrays["min"][column, bucket] <= spike <= arrays["max"][column, bucket]
        assert spike == arrays["max"][column, bucket]


def test_zooming_shows_the_exact_step(tensorboard: str) -> None:
    """A range of as many steps as buckets has the recorded values."""
    values, steps, columns = _spiked()
    start = max(int(steps[3]) - 500, 0)
    body = _curves(tensorboard, "spiked", start=start, end=start + 999, buckets=1000)
    _, arrays = decode_curves(body)
    np.testing.assert_array_equal(arrays["first_step"], np.arange(start, start + 1000))
    np.testing.assert_array_equal(arrays["last"][:-1], values[start : start + 1000].T)
    assert arrays["max"][columns[3], steps[3] - start] == values[steps[3], columns[3]]


def test_good_runs_are_shown_beside_bad_ones(tensorboard: str) -> None:
    """A truncated file is read up to where it ends; what cannot be read is named, with why."""
    for run, rows in {"good": 2, "truncated": 512, "wrong shape": 1, "newer": 0}.items():
        header, _ = decode_curves(_curves(tensorboard, run))
        assert header["rows"] == rows, run
        reasons = [problem["reason"] for problem in header["problems"]]
        if run == "wrong shape":
            assert "rows of 7 numbers" in reasons[0]
        elif run == "newer":
            assert "version 99" in reasons[0]
        else:
            assert reasons == []


def test_any_name_can_be_asked_for(tensorboard: str) -> None:
    """Markup, quotes, slashes, newlines and emoji are names like others."""
    for name in ODD_NAMES:
        header, _ = decode_curves(_curves(tensorboard, ODD_RUN, name))
        assert (header["run"], header["name"]) == (ODD_RUN, name)
        assert [column["name"] for column in header["columns"]] == ODD_NAMES


def test_the_tab_is_offered(tensorboard: str) -> None:
    """TensorBoard lists the plugin as active, and serves the dashboard's module as a script."""
    listing = get_json(tensorboard + "data/plugins_listing")["regularization"]
    assert listing["enabled"] is True
    assert listing["tab_name"] == "Regularization"
    status, headers, body = get(tensorboard + ROUTES + "index.js")
    assert status == 200
    assert headers["content-type"].startswith("text/javascript")
    assert headers["x-content-type-options"] == "nosniff"
    assert b"render" in body


def test_figures_and_rows_can_be_had(tensorboard: str) -> None:
    """As JSON and as a file to save, through all of TensorBoard's layers."""
    query = urlencode({"run": "good", "name": "losses"})
    answer = get_json(f"{tensorboard}{ROUTES}statistics?{query}")
    assert [column["mean"] for column in answer["columns"]] == [4.5, 3.0, 1.5, 0.0]
    status, headers, body = get(f"{tensorboard}{ROUTES}export?{query}")
    assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert headers["content-disposition"] == 'attachment; filename="good_losses.csv"'
    assert body.splitlines()[1:] == [b"0,0.0,3.0,2.0,1.0", b"1,1.0,6.0,4.0,2.0"]


@pytest.mark.parametrize("route", ["recordings", "curves", "statistics", "export"])
def test_what_is_known_is_not_sent_again(tensorboard: str, route: str) -> None:
    """An entity tag comes through as well as its answer."""
    url = f"{tensorboard}{ROUTES}{route}?{urlencode({'run': 'good', 'name': 'losses'})}"
    _, headers, _ = get(url)
    status, _, body = get(url, headers={"If-None-Match": headers["etag"]})
    assert (status, body) == (304, b"")


def test_errors_are_json(tensorboard: str) -> None:
    """Through all of TensorBoard's layers."""
    for query, code in {"": 400, "?run=nobody&name=losses": 404}.items():
        status, headers, body = get(f"{tensorboard}{ROUTES}curves{query}")
        assert (status, headers["content-type"]) == (code, "application/json")
        assert json.loads(body)["error"]
    assert get(tensorboard + ROUTES + "recordings", method="POST")[0] == 405


def test_other_tabs_are_as_without_the_plugin(tensorboard: str) -> None:
    """Their routes answer, and the recordings are not among their data."""
    tags = get_json(tensorboard + "data/plugin/scalars/tags")
    assert {run: list(found) for run, found in tags.items()} == {"scalars": ["loss"]}


@pytest.mark.parametrize("server", [True, False], ids=["data server", "Python loader"])
def test_load_returns_every_row(logs: Path, monkeypatch: pytest.MonkeyPatch, server: bool) -> None:
    """Bit by bit as it was written, spikes and all; what cannot be read is warned of."""
    if not server:
        monkeypatch.setattr(tensorboard_data_server, "server_binary", lambda: None)
    with pytest.warns(UserWarning, match="left out") as caught:
        recording = load(logs)["spiked"]
    assert len(caught) == 2
    assert recording.steps.tolist() == list(range(STEPS))
    assert recording.values.tobytes() == _spiked()[0].tobytes()


def test_a_path_prefix_and_a_live_run(tmp_path: Path) -> None:
    """Under a prefix the same routes answer, and grow as the training writes on."""
    write_recording(tmp_path, {0: [3, 2, 1]})
    with start_tensorboard(tmp_path, "--path_prefix=/some/where") as address:
        assert address.endswith("/some/where/")
        listing = get_json(address + "data/plugins_listing")["regularization"]
        module = listing["loading_mechanism"]["module_path"]
        assert module == "/some/where/data/plugin/regularization/index.js"

        def rows() -> int:
            status, _, body = get(f"{address}{ROUTES}curves?run=.&name=losses")
            return decode_curves(body)[0]["rows"] if status == 200 else -1

        wait_until(lambda: rows() == 1)
        write_events(tmp_path, recording_events([1, 2], [[3, 2, 1]] * 2, writer="2"))
        wait_until(lambda: rows() == 3)
