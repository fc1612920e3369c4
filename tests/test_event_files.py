"""Event files read directly: what is whole, what is corrupt, and the same as TensorBoard reads."""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.data import server_ingester
from tensorboard.util import grpc_util

from tb_regplugin import Writer, load
from tb_regplugin.log_format import PLUGIN_NAME, layout_id, rows_metadata, rows_tag
from tb_regplugin.reading.event_files import EventFiles, find_runs
from tb_regplugin.reading.load import read_recordings, read_runs
from tb_regplugin.reading.source import Source, TensorBoardSource
from tb_regplugin.reading.store import Contents, Store
from tb_regplugin.terms import Layout, Term
from tests.logs import DATA, LAYOUT, NAME, recording_events, write_events, write_recording
from tests.tensorboard_process import wait_until


def _frame(data: bytes) -> bytes:
    header = struct.pack("<Q", len(data))
    return header + _masked(header) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def _steps(path: Path) -> tuple[list[int], EventFiles]:
    """Returns the steps of the recording of a file, if there are any."""
    files = EventFiles(".", [str(path)])
    found = [contents.table.steps.tolist() for _, contents in read_recordings(files)]
    return (found[0] if found else []), files


def _records(data: bytes) -> list[tuple[int, int]]:
    """Returns where each record of a file begins and ends."""
    places, at = [], 0
    while at < len(data):
        end = at + 16 + struct.unpack_from("<Q", data, at)[0]
        places.append((at, end))
        at = end
    return places


def test_a_file_is_whole_at_every_length(tmp_path: Path) -> None:
    """Wherever a live writer's file ends just now, its whole records are read, without a word."""
    rows = np.arange(300)
    path = write_events(tmp_path, recording_events(rows, np.ones((300, 3))))
    data = path.read_bytes()
    places = _records(data)
    for end in [*range(places[1][0], places[1][1], 7), *range(places[2][0], len(data) + 1, 61)]:
        path.write_bytes(data[:end])
        steps, files = _steps(path)
        whole = sum(stop <= end for _, stop in places)
        assert steps == list(range({2: 0, 3: 256, 4: 300}.get(whole, 0)))
        assert files.problems == []


def test_a_flipped_bit_is_named_with_its_place(tmp_path: Path) -> None:
    """In a length or in a record: what is before it is read, and other files are."""
    rows = np.arange(300)
    path = write_events(tmp_path, recording_events(rows, np.ones((300, 3))))
    data = path.read_bytes()
    begin, end = _records(data)[3]
    for place in (begin, begin + 3, begin + 9, begin + 12, begin + 100, end - 5, end - 1):
        damaged = bytearray(data)
        damaged[place] ^= 16
        path.write_bytes(damaged)
        steps, files = _steps(path)
        assert steps == list(range(256))
        (problem,) = files.problems
        assert (problem.path, problem.offset) == (str(path), begin)
        assert "checksum" in problem.reason


@pytest.mark.parametrize("length", [2**31 + 1, 2**40, 2**63, 2**64 - 1])
def test_no_memory_is_asked_for_a_length_that_cannot_be(tmp_path: Path, length: int) -> None:
    """Its checksum may be right."""
    path = write_recording(tmp_path, {0: [3, 2, 1]})
    header = struct.pack("<Q", length)
    with path.open("ab") as file:
        file.write(header + _masked(header))
    steps, files = _steps(path)
    assert steps == [0]
    assert "claims" in files.problems[0].reason


