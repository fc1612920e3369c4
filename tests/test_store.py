"""The store, over a provider that counts what is asked of it."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, tensor_pb2, types_pb2
from tensorboard.data import provider as data_provider
from tensorboard.util import tensor_util

from tb_regplugin.log_format import layout_id, layout_tag
from tb_regplugin.reading import source as source_module
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Contents, Store
from tb_regplugin.terms import Layout, Term
from tests.logs import DATA, LAYOUT, NAME, PENALTY, TOTAL, recording_events

RUN = "run"


@dataclass
class FakeProvider:
    """Holds events as TensorBoard does, and hands them out as its DataProvider does."""

    events: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    reads: Counter[str] = field(default_factory=Counter)
    calls: list[list[str]] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)

    def add(self, events: Sequence[event_pb2.Event], run: str = RUN) -> None:
        """Takes up what was written."""
        for event in events:
            tag = event.summary.value[0].tag
            self.events.setdefault(run, {}).setdefault(tag, []).append(event)

    def list_tensors(self, *_: Any, run_tag_filter: Any, **__: Any) -> Any:
        """Lists series, also those without events yet."""
        return {
            run: {
                tag: data_provider.TensorTimeSeries(
                    max_step=max((event.step for event in events), default=None),
                    max_wall_time=max((event.wall_time for event in events), default=None),
                    plugin_content=b"",
                    description="",
                    display_name="",
                )
                for tag, events in tags.items()
            }
            for run, tags in self.events.items()
            if run_tag_filter.runs is None or run in run_tag_filter.runs
        }

    def list_scalars(self, *_: Any, **__: Any) -> Any:
        """Lists none: there are no scalars among them."""
        return {}

    def read_tensors(self, *_: Any, run_tag_filter: Any, **__: Any) -> Any:
        """Reads series, or raises what one of them is said to raise."""
        found: dict[str, dict[str, list[Any]]] = {}
        self.calls.append(list(run_tag_filter.tags))
        for run in run_tag_filter.runs:
            for tag in sorted(set(run_tag_filter.tags) & set(self.events.get(run, {}))):
                if tag in self.failing:
                    raise self.failing[tag]
                self.reads[tag] += 1
                found.setdefault(run, {})[tag] = [_datum(event) for event in self.events[run][tag]]
        return found


def _datum(event: event_pb2.Event) -> Any:
    array = tensor_util.make_ndarray(event.summary.value[0].tensor)
    return data_provider.TensorDatum(step=event.step, wall_time=event.wall_time, numpy=array)


def _contents(store: Store, provider: FakeProvider) -> Contents:
    contents = store.contents(TensorBoardSource(provider, None), RUN, NAME)
    assert contents is not None
    return contents


def _rows(contents: Contents) -> dict[int, list[float]]:
    table = contents.table
    return dict(zip(table.steps.tolist(), table.values.T.tolist(), strict=True))


def _ramp(start: int, stop: int) -> tuple[list[int], list[list[float]]]:
    return list(range(start, stop)), [[3.0 * i, 2.0 * i, 1.0 * i] for i in range(start, stop)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_SECONDS_BETWEEN_ATTEMPTS", 0.0)


def test_all_rows_are_read() -> None:
    """Over many blocks and segments."""
    provider = FakeProvider()
    provider.add(recording_events(*_ramp(0, 6000)))
    contents = _contents(Store(), provider)
    steps, values = _ramp(0, 6000)
    assert _rows(contents) == dict(zip(steps, values, strict=True))
    assert contents.table.columns == LAYOUT.columns
    assert contents.problems == ()


def test_only_what_moved_is_read_again() -> None:
    """A store that grows asks for the open segment, and for nothing where nothing is new."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*_ramp(0, 6000)))
    first = _contents(store, provider)
    provider.reads.clear()
    assert _contents(store, provider).table is first.table
    assert not provider.reads
    provider.add(recording_events(*_ramp(6000, 6200), number=2)[1:])
    contents = _contents(store, provider)
    assert contents.table.steps.tolist() == list(range(6200))
    assert len(provider.reads) == 1
    assert first.table.steps.tolist() == list(range(6000))


