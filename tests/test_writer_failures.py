"""Writer: processes that end or fork, and disks that are full, slow or gone."""

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tb_regplugin import Writer
from tb_regplugin.writing import blocks
from tb_regplugin.writing.event_file import EventFile
from tests.independent_reader import read_recording


def test_a_writer_that_is_not_closed_is_flushed_at_exit(tmp_path: Path) -> None:
    """A script that just ends loses nothing."""
    script = f"""
import tb_regplugin
writer = tb_regplugin.Writer({str(tmp_path)!r})
for step in range(300):
    writer.write(step, 1.0, {{}})
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert len(read_recording(tmp_path)) == 300


def test_a_killed_process_loses_at_most_one_flush_interval(tmp_path: Path) -> None:
    """What is older than the interval when SIGKILL comes can be read."""
    script = f"""
import time, tb_regplugin
writer = tb_regplugin.Writer({str(tmp_path)!r}, flush_secs=0.5)
for step in range(10**9):
    writer.write(step, 1.0, {{}})
    if step % 100 == 0:
        print(step, time.time(), flush=True)
        time.sleep(0.01)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    # From its first step on: to start takes as long as the machine is busy.
    first = process.stdout.readline()
    time.sleep(2)
    process.send_signal(signal.SIGKILL)
    killed = time.time()
    lines = [line.split() for line in [first, *process.stdout.read().splitlines()]]
    process.wait()
    old_steps = [int(step) for step, wall_time in lines if float(wall_time) < killed - 1.0]
    assert old_steps
    rows = read_recording(tmp_path)
    assert list(rows) == list(range(len(rows)))
    assert len(rows) > old_steps[-1]


@pytest.mark.skipif(os.name != "posix", reason="Other systems don't let open files be removed.")
def test_a_removed_directory_gives_one_warning(tmp_path: Path) -> None:
    """The writer notices that nobody can read its file any more, says so once, and goes on."""
    writer = Writer(tmp_path / "run")
    writer.write(0, 1.0, {})
    writer.flush()
    for path in (tmp_path / "run").iterdir():
        path.unlink()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(1, 2000):
            writer.write(step, 1.0, {})
        writer.flush()
        writer.write(2000, 1.0, {})
        writer.close()
    (warning,) = caught
    assert "stopped recording to" in str(warning.message)
    assert "was removed" in str(warning.message)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="There is no /dev/full here.")
def test_a_full_disk_gives_one_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own "no space left on device" ends the recording, not the training."""
    import builtins

    def open_full(path: str, mode: str) -> object:
        return os.fdopen(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr(builtins, "open", open_full)
    writer = Writer(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(1000):
            writer.write(step, 1.0, {})
        writer.close()
    (warning,) = caught
    assert "No space left on device" in str(warning.message)


def test_a_log_directory_that_is_a_file_gives_one_warning(tmp_path: Path) -> None:
    """A path that can't be a directory is said, and training goes on."""
    (tmp_path / "taken").write_text("")
    writer = Writer(tmp_path / "taken")
    writer.write(0, 1.0, {})
    with pytest.warns(RuntimeWarning, match="stopped recording"):
        writer.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Only where processes fork.")
def test_a_forked_process_does_not_write_into_its_parents_file(tmp_path: Path) -> None:
    """The child is told to open its own writer; the parent's recording stays whole."""
    script = f"""
import os, sys, warnings, tb_regplugin
writer = tb_regplugin.Writer({str(tmp_path)!r})
writer.write(0, 1.0, {{}})
child = os.fork()
if child == 0:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        writer.write(1, 2.0, {{}})
        writer.write(2, 2.0, {{}})
        writer.close()
    sys.exit(0 if len(caught) == 1 and "forked" in str(caught[0].message) else 1)
_, status = os.waitpid(child, 0)
writer.write(3, 3.0, {{}})
writer.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""
    # The child's exit waits for no thread that it does not have.
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=20)
    assert list(read_recording(tmp_path)) == [0, 3]


@pytest.fixture
def hung_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that takes nothing until the event is set."""
    goes_on = threading.Event()
    write = EventFile.write

    def hang(file: EventFile, event: Any) -> None:
        goes_on.wait()
        write(file, event)

    monkeypatch.setattr(EventFile, "write", hang)
    monkeypatch.setattr(blocks, "_PATIENCE", 0.05)
    monkeypatch.setattr(blocks, "MAX_WAITING_BYTES", 1_000_000)
    yield goes_on
    goes_on.set()


def test_a_disk_that_hangs_holds_nothing_up(tmp_path: Path, hung_disk: threading.Event) -> None:
    """Rows wait as far as there is room, then they are dropped, with one warning."""
    writer = Writer(tmp_path, flush_secs=0.01)
    start = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(50_000):
            writer.write(step, 1.0, {"w": 1.0})
        writer.flush(timeout=0.1)
    assert time.monotonic() - start < 20
    said = [str(warning.message) for warning in caught]
    assert len(said) == 2
    assert "are dropped" in said[0]
    assert "has stalled for 0.1 s" in said[1]
    hung_disk.set()
    writer.flush()
    writer.write(60_000, 1.0, {"w": 1.0})
    writer.close()
    steps = list(read_recording(tmp_path))
    assert steps[-1] == 60_000
    assert steps[:-1] == list(range(len(steps) - 1))
    assert 2_000 < len(steps) < 50_000


def test_a_disk_that_is_slow_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop waits for it."""
    write = EventFile.write

    def write_slowly(file: EventFile, event: Any) -> None:
        time.sleep(0.005)
        write(file, event)

    monkeypatch.setattr(EventFile, "write", write_slowly)
    monkeypatch.setattr(blocks, "MAX_WAITING_BYTES", 300_000)
    with Writer(tmp_path) as writer:
        for step in range(20_000):
            writer.write(step, 1.0, {"w": 1.0})
    assert len(read_recording(tmp_path)) == 20_000


def test_exit_waits_for_a_hung_disk_no_longer_than_close(tmp_path: Path) -> None:
    """The process ends, and says what is not written."""
    script = f"""
import threading, tb_regplugin
from tb_regplugin.writing import worker
from tb_regplugin.writing.event_file import EventFile
worker.TIMEOUT = 0.2
EventFile.write = lambda *_: threading.Event().wait()
writer = tb_regplugin.Writer({str(tmp_path)!r}, flush_secs=0.01)
writer.write(0, 1.0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


@pytest.mark.parametrize("trouble", ["no thread", "no directory"])
def test_nothing_raises_into_a_training_where_warnings_are_errors(
    tmp_path: Path,
    trouble: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not even the reason; it is told on the error output, once."""
    if trouble == "no thread":

        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
    else:
        (tmp_path / "logs").write_text("")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        writer = Writer(tmp_path / "logs", flush_secs=0.01)
        for step in range(100):
            writer.write(step, 1.0, {"w": 1.0})
            time.sleep(0.001)
        writer.flush()
        writer.close()
    assert capsys.readouterr().err.count("stopped recording") == 1
