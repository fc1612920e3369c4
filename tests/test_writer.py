"""Writer: what is written, and when."""

import random
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tb_regplugin import Term, Writer, load
from tb_regplugin.terms import Layout
from tb_regplugin.writing.blocks import BlockWriter
from tests.independent_reader import read_recording, read_segments


def float32(number: float) -> float:
    """Returns a number as float32 holds it."""
    return float(np.float32(number))


def test_every_step_is_read_back_as_written(tmp_path: Path) -> None:
    """1,000 steps of random numbers come back equal, in order, with their times."""
    rng = random.Random(0)
    written = {}
    before = time.time()
    with Writer(tmp_path) as writer:
        for step in range(1000):
            data, kernel, bias = rng.random(), rng.random(), rng.random()
            writer.write(step, data, {"kernel": kernel, "bias": bias}, data + kernel + bias)
            written[step] = {
                "total": float32(data + kernel + bias),
                "data": float32(data),
                "kernel": float32(kernel),
                "bias": float32(bias),
            }
    rows = read_recording(tmp_path)
    assert {step: row.values for step, row in rows.items()} == written
    times = [row.wall_time for row in rows.values()]
    assert before - 1e-3 <= times[0] <= times[-1] <= time.time() + 1e-3


def test_terms_keep_their_description(tmp_path: Path) -> None:
    """What a Term says of its column stands in the layout."""
    term = Term("kernel", "penalty", "l1_l2", (0.1, 0.2), None, "net/kernel", (3, 4), 12)
    with Writer(tmp_path) as writer:
        writer.write(0, {"boxes": 1.0, "classes": 2.0}, {term: 0.5})
    (columns,) = read_segments(tmp_path).layouts.values()
    assert columns == [
        {"name": "boxes", "role": "data"},
        {"name": "classes", "role": "data"},
        {
            "name": "kernel",
            "role": "penalty",
            "kind": "l1_l2",
            "strength": [0.1, 0.2],
            "variable": "net/kernel",
            "shape": [3, 4],
            "size": 12,
        },
    ]


@given(
    steps=st.lists(
        st.integers(-(2**62), 2**62) | st.integers(0, 40) | st.integers(0, 2**25), max_size=60
    ),
    flushes=st.sets(st.integers(0, 59)),
)
@settings(max_examples=40, deadline=None)
def test_steps_in_any_order_overwrite_from_there_on(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], flushes: set[int]
) -> None:
    """Whatever the order, a step that goes back takes everything from it on with it."""
    directory = tmp_path_factory.mktemp("steps")
    expected: dict[int, float] = {}
    last = None
    with Writer(directory) as writer:
        for index, step in enumerate(steps):
            writer.write(step, float(index), {})
            if last is not None and step <= last:
                expected = {kept: value for kept, value in expected.items() if kept < step}
            expected[step] = float(index)
            last = step
            if index in flushes:
                writer.flush()
    rows = read_recording(directory)
    assert {step: row.values["data"] for step, row in rows.items()} == expected


@given(
    jumps=st.lists(
        st.integers(-50, 50) | st.integers(1, 3) | st.sampled_from([2**24, 2**24 - 1, 2**40]),
        max_size=900,
    ),
    cuts=st.lists(st.integers(0, 900), max_size=6),
    singles=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_rows_are_the_same_on_disk_however_they_are_appended(
    tmp_path_factory: pytest.TempPathFactory, jumps: list[int], cuts: list[int], singles: bool
) -> None:
    """As arrays cut anywhere, and row by row: the same blocks, bit for bit."""
    layout = Layout((Term("data", "data"), Term("w")))
    steps = np.cumsum(np.array(jumps, np.int64))
    wall_times = time.time() + np.arange(len(steps)) / 300
    values = np.random.default_rng(0).normal(size=(len(steps), 2)).astype(np.float32)
    directories = [tmp_path_factory.mktemp("rows"), tmp_path_factory.mktemp("arrays")]
    by_row, by_array = (BlockWriter(str(path), flush_secs=1e6) for path in directories)
    for step, wall_time, row in zip(steps.tolist(), wall_times, values, strict=True):
        by_row.append_row(layout, step, wall_time, row)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(steps)), len(steps)]
    for low, high in pairwise(bounds):
        if singles and high - low == 1:
            by_array.append_row(layout, int(steps[low]), wall_times[low], values[low])
        else:
            by_array.append(layout, steps[low:high], wall_times[low:high], values[low:high])
    by_row.close()
    by_array.close()
    expected, found = (
        [
            (event.step, event.wall_time, event.summary.value[0].tensor.tensor_content)
            for _, events in sorted(read_segments(path).events.items())
            for event in events
        ]
        for path in directories
    )
    assert found == expected
    assert read_recording(directories[1]) == read_recording(directories[0])