def test_a_restart_overwrites_from_its_first_step() -> None:
    """Also when the rows that it overwrites were already in the store."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*_ramp(0, 10)))
    _contents(store, provider)
    provider.add(recording_events([4, 5], [[9, 9, 9]] * 2, writer="2"))
    contents = _contents(store, provider)
    assert contents.table.steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert _rows(contents)[5] == [9, 9, 9]
    assert _rows(contents) == _rows(_contents(Store(), provider))


def test_a_writer_that_started_earlier_yields_to_a_later_one() -> None:
    """What it still writes after the later one began is not shown."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([0, 1], [[1, 1, 1]] * 2, writer="1"))
    provider.add(recording_events([5, 6], [[2, 2, 2]] * 2, writer="2"))
    _contents(store, provider)
    provider.add(recording_events([3, 7], [[1, 1, 1]] * 2, writer="1", number=1))
    assert _contents(store, provider).table.steps.tolist() == [0, 1, 3, 5, 6]


def test_layouts_are_stitched() -> None:
    """Columns are united; a gap is told apart from a recorded NaN, and the latest term wins."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([0, 1], np.array([[3, 2, np.nan], [3, 2, 1]])))
    _contents(store, provider)
    stronger = Term("kernel", kind="l2", strength=0.02)
    other = Layout((TOTAL, Term("bias"), DATA, stronger))
    provider.add(recording_events([2, 3], [[4, 0.5, 2, 1.5]] * 2, other, number=1))
    for contents in (_contents(store, provider), _contents(Store(), provider)):
        table = contents.table
        assert table.columns == (TOTAL, DATA, stronger, Term("bias"))
        np.testing.assert_array_equal(
            table.values.T,
            [[3, 2, np.nan, np.nan], [3, 2, 1, np.nan], [4, 2, 1.5, 0.5], [4, 2, 1.5, 0.5]],
        )
        assert table.stretches.tolist() == [0, 2, 4]
        assert table.recorded.tolist() == [[True, True, True, False], [True] * 4]


def test_a_late_early_writer_moves_columns_of_rows_in_the_store() -> None:
    """Rows keep their columns when a layout that sorts before theirs appears."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([5, 6], [[3, 2, 1]] * 2, writer="2"))
    _contents(store, provider)
    early = Layout((Term("bias"), PENALTY))
    provider.add(recording_events([1], [[0.5, 0.25]], early, writer="1"))
    contents = _contents(store, provider)
    np.testing.assert_array_equal(
        contents.table.values.T,
        [[0.5, 0.25, np.nan, np.nan], [np.nan, 1, 3, 2], [np.nan, 1, 3, 2]],
    )