@settings(deadline=None, max_examples=200)
@given(st.lists(st.binary(max_size=60) | st.binary(max_size=60).map(_frame), max_size=4))
def test_any_file_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]
) -> None:
    """Whatever it holds, framed or not."""
    path = tmp_path_factory.mktemp("log") / "events.out.tfevents.1"
    path.write_bytes(b"".join(parts))
    _, files = _steps(path)
    for problem in files.problems:
        assert 0 <= problem.offset < sum(map(len, parts))
        assert problem.reason


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may read it")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """As what it is."""
    path = write_recording(tmp_path, {0: [3, 2, 1]})
    path.chmod(0)
    assert "PermissionError" in _steps(path)[1].problems[0].reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_named_and_not_waited_for(tmp_path: Path) -> None:
    """Nobody may ever write into it."""
    path = write_recording(tmp_path, {0: [3, 2, 1]})
    os.mkfifo(path.with_name("events.out.tfevents.0"))
    files = EventFiles(".", find_runs(str(tmp_path))["."])
    assert "a pipe" in str(files.problems)
    assert len(list(read_recordings(files))) == 1


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may list it")
def test_a_directory_that_may_not_be_listed_is_named(tmp_path: Path) -> None:
    """As what it is; the others are read."""
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        write_recording(tmp_path / run, {0: [3, 2, 1]})
    (tmp_path / "a").chmod(0)
    with pytest.warns(UserWarning, match=r"a/' is read up to byte 0. PermissionError"):
        assert list(load(tmp_path)) == ["b"]


def test_a_directory_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    """And everything else is read."""
    write_recording(tmp_path, {0: [3, 2, 1]})
    files = EventFiles(".", [str(tmp_path), *find_runs(str(tmp_path))["."]])
    assert [problem.path for problem in files.problems] == [str(tmp_path)]
    assert len(list(read_recordings(files))) == 1


def test_runs_are_directories_with_event_files(tmp_path: Path) -> None:
    """By their paths, with files in the order of their names; links are followed, circles not."""
    for name in ("events.out.tfevents.2.a", "events.out.tfevents.10.a", "tfevents", "model.h5"):
        (tmp_path / name).touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "my.tfevents.v2").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "circle").symlink_to(tmp_path)
    runs = find_runs(str(tmp_path))
    deep = os.path.join("a", "b")
    assert sorted(runs) == [".", deep, os.path.join("link", "b")]
    names = [os.path.basename(path) for path in runs["."]]
    assert names == ["events.out.tfevents.10.a", "events.out.tfevents.2.a", "tfevents"]


class _RemoteFiles:
    """A file system behind a scheme, kept in a local directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _local(self, path: str) -> Path:
        assert path.startswith("mem://")
        return self._root / path.removeprefix("mem://")

    def isdir(self, path: str) -> bool:
        return self._local(path).is_dir()

    def walk(self, top: str) -> Iterator[tuple[str, list[str], list[str]]]:
        for directory, names, files in os.walk(self._local(top)):
            yield "mem://" + os.path.relpath(directory, self._root), names, files

    def GFile(self, path: str, mode: str) -> Any:  # noqa: N802 - TensorFlow's name
        return self._local(path).open(mode)


