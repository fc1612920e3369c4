"""Recording to and viewing from object storage: an S3 server on this machine, and fsspec."""

from __future__ import annotations

import itertools
import json
import logging
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tb_regplugin import Writer, load
from tb_regplugin.command_line import main
from tb_regplugin.reading.event_files import find_runs
from tb_regplugin.terms import Layout, Term
from tb_regplugin.writing import blocks, event_file
from tb_regplugin.writing.blocks import BlockWriter
from tb_regplugin.writing.event_file import MAX_OBJECT_BYTES, MAX_PUTS, EventFile
from tests.curves import decode_curves
from tests.independent_reader import read_recording
from tests.tensorboard_process import get, get_json, start_tensorboard, wait_until

ROUTES = "data/plugin/regularization/"


class Bucket:
    """A bucket of its own for a test.

    Attributes:
      name: What it is called.
      client: Boto3's client of it.
      puts: The bytes of each object that was put, by the keys, as boto3 is about to send them.
      before_put: Called before each is sent.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.client: Any = boto3.client("s3")
        self.client.create_bucket(Bucket=name)
        self.puts: dict[str, list[int]] = {}
        self.before_put: Callable[[], object] = lambda: None

    def path(self, directory: str) -> str:
        """Returns what a log directory is called."""
        return f"s3://{self.name}/{directory}"

    def send(self, request: Any, **_: Any) -> None:
        """Takes note of an upload."""
        key = request.url.partition(f"/{self.name}/")[2]
        if "tfevents" in key:
            self.puts.setdefault(key, []).append(int(request.headers["Content-Length"]))
            self.before_put()

    def sizes(self, directory: str) -> dict[str, int]:
        """Returns the bytes of the event files that are there."""
        pages = self.client.get_paginator("list_objects_v2")
        return {
            entry["Key"]: entry["Size"]
            for page in pages.paginate(Bucket=self.name, Prefix=f"{directory}/")
            for entry in page.get("Contents", [])
            if "tfevents" in entry["Key"]
        }

    def download(self, directory: str, to: Path) -> Path:
        """Fetches what is there without TensorBoard's file layer."""
        for key in self.sizes(directory):
            self.client.download_file(self.name, key, str(to / Path(key).name))
        return to


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadedMotoServer]:
    """Runs the S3 server, which all that uses boto3 talks to, also in other processes."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # It tells of each request.
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield server
    server.stop()


_NUMBERS = itertools.count()


@pytest.fixture
def bucket(server: ThreadedMotoServer) -> Iterator[Bucket]:
    """Makes an empty bucket."""
    boto3.setup_default_session()
    bucket = Bucket(f"bucket-{next(_NUMBERS)}")
    boto3.DEFAULT_SESSION.events.register("before-send.s3.PutObject", bucket.send)
    yield bucket
    boto3.setup_default_session()


def _write(writer: Writer, steps: range) -> None:
    for step in steps:
        writer.write(step, 2.0 * step, {"kernel": step / 4}, 2.25 * step)


def _expected(steps: range) -> list[list[float]]:
    return [[2.25 * step, 2.0 * step, step / 4] for step in steps]


def test_every_row_is_read_again(bucket: Bucket, tmp_path: Path) -> None:
    """Over several objects, and after a restart from a checkpoint in another process."""
    path = bucket.path("logs/run")
    with Writer(path) as writer:
        for start in range(0, 800, 20):
            _write(writer, range(start, start + 20))
            writer.flush()
    with Writer(path) as writer:
        _write(writer, range(500, 1_500))
    assert len(bucket.sizes("logs/run")) == 40 / MAX_PUTS + 1
    assert list(find_runs(bucket.path("logs"))) == ["run"]
    recording = load(bucket.path("logs"))["run"]
    assert recording.steps.tolist() == list(range(1_500))
    assert recording.values.tolist() == _expected(range(1_500))
    plain = read_recording(bucket.download("logs/run", tmp_path))
    assert [list(row.values.values()) for row in plain.values()] == _expected(range(1_500))


def test_each_object_is_an_event_file(bucket: Bucket) -> None:
    """It begins with the version, and is read by itself, whatever comes later."""
    with Writer(bucket.path("run")) as writer:
        for step in range(2 * MAX_PUTS + 1):
            writer.write(step, 1.0)
            writer.flush()
    for key in bucket.sizes("run"):
        body = bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
        assert b"brain.Event:2" in body[:40]


def test_the_bytes_sent_grow_with_the_rows(bucket: Bucket) -> None:
    """Not with their square: of 1,000 flushes, each sends one object, which has 4 at most."""
    with Writer(bucket.path("run")) as writer:
        for step in range(1_000):
            _write(writer, range(step, step + 1))
            writer.flush()
    sizes = bucket.sizes("run")
    assert [len(puts) for puts in bucket.puts.values()] == [4] * 250
    assert list(bucket.puts) == sorted(sizes)
    assert [puts[-1] for puts in bucket.puts.values()] == [sizes[key] for key in bucket.puts]
    sent, stored = sum(map(sum, bucket.puts.values())), sum(sizes.values())
    assert sent < 3 * stored


def test_an_object_has_a_bound(bucket: Bucket) -> None:
    """However fast rows come, and long before a flush is due."""
    steps, columns = 10_000, 400
    block = 256 * 4 * (2 + columns)
    with Writer(bucket.path("run"), flush_secs=1e6) as writer:
        penalties = {f"layer {i}": float(i) for i in range(columns)}
        for step in range(steps):
            writer.write(step, 1.0, penalties)
    sizes = list(bucket.sizes("run").values())
    assert all(len(puts) == 1 for puts in bucket.puts.values())
    assert len(sizes) == -(-steps * 4 * (2 + columns) // MAX_OBJECT_BYTES)
    assert max(sizes) < MAX_OBJECT_BYTES + 1.1 * block
    assert load(bucket.path("run"))["."].values.shape == (steps, 1 + columns)


def test_a_full_block_is_sent_when_it_is_due(bucket: Bucket) -> None:
    """Also where nothing comes after it."""
    writer = Writer(bucket.path("run"), flush_secs=0.5)
    _write(writer, range(256))
    assert bucket.puts == {}
    wait_until(lambda: bool(bucket.sizes("run")))
    assert load(bucket.path("run"))["."].steps.tolist() == list(range(256))
    writer.close()
    assert len(bucket.puts) == 1


def test_several_recordings_of_a_run_share_its_objects(bucket: Bucket) -> None:
    """A model's gradients are another recording beside its losses."""
    file = EventFile(bucket.path("run"))
    writers = {name: BlockWriter(bucket.path("run"), name, 1e6, file) for name in ("a", "b")}
    layout = Layout((Term("x", role="data"),))
    for step in range(MAX_PUTS):
        for name, writer in writers.items():
            writer.append_row(layout, step, 1.0, [step if name == "a" else -step])
            writer.flush()
    for writer in writers.values():
        writer.close()
    assert len(bucket.sizes("run")) == 2
    for name, sign in (("a", 1), ("b", -1)):
        recording = load(bucket.path("run"), name=name)["."]
        assert recording.values[:, 0].tolist() == [sign * step for step in range(MAX_PUTS)]