def test_columns_of_which_no_row_is_left_are_gone() -> None:
    """As where a model is made anew, with other names; they come again with a row of theirs."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([0, 1], [[3, 2, 1]] * 2))
    _contents(store, provider)
    other = Layout((TOTAL, DATA, Term("kernel_1")))
    provider.add(recording_events([0, 1], [[6, 5, 4]] * 2, other, writer="2"))
    for contents in (_contents(store, provider), _contents(Store(), provider)):
        assert contents.table.columns == other.columns
        assert _rows(contents) == {0: [6, 5, 4], 1: [6, 5, 4]}
    provider.add(recording_events([2], [[3, 2, 1]], writer="3"))
    for contents in (_contents(store, provider), _contents(Store(), provider)):
        assert contents.table.columns == (TOTAL, DATA, PENALTY, Term("kernel_1"))
        np.testing.assert_array_equal(_rows(contents)[2], [3, 2, 1, np.nan])


def _bad_event(tag: str, tensor: tensor_pb2.TensorProto, step: int = 100) -> event_pb2.Event:
    event = event_pb2.Event(step=step, wall_time=float(step))
    event.summary.value.add(tag=tag).tensor.CopyFrom(tensor)
    return event


def test_a_bad_block_is_named_and_the_rest_shown() -> None:
    """Of the same segment and of all others."""
    provider = FakeProvider()
    provider.add(recording_events(*_ramp(0, 10)))
    (tag,) = [tag for tag in provider.events[RUN] if not tag.endswith("layout")]
    provider.add([_bad_event(tag, tensor_util.make_tensor_proto(np.zeros((2, 9), np.float32)))])
    contents = _contents(Store(), provider)
    assert contents.table.steps.tolist() == list(range(10))
    (problem,) = contents.problems
    assert problem.tag == tag
    assert "9 numbers" in problem.reason


def test_a_tensor_that_contradicts_itself_is_named() -> None:
    """TensorBoard raises on it, for all series of the reply; the others are read without it."""
    provider = FakeProvider()
    provider.add(recording_events(*_ramp(0, 6000)))
    tag = sorted(provider.events[RUN])[1]
    broken = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_content=b"1234")
    broken.tensor_shape.dim.add(size=7)
    provider.add([_bad_event(tag, broken)])
    contents = _contents(Store(), provider)
    assert 0 < len(contents.table.steps) < 6000
    assert [problem.tag for problem in contents.problems] == [tag]


class _TooLarge(grpc.RpcError):
    def code(self) -> Any:
        return grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_series_that_is_too_large_for_a_reply_is_named() -> None:
    """The others are read without it."""
    provider = FakeProvider()
    provider.add(recording_events(*_ramp(0, 6000)))
    tag = sorted(provider.events[RUN])[0]
    provider.failing[tag] = _TooLarge()
    (problem,) = _contents(Store(), provider).problems
    assert problem.tag == tag
    assert "too large" in problem.reason


def test_a_failing_server_fails_the_request_and_is_asked_again() -> None:
    """A lost connection is no property of a series; nothing of it is kept."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*_ramp(0, 10)))
    _contents(store, provider)
    provider.add(recording_events(*_ramp(10, 20), number=1)[1:])
    tag = max(tag for tag in provider.events[RUN] if not tag.endswith("layout"))
    provider.failing[tag] = RuntimeError("The connection was lost.")
    with pytest.raises(RuntimeError, match="connection"):
        _contents(store, provider)
    provider.failing.clear()
    assert _contents(store, provider).table.steps.tolist() == list(range(20))


def test_a_series_that_is_not_loaded_yet_is_left_for_later() -> None:
    """TensorBoard's Python loader lists a series before it can be read."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*_ramp(0, 10)))
    (tag,) = [tag for tag in provider.events[RUN] if not tag.endswith("layout")]
    provider.failing[tag] = KeyError(tag)
    contents = _contents(store, provider)
    assert (len(contents.table.steps), contents.problems) == (0, ())
    provider.failing.clear()
    assert len(_contents(store, provider).table.steps) == 10


def test_a_newer_layout_is_named_and_its_blocks_left_out() -> None:
    """Blocks of the layouts that can be read are shown."""
    provider = FakeProvider()
    provider.add(recording_events(*_ramp(0, 10)))
    newer = Layout((TOTAL,))
    events = recording_events([10], [[1.0]], newer, number=1)
    events[0].summary.value[0].tensor.string_val[0] = b'{"version": 99}'
    provider.add(events)
    contents = _contents(Store(), provider)
    assert len(contents.table.steps) == 10
    (problem,) = contents.problems
    assert problem.tag == layout_tag(NAME, layout_id(newer))
    assert "version 99" in problem.reason


def test_a_missing_layout_is_named_until_it_comes() -> None:
    """The blocks are shown as soon as the layout is there."""
    provider, store = FakeProvider(), Store()
    layout, *blocks = recording_events(*_ramp(0, 10))
    provider.add(blocks)
    contents = _contents(store, provider)
    assert len(contents.table.steps) == 0
    assert "missing" in contents.problems[0].reason
    provider.add([layout])
    contents = _contents(store, provider)
    assert (len(contents.table.steps), contents.problems) == (10, ())


def test_a_foreign_series_stands_for_itself() -> None:
    """It is listed with its reason, and disturbs nobody."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*_ramp(0, 10)))
    provider.add([_bad_event("foreign", tensor_util.make_tensor_proto(1.0))])
    foreign, losses = store.recordings(TensorBoardSource(provider, None))
    assert (foreign.entry.name, foreign.columns) == ("foreign", ())
    assert "neither" in foreign.problems[0].reason
    assert (losses.entry.name, losses.columns, losses.problems) == (NAME, LAYOUT.columns, ())


