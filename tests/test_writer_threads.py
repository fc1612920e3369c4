"""Writer: rows of several threads, and a thread that is interrupted or no longer needed."""

import gc
import random
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tb_regplugin import Term, Writer, load
from tb_regplugin.terms import Layout
from tb_regplugin.writing.blocks import BlockWriter
from tests.independent_reader import read_recording, read_segments


def test_threads_share_a_writer(tmp_path: Path) -> None:
    """Rows of several threads are whole: each value belongs to its step's thread."""
    with Writer(tmp_path, name="shared") as writer:

        def record(thread: int) -> None:
            for step in range(thread * 1000, thread * 1000 + 500):
                writer.write(step, float(thread), {f"term {thread}": float(step)})

        threads = [threading.Thread(target=record, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    layouts, events = read_segments(tmp_path, "shared")
    rows = 0
    for tag, segment in events.items():
        columns = [str(column["name"]) for column in layouts[tag.split("/")[0]]]
        thread_number = float(columns[1].removeprefix("term "))
        for event in segment:
            tensor = event.summary.value[0].tensor
            array = np.frombuffer(tensor.tensor_content, "<f4").reshape(-1, 4)
            assert (array[:, 2] == thread_number).all()
            assert (array[:, 3] == event.step + array[:, 0]).all()
            rows += len(array)
    assert rows == 2000


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.lists(st.integers(0, 60), min_size=1, unique=True)),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
@example([(0, [0]), (1, [0, 1]), (0, [1])], False)
@settings(deadline=None)
def test_threads_keep_every_row_and_each_may_restart(
    written: list[tuple[int, list[int]]], flushes: bool
) -> None:
    """A thread's own step again overwrites what all had from there on; a late one is added."""
    layouts = [Layout((Term(f"t{i % 2}", role="data"),)) for i in range(4)]
    expected: dict[int, float] = {}
    last: dict[int, int] = {}
    value = 0.0
    with tempfile.TemporaryDirectory() as directory:
        writer = BlockWriter(directory, flush_secs=1e6)
        for thread, steps in written:
            for step in sorted(steps):
                value += 1
                writer.append_row(layouts[thread], step, 1.0, [value], thread)
                if step <= last.get(thread, -1):
                    expected = {at: row for at, row in expected.items() if at < step}
                    last.clear()
                last[thread] = step
                expected[step] = value
            if flushes:
                writer.flush()
        writer.close()
        plain = read_recording(Path(directory))
        (recording,) = load(directory).values()
    assert {step: next(iter(row.values.values())) for step, row in plain.items()} == expected
    read = np.nanmax(recording.values, axis=1)
    assert dict(zip(recording.steps.tolist(), read.tolist(), strict=True)) == expected


@pytest.mark.parametrize("stride", [1, 8], ids=["of their own", "in turns"])
def test_eight_threads_lose_no_row(tmp_path: Path, stride: int) -> None:
    """Each records 20,000 steps: one after the other, or every eighth."""
    writer = Writer(tmp_path)
    first = 1 if stride == 8 else 20_000

    def record(thread: int) -> None:
        for i in range(20_000):
            writer.write(thread * first + i * stride, 1.0, {"w": float(thread)})

    # No pool: a thread of it that took a second part would begin anew.
    threads = [threading.Thread(target=record, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    recording = load(tmp_path)["."]
    assert recording.steps.tolist() == list(range(160_000))
    by = recording.steps % 8 if stride == 8 else recording.steps // 20_000
    np.testing.assert_array_equal(recording.values[:, 1], by)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Only where there are timers.")
def test_interrupts_at_any_moment_leave_the_writer_whole(tmp_path: Path) -> None:
    """Ctrl-C in the midst of recording, then more of it: all rows that were told are there."""
    is_caught = False

    def interrupt(*_: Any) -> None:
        if not is_caught:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for number in range(60):
            writer = Writer(tmp_path / str(number), flush_secs=0.001 if number % 2 else 5.0)
            told, is_caught = 0, False
            try:
                # Again and again: Python passes over an interrupt that comes in a finaliser.
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, 0.01), 0.05)
                while True:
                    writer.write(told, float(told), {"w": 1.0})
                    told += 1
            except KeyboardInterrupt:
                is_caught = True
                signal.setitimer(signal.ITIMER_REAL, 0)
            # The one that was interrupted may be there, too.
            writer.write(told + 1, float(told + 1), {"w": 1.0})
            writer.close(timeout=10)
            steps = list(read_recording(tmp_path / str(number)))
            assert steps in ([*range(told), told + 1], [*range(told + 2)])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_writer_that_is_dropped_ends_its_thread(tmp_path: Path) -> None:
    """Without close, and without losing a row."""
    # An interrupted start, as in a test above, may leave one that never starts.
    others = set(threading.enumerate())
    writer = Writer(tmp_path, flush_secs=1e6)
    writer.write(0, 1.0)
    threads = set(threading.enumerate()) - others
    del writer
    gc.collect()
    assert threads
    for thread in threads:
        thread.join(10)
    assert list(read_recording(tmp_path)) == [0]
