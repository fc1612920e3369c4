"""The store, over a provider that counts what is asked of it."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tb_regplugin.log_format import layout_id
from tb_regplugin.reading import source as source_module
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Contents, Store
from tb_regplugin.terms import Layout, Term
from tests.fake_provider import RUN, FakeProvider, ramp, read_contents, rows_of
from tests.logs import DATA, LAYOUT, NAME, PENALTY, TOTAL, recording_events


def test_all_rows_are_read() -> None:
    """Over many blocks and segments."""
    provider = FakeProvider()
    provider.add(recording_events(*ramp(0, 6000)))
    contents = read_contents(Store(), provider)
    steps, values = ramp(0, 6000)
    assert rows_of(contents) == dict(zip(steps, values, strict=True))
    assert contents.table.columns == LAYOUT.columns
    assert contents.problems == ()


def test_only_what_moved_is_read_again() -> None:
    """A store that grows asks for the open segment, and for nothing where nothing is new."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*ramp(0, 6000)))
    first = read_contents(store, provider)
    provider.reads.clear()
    assert read_contents(store, provider).table is first.table
    assert not provider.reads
    provider.add(recording_events(*ramp(6000, 6200), number=2)[1:])
    contents = read_contents(store, provider)
    assert contents.table.steps.tolist() == list(range(6200))
    assert len(provider.reads) == 1
    assert first.table.steps.tolist() == list(range(6000))


def test_a_restart_overwrites_from_its_first_step() -> None:
    """Also when the rows that it overwrites were already in the store."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*ramp(0, 10)))
    read_contents(store, provider)
    provider.add(recording_events([4, 5], [[9, 9, 9]] * 2, writer="2"))
    contents = read_contents(store, provider)
    assert contents.table.steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert rows_of(contents)[5] == [9, 9, 9]
    assert rows_of(contents) == rows_of(read_contents(Store(), provider))


def test_a_writer_that_started_earlier_yields_to_a_later_one() -> None:
    """What it still writes after the later one began is not shown."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([0, 1], [[1, 1, 1]] * 2, writer="1"))
    provider.add(recording_events([5, 6], [[2, 2, 2]] * 2, writer="2"))
    read_contents(store, provider)
    provider.add(recording_events([3, 7], [[1, 1, 1]] * 2, writer="1", number=1))
    assert read_contents(store, provider).table.steps.tolist() == [0, 1, 3, 5, 6]


def test_layouts_are_stitched() -> None:
    """Columns are united; a gap is told apart from a recorded NaN, and the latest term wins."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([0, 1], np.array([[3, 2, np.nan], [3, 2, 1]])))
    read_contents(store, provider)
    stronger = Term("kernel", kind="l2", strength=0.02)
    other = Layout((TOTAL, Term("bias"), DATA, stronger))
    provider.add(recording_events([2, 3], [[4, 0.5, 2, 1.5]] * 2, other, number=1))
    for contents in (read_contents(store, provider), read_contents(Store(), provider)):
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
    read_contents(store, provider)
    early = Layout((Term("bias"), PENALTY))
    provider.add(recording_events([1], [[0.5, 0.25]], early, writer="1"))
    contents = read_contents(store, provider)
    np.testing.assert_array_equal(
        contents.table.values.T,
        [[0.5, 0.25, np.nan, np.nan], [np.nan, 1, 3, 2], [np.nan, 1, 3, 2]],
    )


def test_columns_of_which_no_row_is_left_are_gone() -> None:
    """As where a model is made anew, with other names; they come again with a row of theirs."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([0, 1], [[3, 2, 1]] * 2))
    read_contents(store, provider)
    other = Layout((TOTAL, DATA, Term("kernel_1")))
    provider.add(recording_events([0, 1], [[6, 5, 4]] * 2, other, writer="2"))
    for contents in (read_contents(store, provider), read_contents(Store(), provider)):
        assert contents.table.columns == other.columns
        assert rows_of(contents) == {0: [6, 5, 4], 1: [6, 5, 4]}
    provider.add(recording_events([2], [[3, 2, 1]], writer="3"))
    for contents in (read_contents(store, provider), read_contents(Store(), provider)):
        assert contents.table.columns == (TOTAL, DATA, PENALTY, Term("kernel_1"))
        np.testing.assert_array_equal(rows_of(contents)[2], [3, 2, 1, np.nan])