def test_a_summary_needs_no_rows() -> None:
    """The index and the layouts tell the columns and the last step, also after a restart."""
    provider = FakeProvider()
    provider.add(recording_events(*_ramp(0, 100)))
    provider.add(recording_events(*_ramp(20, 30), writer="2"))
    (summary,) = Store().recordings(TensorBoardSource(provider, None))
    assert summary.entry.last_step == 29
    assert summary.entry.last_wall_time == 29.0
    assert all(tag.endswith("layout") for tag in provider.reads)


def test_runs_sort_with_numbers_by_value() -> None:
    """As a reader expects a sweep to be listed."""
    provider = FakeProvider()
    runs = ["lr=0.5", "lr=1e-05", "lr=10", "lr=2", "lr=0.01"]
    for run in runs:
        provider.add(recording_events(*_ramp(0, 1)), run)
    summaries = Store().recordings(TensorBoardSource(provider, None))
    assert [summary.entry.run for summary in summaries] == [
        "lr=1e-05",
        "lr=0.01",
        "lr=0.5",
        "lr=2",
        "lr=10",
    ]


def test_layouts_of_many_runs_are_read_together() -> None:
    """One question, however many runs: each costs TensorBoard's data server some 40 ms."""
    provider, store = FakeProvider(), Store()
    for i in range(50):
        layout = Layout((DATA, Term(f"term {i % 7}")))
        provider.add(recording_events([0], [[1, 2]], layout), f"run {i}")
    summaries = store.recordings(TensorBoardSource(provider, None))
    assert [len(summary.columns) for summary in summaries] == [2] * 50
    assert len(provider.calls) == 1
    store.recordings(TensorBoardSource(provider, None))
    assert len(provider.calls) == 1


def test_a_recording_that_vanished_is_gone() -> None:
    """A deleted run is not shown from memory; one of the same name starts afresh."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*_ramp(0, 10)))
    _contents(store, provider)
    provider.events.clear()
    assert store.contents(TensorBoardSource(provider, None), RUN, NAME) is None
    provider.add(recording_events([0], [[1, 1, 1]], writer="2"))
    assert _rows(_contents(store, provider)) == {0: [1, 1, 1]}


def test_replaced_segments_are_forgotten() -> None:
    """A run that was deleted and recorded again between two requests shows the new rows only."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*_ramp(0, 10)))
    _contents(store, provider)
    provider.events.clear()
    provider.add(recording_events([20], [[1, 1, 1]], writer="2"))
    assert _rows(_contents(store, provider)) == {20: [1, 1, 1]}


_BLOCKS = st.tuples(
    st.integers(1, 3),  # Its writer.
    st.sampled_from([("a",), ("b", "a"), ("c",)]),  # Its columns.
    st.lists(st.integers(0, 20), min_size=1, max_size=5, unique=True).map(sorted),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(_BLOCKS, min_size=1, max_size=3), max_size=5))
def test_a_growing_store_equals_a_replay(
    batches: list[list[tuple[int, tuple[str, ...], list[int]]]],
) -> None:
    """After each batch it holds what replaying everything so far into a dict gives.

    It tells the same restarts, too.
    """
    provider, store = FakeProvider(), Store()
    written: list[tuple[tuple[int, int], dict[int, dict[str, float]]]] = []
    for batch in batches:
        for writer, names, steps in batch:
            number = len(written)
            rows = [[1.0 * number + i for i in range(len(names))]] * len(steps)
            layout = Layout(tuple(Term(name) for name in names))
            provider.add(recording_events(steps, rows, layout, writer=str(writer), number=number))
            row = dict(zip(names, rows[0], strict=True))
            written.append(((writer, number), dict.fromkeys(steps, row)))
        replayed: dict[int, dict[str, float]] = {}
        restarts: dict[int, int] = {}
        writer_before = -1
        for (writer, _), block in sorted(written, key=lambda item: item[0]):
            first, last = min(block), max(replayed, default=-1)
            replayed = {step: row for step, row in replayed.items() if step < first}
            restarts = {step: before for step, before in restarts.items() if step < first}
            if replayed and (first <= last or writer != writer_before):
                restarts[first] = last
            replayed |= block
            writer_before = writer
        contents = _contents(store, provider)
        assert _recorded(contents) == dict(sorted(replayed.items()))
        assert contents.restarts == tuple(restarts.items())


