"""Writer: what is written, when, and what happens when it can't be."""

import gc
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tb_regplugin import Term, Writer, load
from tb_regplugin.terms import Layout
from tb_regplugin.writing import blocks
from tb_regplugin.writing.blocks import BlockWriter
from tb_regplugin.writing.event_file import EventFile
from tests.independent_reader import read_recording, read_segments


def float32(number: float) -> float:
    """Returns a number as float32 holds it."""
    return float(np.float32(number))


def test_a_loss_of_pytorch_may_still_have_its_gradient(tmp_path: Path) -> None:
    """PyTorch warns of such a number where it is made one of Python's."""
    torch = pytest.importorskip("torch")
    loss = (torch.ones(3, requires_grad=True) * 2.0).sum()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Writer(tmp_path) as writer:
            writer.write(0, loss, {"w": loss / 4}, total_loss=loss * 1.25)
    values = read_recording(tmp_path)[0].values
    assert values == {"total": 7.5, "data": 6.0, "w": 1.5}
    loss.backward()


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


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e300, -0.0])
def test_values_that_are_not_ordinary_are_kept(tmp_path: Path, value: float) -> None:
    """NaN and infinities are recorded; what float32 can't hold becomes infinite, quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Writer(tmp_path) as writer:
            writer.write(0, value, {})
    (row,) = read_recording(tmp_path).values()
    with np.errstate(over="ignore"):
        np.testing.assert_equal(row.values["data"], float(np.float32(value)))


def test_numbers_of_other_libraries_are_taken(tmp_path: Path) -> None:
    """NumPy's scalars and arrays without dimensions are numbers too."""
    with Writer(tmp_path) as writer:
        writer.write(np.int64(7), np.float64(0.5), {"a": np.array(0.25)}, np.float32(0.75))
    rows = read_recording(tmp_path)
    assert rows[7].values == {"total": 0.75, "data": 0.5, "a": 0.25}


_TERMS: list[str | Term] = ["w", Term("v", kind="l1", strength=0.1), Term("w", role="implicit")]


@pytest.mark.parametrize(
    ("library", "dtype"),
    [
        *[("numpy", dtype) for dtype in ("float64", "float16", "int32", "bool_")],
        *[("torch", dtype) for dtype in ("float64", "float32", "bfloat16", "int64")],
        *[("jax.numpy", dtype) for dtype in ("float32", "bfloat16")],
        ("tensorflow", "bfloat16"),
    ],
)
def test_an_array_of_penalties_is_taken_in_the_order_of_the_terms(
    tmp_path: Path, library: str, dtype: str
) -> None:
    """Of every library and dtype, also where gradients go through it, and beside mappings."""
    module = pytest.importorskip(library)
    make = getattr(module, "constant" if library == "tensorflow" else "asarray")
    array, first = make([1.0, 0.0, 1.0], dtype=getattr(module, dtype)), 1.0
    if library == "torch" and array.is_floating_point():
        array, first = array.requires_grad_() * 1.5, 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Writer(tmp_path, terms=_TERMS) as writer:
            writer.write(0, {"a": 0.5, "b": 0.25}, array, total_loss=0.75 + first)
            writer.write(1, 0.5, {"w": 2.0})
            writer.write(2, 0.5, array)
    recording = load(tmp_path)["."]
    names = [(column.role, column.name) for column in recording.columns]
    values = [dict(zip(names, row, strict=True)) for row in recording.values.tolist()]
    terms = {("penalty", "w"): first, ("penalty", "v"): 0.0, ("implicit", "w"): first}
    parts = {("total", "total"): 0.75 + first, ("data", "a"): 0.5, ("data", "b"): 0.25}
    expected = [parts | terms, {("data", "data"): 0.5, ("penalty", "w"): 2.0}]
    expected.append({("data", "data"): 0.5} | terms)
    assert [{k: v for k, v in row.items() if v == v} for row in values] == expected
    assert next(column for column in recording.columns if column.name == "v").strength == 0.1


class OnDevice:
    """Like an array on a GPU: each copy takes its time, and NumPy can't read it."""

    shape = (3,)

    def __init__(self) -> None:
        self.copies = 0

    def tolist(self) -> list[float]:
        """Copies all of it."""
        self.copies += 1
        return [1.0, 2.0, 3.0]

    def __array__(self) -> None:
        raise TypeError("can't convert cuda:0 device type tensor to numpy.")

    __float__ = __iter__ = __getitem__ = __array__