def test_no_segment_outgrows_what_tensorboard_keeps(tmp_path: Path) -> None:
    """No tag has more than 10 events, and their steps increase, whatever the writing order."""
    with Writer(tmp_path) as writer:
        for step in [*range(3000), *range(100, 200), *range(150, 160)]:
            writer.write(step, 1.0, {})
    segments = read_segments(tmp_path).events
    assert max(len(events) for events in segments.values()) == 10
    for events in segments.values():
        steps = [event.step for event in events]
        assert steps == sorted(set(steps))


def test_a_new_term_set_is_recorded_under_a_layout_of_its_own(tmp_path: Path) -> None:
    """A penalty that appears halfway is there from its step on, and absent before."""
    with Writer(tmp_path) as writer:
        for step in range(10):
            writer.write(step, 1.0, {"kernel": 0.5} if step < 5 else {"kernel": 0.5, "bias": 0.25})
    rows = read_recording(tmp_path)
    assert [sorted(row.values) for row in rows.values()] == [
        ["data", "kernel"] if step < 5 else ["bias", "data", "kernel"] for step in range(10)
    ]


def test_writing_after_close_is_an_error(tmp_path: Path) -> None:
    """A closed writer says so; closing twice is fine."""
    writer = Writer(tmp_path)
    writer.write(0, 1.0, {})
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(1, 1.0, {})


def test_an_unused_writer_leaves_no_file(tmp_path: Path) -> None:
    """Without a step there is no recording."""
    Writer(tmp_path / "run").close()
    assert not (tmp_path / "run").exists()


def test_waiting_rows_are_written_after_the_flush_interval(tmp_path: Path) -> None:
    """A row reaches the disk although no other follows it."""
    with Writer(tmp_path, flush_secs=0.1) as writer:
        writer.write(0, 1.0, {})
        deadline = time.monotonic() + 30
        while not read_recording(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(read_recording(tmp_path)) == [0]


def test_writing_needs_no_tensorflow(tmp_path: Path) -> None:
    """Recording with NumPy imports neither TensorFlow nor Keras."""
    script = f"""
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
import tb_regplugin
with tb_regplugin.Writer({str(tmp_path)!r}) as writer:
    writer.write(0, 1.0, {{"kernel": 0.5}})
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert len(read_recording(tmp_path)) == 1


def test_a_writer_comes_after_what_is_there_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that is resumed an hour earlier, twice."""
    real, real_ns = time.time, time.time_ns
    for first, hours in ((0, 0), (900, 1), (1_900, 2)):
        monkeypatch.setattr(time, "time", lambda hours=hours: real() - 3600 * hours)
        monkeypatch.setattr(time, "time_ns", lambda hours=hours: real_ns() - 3600 * hours * 10**9)
        with Writer(tmp_path) as writer:
            for step in range(first, first + 1_000):
                writer.write(step, float(first))
    recording = load(tmp_path)["."]
    assert recording.steps.tolist() == list(range(2_900))
    assert [row.values["data"] for row in read_recording(tmp_path).values()][900] == 900.0
    names = [
        path.name for path in sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    ]
    assert names == sorted(names)