def _recorded(contents: Contents) -> dict[int, dict[str, float]]:
    """Returns what was recorded at each step, by column's name."""
    table = contents.table
    by_row = np.repeat(table.recorded, np.diff(table.stretches), axis=0)
    return {
        step: {
            column.name: float(table.values[i, row])
            for i, column in enumerate(table.columns)
            if by_row[row, i]
        }
        for row, step in enumerate(table.steps.tolist())
    }


def test_concurrent_requests_read_each_segment_once() -> None:
    """All of them get the same rows."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*_ramp(0, 6000)))
    barrier = threading.Barrier(8)

    def ask(_: int) -> Any:
        barrier.wait()
        return _contents(store, provider).table

    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(ask, range(8)))
    assert all(table is tables[0] for table in tables)
    assert set(provider.reads.values()) == {1}


def test_replies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments are asked for together, as many as a reply may hold."""
    provider = FakeProvider()
    provider.add(recording_events(*_ramp(0, 12_800)))
    segment_bytes = 10 * 256 * 5 * 4
    monkeypatch.setattr(source_module, "MAX_BATCH_BYTES", 2 * segment_bytes)
    assert len(_contents(Store(), provider).table.steps) == 12_800
    segments = [len(call) for call in provider.calls if not call[0].endswith("layout")]
    assert segments == [2, 2, 1]


def test_a_run_that_is_written_anew_has_its_new_layout() -> None:
    """Also under the id of the old one, as a writer of another's may have it."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([0], [[3, 2, 1]]))
    assert _contents(store, provider).table.columns == LAYOUT.columns
    renamed = Layout((TOTAL, DATA, Term("other")))
    events = recording_events([0], [[3, 2, 1]], renamed)
    old, new = layout_id(LAYOUT), layout_id(renamed)
    for event in events:
        event.summary.value[0].tag = event.summary.value[0].tag.replace(new, old)
        event.wall_time += 100
    provider.events.clear()
    provider.add(events)
    assert _contents(store, provider).table.columns == renamed.columns
    (listed,) = store.recordings(TensorBoardSource(provider, None))
    assert listed.columns == renamed.columns


def test_the_list_is_made_anew_only_where_something_changed() -> None:
    """It is the very same one otherwise; a layout that is not loaded yet is looked for again."""
    provider, store = FakeProvider(), Store()
    source = TensorBoardSource(provider, None)
    layout, rows = recording_events([0], [[3, 2, 1]])
    provider.add([rows])
    assert not store.recordings(source)[0].columns
    provider.add([layout])
    listed = store.recordings(source)
    assert listed[0].columns == LAYOUT.columns
    assert store.recordings(source) is listed
    provider.add(recording_events([1], [[3, 2, 1]])[1:])
    assert store.recordings(source)[0].entry.last_step == 1


def test_one_tag_hides_no_recording() -> None:
    """It is named, in few words, however long it is."""
    provider = FakeProvider()
    provider.add(recording_events([0], [[3, 2, 1]]))
    (event,) = recording_events([0], [[3, 2, 1]], name="bad")[1:]
    event.summary.value[0].tag = "losses/x/w/" + "1" * 5_000
    provider.add([event])
    listed = Store().recordings(TensorBoardSource(provider, None))
    assert {entry.entry.name for entry in listed if entry.columns} == {NAME}
    (problem,) = (problem for entry in listed for problem in entry.problems)
    assert len(problem.tag) + len(problem.reason) < 1_500


def test_layouts_are_remembered_of_few_experiments() -> None:
    """Any number of names can be asked for, and all of them have the same runs."""
    provider, store = FakeProvider(), Store(max_bytes=0)
    columns = [Term(f"a-term-with-a-long-name-{i}") for i in range(2_000)]
    provider.add(recording_events([0], np.ones((1, 2_000)), Layout(tuple(columns))))
    tracemalloc.start()
    sizes = []
    for experiment in range(60):
        store.recordings(TensorBoardSource(provider, None, f"x{experiment}"))
        # What refers to itself is given back when Python comes to it, sooner or later.
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[-1] < 1.1 * sizes[9]
