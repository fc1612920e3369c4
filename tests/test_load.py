"""Reading back with load(), straight from event files."""

from __future__ import annotations

import os
import tempfile
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tb_regplugin import Term, Writer, load
from tb_regplugin.terms import Layout
from tests.logs import LAYOUT, NAME, TOTAL, recording_events, write_events, write_recording


@pytest.fixture(autouse=True)
def _warnings_are_failures() -> None:
    """A problem that a test does not expect is a failure."""
    warnings.simplefilter("error", UserWarning)


def test_every_run_is_read(tmp_path: Path) -> None:
    """Runs are named as in TensorBoard; each has its own rows and columns."""
    write_recording(tmp_path / "b" / "train", {0: [3, 2, 1], 5: [6, 4, 2]})
    write_recording(tmp_path / "a", {7: [9, 8, 1]})
    recordings = load(tmp_path)
    assert list(recordings) == ["a", os.path.join("b", "train")]
    recording = recordings[os.path.join("b", "train")]
    assert recording.columns == list(LAYOUT.columns)
    assert recording.steps.dtype == np.int64
    assert recording.wall_times.dtype == np.float64
    assert recording.values.dtype == np.float32
    assert recording.steps.tolist() == [0, 5]
    assert recording.wall_times.tolist() == [0.0, 5.0]
    assert recording.values.tolist() == [[3, 2, 1], [6, 4, 2]]


def test_a_writers_rows_come_back(tmp_path: Path) -> None:
    """What the writer wrote, through real files, with a term that joins later as a gap."""
    with Writer(tmp_path, name="critic") as writer:
        for step in range(3000):
            penalties: dict[str | Term, float] = {"a": step / 3}
            if step >= 2000:
                penalties["b"] = 0.5
            writer.write(step, step / 7, penalties)
    recording = load(str(tmp_path), name="critic")["."]
    assert [column.name for column in recording.columns] == ["data", "a", "b"]
    steps = np.arange(3000)
    np.testing.assert_array_equal(recording.steps, steps)
    np.testing.assert_array_equal(recording.values[:, 0], (steps / 7).astype(np.float32))
    np.testing.assert_array_equal(recording.values[:, 1], (steps / 3).astype(np.float32))
    np.testing.assert_array_equal(recording.values[:, 2], np.where(steps < 2000, np.nan, 0.5))


def test_one_event_a_step_is_read_whole(tmp_path: Path) -> None:
    """A series that no writer of blocks writes is not sampled."""
    events = recording_events([0], [[1, 1, 1]])
    for step in range(1, 2000):
        events += recording_events([step], [[step, step, step]])[1:]
    write_events(tmp_path, events)
    assert len(load(tmp_path)["."].steps) == 2000


def test_a_directory_without_recordings_is_empty(tmp_path: Path) -> None:
    """No error: the training may not have begun. But a warning: the name may be another."""
    with Writer(tmp_path, name="critic") as writer:
        writer.write(0, 1.0)
    with pytest.warns(UserWarning, match="no recordings named 'losses'") as caught:
        assert load(tmp_path) == {}
    assert caught[0].filename == __file__


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """A misspelt path is not an empty result."""
    with pytest.raises(FileNotFoundError, match=r"no directory.*nowhere"):
        load(tmp_path / "nowhere")


def test_a_truncated_file_is_read_up_to_its_end(tmp_path: Path) -> None:
    """A killed training loses its last block; other runs are whole."""
    rows = np.arange(600)
    path = write_events(tmp_path / "killed", recording_events(rows, np.ones((600, 3))))
    path.write_bytes(path.read_bytes()[:-10])
    write_recording(tmp_path / "good", {0: [1, 1, 1]})
    recordings = load(tmp_path)
    assert recordings["killed"].steps.tolist() == list(range(512))
    assert recordings["good"].steps.tolist() == [0]


@pytest.mark.parametrize("garbage", [b"", b"garbage", bytes(11)])
def test_a_file_that_has_no_record_yet_harms_no_other_run(tmp_path: Path, garbage: bytes) -> None:
    """It may be a moment old; the rest is returned."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "events.out.tfevents.1.host").write_bytes(garbage)
    write_recording(tmp_path / "good", {0: [3, 2, 1]})
    assert list(load(tmp_path)) == ["good"]


def test_a_file_of_garbage_is_named(tmp_path: Path) -> None:
    """TensorBoard skips it without a word; the rest is returned."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "events.out.tfevents.1.host").write_bytes(bytes(range(256)) * 40)
    write_recording(tmp_path / "good", {0: [3, 2, 1]})
    with pytest.warns(UserWarning, match=r"bad.events.*byte 0\."):
        assert list(load(tmp_path)) == ["good"]


def test_what_cannot_be_read_is_warned_of(tmp_path: Path) -> None:
    """The warning names run, series and reason; everything else is returned."""
    events = recording_events([5], [[1.0]], Layout((TOTAL,)), number=1)
    events[0].summary.value[0].tensor.string_val[0] = b'{"version": 99}'
    tag = events[0].summary.value[0].tag
    write_events(tmp_path / "odd", recording_events([0], [[3, 2, 1]]) + events)
    with pytest.warns(UserWarning, match="version 99") as caught:
        recording = load(tmp_path)["odd"]
    assert recording.steps.tolist() == [0]
    (warning,) = caught
    assert "'odd'" in str(warning.message)
    assert tag in str(warning.message)
    assert warning.filename == __file__


def test_names_may_hold_anything(tmp_path: Path) -> None:
    """Markup, quotes, slashes, newlines and emoji come back as they were written."""
    names = ["<script>alert(1)</script>", 'it\'s "quoted"', "a/b\\c", "line\nbreak", "λ 🎉"]
    run = "<b>&'\" λ=🎉"
    layout = Layout(tuple(Term(name) for name in names))
    for name in (NAME, *names):
        values = np.ones((1, len(names)))
        write_events(tmp_path / run, recording_events([0], values, layout, name=name))
    for name in (NAME, *names):
        recording = load(tmp_path, name=name)[run]
        assert [column.name for column in recording.columns] == names


def test_threads_may_read_at_the_same_time(tmp_path: Path) -> None:
    """Each gets everything."""
    write_recording(tmp_path, {step: [3, 2, 1] for step in range(100)})
    with ThreadPoolExecutor(4) as pool:
        for recordings in pool.map(load, [tmp_path] * 4):
            assert len(recordings["."].steps) == 100


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither files nor threads."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    write_recording(tmp_path / "logs", {0: [3, 2, 1]})
    threads = set(threading.enumerate())
    load(tmp_path / "logs")
    assert list(scratch.iterdir()) == []
    assert set(threading.enumerate()) <= threads