def test_an_array_is_copied_from_its_device_once(tmp_path: Path) -> None:
    """Not value by value."""
    array = OnDevice()
    with Writer(tmp_path, terms=_TERMS) as writer:
        writer.write(0, 1.0, array)
    assert array.copies == 1
    assert load(tmp_path)["."].values.tolist() == [[1.0, 1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("penalties", "message"),
    [
        (np.ones(2), r"an array of shape \(3,\), .* not ndarray of shape \(2,\): array\(\[1"),
        (np.ones(4), r"not ndarray of shape \(4,\)"),
        (np.ones((3, 1)), r"not ndarray of shape \(3, 1\)"),
        (np.float64(1.0), "not float64: "),
        (0.5, "an array of shape .* not float: 0.5"),
        ([0.5, 0.5, 0.5], "not list: "),
        (np.array([0.5, 1j, 0.5]), r"penalties\['w'\] must be one number, not complex: "),
        (np.array([0.5, None, 0.5]), r"penalties\['v'\] must be one number, not NoneType: "),
        ("meta", r"not Tensor of shape \(3,\): tensor\(\.\.\., device='meta'"),
        ("sparse", r"not Tensor of shape \(3,\): "),
    ],
)
def test_an_array_that_is_not_the_terms_values_is_named(
    tmp_path: Path, penalties: Any, message: str
) -> None:
    """What is wrong with it is said, and the rows around it are recorded."""
    if isinstance(penalties, str):
        ones = pytest.importorskip("torch").ones(3)
        penalties = ones.to("meta") if penalties == "meta" else ones.to_sparse()
    with Writer(tmp_path, terms=_TERMS) as writer:
        writer.write(0, 1.0, np.zeros(3))
        with pytest.raises(TypeError, match=message):
            writer.write(1, 1.0, penalties)
        writer.write(2, 1.0, np.zeros(3))
    assert list(read_recording(tmp_path)) == [0, 2]


def test_an_array_needs_the_terms(tmp_path: Path) -> None:
    """The error says where they go."""
    with (
        Writer(tmp_path) as writer,
        pytest.raises(TypeError, match=r"Writer\(\.\.\., terms=\[\.\.\.\]\)\. It is ndarray of"),
    ):
        writer.write(0, 1.0, np.ones(2))


class NoData:
    """Raises as PyTorch's tensors on the meta device do."""

    def __float__(self) -> float:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")

    __repr__ = __float__  # type: ignore[assignment]  # It can't be shown either.


def test_a_number_that_no_float_holds_is_infinite(tmp_path: Path) -> None:
    """As one that float32 doesn't hold."""
    with Writer(tmp_path) as writer:
        writer.write(0, 10**400, {"w": -(10**400), "v": 1e300, "u": 2})
    assert list(read_recording(tmp_path)[0].values.values()) == [np.inf, -np.inf, np.inf, 2.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.5, 1.0, {}), "step must be an integer, not 0.5"),
        ((2**63, 1.0, {}), "64 bits"),
        ((1, None, {}), "data_loss must be one number, not NoneType"),
        ((1, 1.0, {"w": np.zeros((2, 3))}), r"penalties\['w'\] .* ndarray of shape \(2, 3\)"),
        ((1, {"a": "x"}, {}), r"data_loss\['a'\] must be one number, not str"),
        ((1, 1.0, {}, [1.0]), "total_loss must be one number, not list"),
        ((1, 1.0, {"w": 1j}), r"penalties\['w'\] must be one number, not complex"),
        ((1, 1.0, {"w": NoData()}), r"penalties\['w'\] must be one number, not NoData"),
        ((1, 1.0, {"w": 1.0, Term("w"): 2.0}), "Two columns are called 'w'"),
        ((1, 1.0, {Term("t", role="total"): 1.0}), "as total_loss or data_loss"),
        ((1, 1.0, {"": 1.0}), "non-empty"),
    ],
)
def test_bad_input_is_named_and_loses_nothing(
    tmp_path: Path, arguments: tuple[Any, ...], message: str
) -> None:
    """A wrong call says what is wrong; the rows around it are recorded."""
    with Writer(tmp_path) as writer:
        writer.write(0, 1.0, {})
        with pytest.raises((TypeError, ValueError), match=message):
            writer.write(*arguments)
        writer.write(2, 3.0, {})
    rows = read_recording(tmp_path)
    assert {step: row.values for step, row in rows.items()} == {0: {"data": 1.0}, 2: {"data": 3.0}}


@pytest.mark.parametrize("options", [{"name": ""}, {"flush_secs": 0}, {"flush_secs": -1}])
def test_bad_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    """An empty name and an interval that is not positive are errors at once."""
    with pytest.raises(ValueError, match="must be"):
        Writer(tmp_path, **options)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (["w", "w"], "Two columns are called 'w'"),
        ([Term("w"), "w"], "Two columns are called 'w'"),
        ([""], "non-empty"),
        ([Term("w", role="data")], "as total_loss or data_loss"),
    ],
)
def test_bad_terms_are_refused(tmp_path: Path, terms: list[str | Term], message: str) -> None:
    """At once, not at the first step."""
    with pytest.raises(ValueError, match=message):
        Writer(tmp_path, terms=terms)


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
    time.sleep(3)
    process.send_signal(signal.SIGKILL)
    killed = time.time()
    lines = [line.split() for line in process.stdout.read().splitlines()]
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