def test_a_path_with_a_scheme_goes_through_gfile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same runs and the same rows."""
    write_recording(tmp_path / "logs" / "a", {0: [3, 2, 1]})
    write_recording(tmp_path / "logs" / "b" / "c", {0: [3, 2, 1], 7: [1, 1, 1]})
    for module in ("reading.event_files", "records"):
        monkeypatch.setattr(
            f"tb_regplugin.{module}.remote_files", lambda path: _RemoteFiles(tmp_path)
        )
    found = {files.run: list(read_recordings(files)) for files in read_runs("mem://logs")}
    steps = {run: contents.table.steps.tolist() for run, ((_, contents),) in found.items()}
    assert steps == {"a": [0], "b/c": [0, 7]}
    with pytest.raises(FileNotFoundError, match="mem://nowhere"):
        list(read_runs("mem://nowhere"))


def _python_loader(path: str) -> Source:
    multiplexer: Any = plugin_event_multiplexer.EventMultiplexer(
        tensor_size_guidance={PLUGIN_NAME: 0}
    )
    multiplexer.AddRunsFromDirectory(path)
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, path)
    return TensorBoardSource(provider, context.RequestContext())


def _data_server(path: str) -> Source:
    ingester: Any = server_ingester.SubprocessServerDataIngester(
        server_binary=server_ingester.get_server_binary(),
        logdir=path,
        reload_interval=1,
        channel_creds_type=grpc_util.ChannelCredsType.LOCAL,
        samples_per_plugin={PLUGIN_NAME: 0},
    )
    ingester.start()
    return TensorBoardSource(ingester.data_provider, context.RequestContext())


def _contents(source: Source) -> dict[tuple[str, str], Contents]:
    found = {
        (entry.run, entry.name): Store().contents(source, entry.run, entry.name)
        for entry, *_ in Store().recordings(source)
    }
    return {key: contents for key, contents in found.items() if contents is not None}


def _several_writers(root: Path) -> None:
    """Restarts from a checkpoint, each a writer of its own, and a term that joins later."""
    for start, stop in ((0, 3000), (2900, 3100), (1000, 1200)):
        with Writer(root / "train") as writer:
            for step in range(start, stop):
                joined = {"b": 0.5} if step >= 3000 else {}
                writer.write(step, step / 7, {"a": step / 3, **joined})


def _segments_and_names(root: Path) -> None:
    """Two recordings in one run, of more than one segment; another run with markup in its name."""
    write_events(root, recording_events(np.arange(6000), np.ones((6000, 3))))
    layout = Layout((DATA, Term("λ 🎉")))
    write_events(root, recording_events([3, 9], [[1, np.nan], [np.inf, 2]], layout, name="a/b"))
    write_recording(root / "x=<b>" / "y", {-5: [1, 2, 3], 2**40: [4, 5, 6]})


def _rows_of_summaries(root: Path) -> None:
    """One event a call, written by TensorFlow, twice from the beginning, in two files."""
    tf = pytest.importorskip("tensorflow")
    layout = Layout((DATA, Term("w")))
    tag, metadata = rows_tag(NAME, layout_id(layout)), rows_metadata(layout, None)
    for value, steps in ((1.0, 20), (2.0, 7)):
        with tf.summary.create_file_writer(str(root / "run")).as_default():
            for step in range(steps):
                row = tf.constant([[0.0, 0.0, float(step), value]])
                tf.summary.write(tag, row, step=step, metadata=metadata)
                tf.summary.scalar("foreign", value, step=step)
                tf.summary.histogram("others", [1.0, value], step=step)


def _malformed(root: Path) -> None:
    """A layout of a newer version, a layout that is no string, and blocks without a layout."""
    good = recording_events([0, 1], [[3, 2, 1]] * 2)
    newer = recording_events([5], [[1.0]], Layout((DATA,)), number=1)
    newer[0].summary.value[0].tensor.string_val[0] = b'{"version": 99}'
    numbers = recording_events([6], [[1.0]], Layout((Term("x"),)), number=2)
    numbers[0].summary.value[0].tensor.CopyFrom(good[1].summary.value[0].tensor)
    alone = recording_events([7], [[1.0]], Layout((Term("y"),)), number=3)[1:]
    write_events(root / "odd", [*good, *newer, *numbers, *alone])
    broken = recording_events([8], [[1, 1, 1]], LAYOUT, number=4)[1:]
    broken[0].summary.value[0].tensor.tensor_content = b"1234"
    write_events(root / "odd", broken)


@pytest.mark.parametrize("open_source", [_python_loader, _data_server])
@pytest.mark.parametrize(
    "write", [_several_writers, _segments_and_names, _rows_of_summaries, _malformed]
)
def test_the_same_is_read_as_through_tensorboard(
    tmp_path: Path, write: Callable[[Path], None], open_source: Callable[[str], Source]
) -> None:
    """Bit by bit: runs, names, rows, times, columns, gaps and problems."""
    write(tmp_path)
    ours = {
        (files.run, name): contents
        for files in read_runs(tmp_path)
        for name, contents in read_recordings(files)
    }
    source = open_source(str(tmp_path))
    wait_until(lambda: _loaded(_contents(source)) == _loaded(ours))
    theirs = _contents(source)
    for key, contents in ours.items():
        actual, expected = contents.table, theirs[key].table
        assert actual.columns == expected.columns
        assert actual.layouts == expected.layouts
        for name in ("steps", "wall_times", "values", "stretches", "recorded"):
            one, other = getattr(actual, name), getattr(expected, name)
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        assert contents.problems == theirs[key].problems
    assert sum(len(contents.table.steps) for contents in ours.values()) > 0


def _loaded(found: dict[tuple[str, str], Contents]) -> dict[tuple[str, str], Any]:
    """Returns what tells whether TensorBoard has loaded everything."""
    return {
        key: (contents.table.steps.tolist(), contents.problems) for key, contents in found.items()
    }


def test_series_of_others_are_passed_over(tmp_path: Path) -> None:
    """Also one that has this plugin's name, but is not of its data class."""
    events = recording_events([0], [[3, 2, 1]])
    for event in events:
        event.summary.value[0].metadata.data_class = 1
    others = recording_events([0], [[3, 2, 1]], name="other")
    for event in others:
        event.summary.value[0].metadata.plugin_data.plugin_name = "mesh"
    write_events(tmp_path, list(itertools.chain(events, others)))
    (files,) = read_runs(tmp_path)
    assert list(files.list()) == []
    assert NAME not in dict(read_recordings(files))