def test_a_summary_needs_no_rows() -> None:
    """The index and the layouts tell the columns and the last step, also after a restart."""
    provider = FakeProvider()
    provider.add(recording_events(*ramp(0, 100)))
    provider.add(recording_events(*ramp(20, 30), writer="2"))
    (summary,) = Store().recordings(TensorBoardSource(provider, None))
    assert summary.entry.last_step == 29
    assert summary.entry.last_wall_time == 29.0
    assert all(tag.endswith("layout") for tag in provider.reads)


def test_runs_sort_with_numbers_by_value() -> None:
    """As a reader expects a sweep to be listed."""
    provider = FakeProvider()
    runs = ["lr=0.5", "lr=1e-05", "lr=10", "lr=2", "lr=0.01"]
    for run in runs:
        provider.add(recording_events(*ramp(0, 1)), run)
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
    provider.add(recording_events(*ramp(0, 10)))
    read_contents(store, provider)
    provider.events.clear()
    assert store.contents(TensorBoardSource(provider, None), RUN, NAME) is None
    provider.add(recording_events([0], [[1, 1, 1]], writer="2"))
    assert rows_of(read_contents(store, provider)) == {0: [1, 1, 1]}


def test_replaced_segments_are_forgotten() -> None:
    """A run that was deleted and recorded again between two requests shows the new rows only."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events(*ramp(0, 10)))
    read_contents(store, provider)
    provider.events.clear()
    provider.add(recording_events([20], [[1, 1, 1]], writer="2"))
    assert rows_of(read_contents(store, provider)) == {20: [1, 1, 1]}


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
        contents = read_contents(store, provider)
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
    provider.add(recording_events(*ramp(0, 6000)))
    barrier = threading.Barrier(8)

    def ask(_: int) -> Any:
        barrier.wait()
        return read_contents(store, provider).table

    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(ask, range(8)))
    assert all(table is tables[0] for table in tables)
    assert set(provider.reads.values()) == {1}


def test_replies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments are asked for together, as many as a reply may hold."""
    provider = FakeProvider()
    provider.add(recording_events(*ramp(0, 12_800)))
    segment_bytes = 10 * 256 * 5 * 4
    monkeypatch.setattr(source_module, "MAX_BATCH_BYTES", 2 * segment_bytes)
    assert len(read_contents(Store(), provider).table.steps) == 12_800
    segments = [len(call) for call in provider.calls if not call[0].endswith("layout")]
    assert segments == [2, 2, 1]


def test_a_run_that_is_written_anew_has_its_new_layout() -> None:
    """Also under the id of the old one, as a writer of another's may have it."""
    provider, store = FakeProvider(), Store()
    provider.add(recording_events([0], [[3, 2, 1]]))
    assert read_contents(store, provider).table.columns == LAYOUT.columns
    renamed = Layout((TOTAL, DATA, Term("other")))
    events = recording_events([0], [[3, 2, 1]], renamed)
    old, new = layout_id(LAYOUT), layout_id(renamed)
    for event in events:
        event.summary.value[0].tag = event.summary.value[0].tag.replace(new, old)
        event.wall_time += 100
    provider.events.clear()
    provider.add(events)
    assert read_contents(store, provider).table.columns == renamed.columns
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


def test_layouts_are_remembered_of_few_experiments() -> None:
    """Any number of names can be asked for, and all of them have the same runs."""
    provider, store = FakeProvider(), Store(max_bytes=0)
    columns = [Term(f"a-term-with-a-long-name-{i}") for i in range(2_000)]
    provider.add(recording_events([0], np.ones((1, 2_000)), Layout(tuple(columns))))
    tracemalloc.start()
    sizes = []
    for first, last in ((0, 10), (10, 60)):
        for experiment in range(first, last):
            store.recordings(TensorBoardSource(provider, None, f"x{experiment}"))
        # What refers to itself is given back when Python comes to it, sooner or later.
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] < 1.1 * sizes[0]