def test_the_command_line_reads_it(bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    """As a local log."""
    with Writer(bucket.path("logs/run")) as writer:
        _write(writer, range(1_000))
    assert main(["summary", bucket.path("logs"), "--format", "json"]) == 0
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    assert (recording["run"], recording["rows"]) == ("run", 1_000)


@pytest.mark.parametrize("load_fast", ["auto", "false"])
def test_tensorboard_shows_it(bucket: Bucket, load_fast: str) -> None:
    """Every row of every object, and those of a training that goes on, over several objects."""
    with start_tensorboard(bucket.path("logs"), f"--load_fast={load_fast}") as address:

        def rows() -> int:
            status, _, body = get(f"{address}{ROUTES}curves?run=train&name=losses")
            return decode_curves(body)[0]["rows"] if status == 200 else 0

        with Writer(bucket.path("logs/train")) as writer:
            for stop in (150, 300, 450):
                for start in range(stop - 150, stop, 5):
                    _write(writer, range(start, start + 5))
                    writer.flush()
                wait_until(lambda stop=stop: rows() == stop)  # type: ignore[misc]
        (entry,) = get_json(address + ROUTES + "recordings")["recordings"]
        assert (entry["run"], entry["last_step"]) == ("train", 449)
        query = "curves?run=train&name=losses&buckets=1000"
        _, arrays = decode_curves(get(f"{address}{ROUTES}{query}")[2])
        assert arrays["last"][:3].T.tolist() == _expected(range(450))
    assert len(bucket.sizes("logs/train")) == -(-90 // MAX_PUTS)


def test_a_recording_that_takes_anothers_place_says_so(bucket: Bucket) -> None:
    """As on a local disk."""
    for warns in (False, True):
        with warnings.catch_warnings(record=True) as caught, Writer(bucket.path("run")) as writer:
            warnings.simplefilter("always")
            writer.write(0, 1.0)
        assert ["already holds" in str(w.message) for w in caught] == [True] * warns


def test_an_upload_that_fails_once_loses_nothing(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, and nobody is troubled."""
    monkeypatch.setattr(event_file, "_PAUSES", (0.01, 0.01))
    failures = iter([ConnectionError("reset"), TimeoutError("slow")])

    def fail_twice() -> None:
        for failure in failures:
            raise failure

    bucket.before_put = fail_twice
    with warnings.catch_warnings(), Writer(bucket.path("run")) as writer:
        warnings.simplefilter("error")
        for step in range(1_000):
            _write(writer, range(step, step + 1))
            if step % 100 == 0:
                writer.flush()
    assert not list(failures)
    assert load(bucket.path("run"))["."].steps.tolist() == list(range(1_000))


def test_an_upload_that_fails_gives_one_warning(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training goes on, and what was sent before stays."""
    monkeypatch.setattr(event_file, "_PAUSES", (0.01, 0.01))
    bucket.client.create_bucket(Bucket=f"{bucket.name}-gone")
    writer = Writer(f"s3://{bucket.name}-gone/run", flush_secs=0.01)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bucket.client.delete_bucket(Bucket=f"{bucket.name}-gone")
        for step in range(1_000):
            writer.write(step, 1.0)
            time.sleep(0.0001)
        writer.flush()
        writer.write(1_000, 1.0)
        writer.close()
    # Files that other tests left open are told of whenever they are collected.
    (told,) = [str(each.message) for each in caught if each.category is not ResourceWarning]
    assert "stopped recording to" in told
    assert "NoSuchBucket" in told


def test_a_server_that_hangs_holds_up_no_more_than_the_first_row(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it takes connections and answers nothing."""
    monkeypatch.setattr(blocks, "_LOOK_SECS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
        start = time.monotonic()
        writer = Writer(bucket.path("run"))
        _write(writer, range(10_000))
        assert time.monotonic() - start < 10
        with pytest.warns(RuntimeWarning, match="has stalled for 0.1 s"):
            writer.close(timeout=0.1)


def test_a_slow_upload_holds_nothing_up(bucket: Bucket) -> None:
    """Rows wait for it, and none is lost."""
    goes_on = threading.Event()
    bucket.before_put = goes_on.wait
    writer = Writer(bucket.path("run"), flush_secs=0.01)
    _write(writer, range(10))
    wait_until(lambda: bool(bucket.puts))
    start = time.monotonic()
    _write(writer, range(10, 50_000))
    taken = time.monotonic() - start
    goes_on.set()
    writer.close()
    assert taken < 10
    assert load(bucket.path("run"))["."].steps.tolist() == list(range(50_000))


def test_a_script_that_just_ends_loses_nothing(bucket: Bucket) -> None:
    """Without close."""
    script = f"""
import sys
sys.modules["tensorflow"] = None
import tb_regplugin
writer = tb_regplugin.Writer({bucket.path("run")!r})
for step in range(300):
    writer.write(step, 1.0)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert load(bucket.path("run"))["."].steps.tolist() == list(range(300))


def test_what_tensorflow_knows_is_written_and_read_by_it() -> None:
    """Its file system in memory, over several objects."""
    tf = pytest.importorskip("tensorflow")
    with Writer("ram://logs/run") as writer:
        for step in range(MAX_PUTS + 1):
            writer.write(step, 1.0)
            writer.flush()
    assert len([name for name in tf.io.gfile.listdir("ram://logs/run") if "tfevents" in name]) == 2
    assert load("ram://logs/run")["."].steps.tolist() == list(range(MAX_PUTS + 1))


def test_what_fsspec_knows_is_written_and_read_alike() -> None:
    """Its file system in memory, by this package and by TensorBoard's own loader."""
    script = """
import sys
sys.modules["tensorflow"] = None
import fsspec
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tb_regplugin import Writer, load

multiplexer = EventMultiplexer()
with Writer("memory://logs/run") as writer:
    for step in range(100):
        writer.write(step, float(step))
        writer.flush()
        if step % 7 == 0:
            multiplexer.AddRunsFromDirectory("memory://logs").Reload()
multiplexer.Reload()
assert load("memory://logs")["run"].values.tolist() == [[step] for step in range(100)]
tags = multiplexer.PluginRunToTagToContent("regularization")["run"]
steps = [event.step for tag in sorted(tags) for event in multiplexer.Tensors("run", tag)]
assert sorted(steps) == [0, *range(100)], steps
files = [path for path in fsspec.filesystem("memory").find("/logs/run") if "tfevents" in path]
assert len(files) == 25, files
"""
    subprocess.run([sys.executable, "-c", script], check=True)
