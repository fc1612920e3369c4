"""Recordings that grow while they are asked for, by many, and within little memory."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins import base_plugin
from werkzeug.test import Client

from tb_regplugin.loader import cache_mb
from tb_regplugin.log_format import layout_id
from tb_regplugin.plugin import RegularizationPlugin
from tb_regplugin.reading.answers import curves_answer
from tb_regplugin.reading.query import parse_curves
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Store
from tb_regplugin.terms import Layout, Term
from tests.curves import decode_curves
from tests.fake_provider import FakeProvider
from tests.logs import DATA, NAME, TOTAL, recording_events

CLIENTS = 32


class CountingProvider(FakeProvider):
    """Counts how often each state of a series was read."""

    def __init__(self) -> None:
        super().__init__()
        self.states: Counter[tuple[str, int]] = Counter()
        self.lock = threading.RLock()

    def add(self, *arguments: Any) -> None:
        """Takes up what was written, all at once."""
        with self.lock:
            super().add(*arguments)

    def list_tensors(self, *arguments: Any, **named: Any) -> Any:
        """Lists series as they are at one moment."""
        with self.lock:
            return super().list_tensors(*arguments, **named)

    def read_tensors(self, *arguments: Any, **named: Any) -> Any:
        """Reads series as they are at one moment."""
        with self.lock:
            found = super().read_tensors(*arguments, **named)
            for tags in found.values():
                self.states.update((tag, len(events)) for tag, events in tags.items())
            return found


def _layout(terms: int) -> Layout:
    return Layout((TOTAL, DATA, *(Term(f"l{i}/kernel", kind="l2") for i in range(terms))))


def _values(steps: npt.NDArray[np.int64], terms: int) -> npt.NDArray[np.float64]:
    """Returns values that tell their step and column."""
    parts = (steps[:, np.newaxis] % 1000) + np.arange(terms + 1) / 8
    return np.column_stack([parts.sum(axis=1), parts])


def test_many_clients_ask_while_a_log_grows() -> None:
    """No error, no answer that never was true, and nothing read twice that had not moved."""
    provider, layout, batch, batches, terms = CountingProvider(), _layout(6), 640, 24, 6
    plugin = RegularizationPlugin(base_plugin.TBContext(data_provider=provider))
    provider.add(recording_events([0], _values(np.zeros(1, np.int64), terms), layout, writer="0"))
    done = threading.Event()

    def grow() -> None:
        for i in range(batches):
            steps = 1 + np.arange(i * batch, (i + 1) * batch)
            events = recording_events(steps, _values(steps, terms), layout, number=i // 3)[1:]
            provider.add(events)
            time.sleep(0.02)
        done.set()

    def ask(client: int) -> int:
        answers, rows = 0, 0
        while not (done.is_set() and rows == 1 + batch * batches):
            query = {"run": "run", "name": NAME, "top": client % 4, "buckets": 50 + client}
            response = Client(plugin.get_plugin_apps()["/curves"]).get(query_string=query)
            assert response.status_code == 200, response.text
            header, arrays = decode_curves(response.data)
            assert header["rows"] >= rows, "Rows were lost."
            rows = header["rows"]
            _check_answer(header, arrays, terms)
            answers += 1
        return answers

    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        growing = pool.submit(grow)
        answers = list(pool.map(ask, range(CLIENTS)))
        growing.result()
    assert min(answers) >= 1
    assert set(provider.states.values()) == {1}


def _check_answer(header: dict[str, Any], arrays: dict[str, Any], terms: int) -> None:
    """Checks that an answer is of all rows up to one, and of each as it was written."""
    steps = np.arange(header["rows"])
    values = _values(steps, terms).astype(np.float32)
    assert header["last_step"] == steps[-1]
    starts = arrays["first_step"].astype(int)
    assert starts[0] == 0
    assert (arrays["rows"].sum(axis=1) == len(steps)).all()
    for i, column in enumerate(header["columns"][:2]):
        np.testing.assert_array_equal(arrays["max"][i], np.maximum.reduceat(values[:, i], starts))
        np.testing.assert_array_equal(arrays["min"][i], np.minimum.reduceat(values[:, i], starts))
        assert column["role"] in ("total", "data")
    np.testing.assert_array_equal(arrays["max"][-1], 0)


@given(st.lists(st.tuples(st.integers(1, 9_000), st.integers(0, 40)), min_size=1, max_size=6))
@settings(deadline=None, max_examples=30)
def test_growing_answers_as_reading_anew_does(batches: list[tuple[int, int]]) -> None:
    """Byte by byte, through restarts that overwrite what was read, and summaries made before."""
    provider, store, layout = FakeProvider(), Store(), _layout(2)
    step, queries = 0, [parse_curves({"buckets": "3", "smoothing": "0.9"}), parse_curves({})]
    for number, (rows, back) in enumerate(batches):
        step = max(0, step - back)
        steps = np.arange(step, step + rows)
        values = _values(steps, 2) + number
        writer = str(100 + number if back else 100)
        provider.add(recording_events(steps, values, layout, writer=writer, number=10 * number))
        step += rows
        for query in queries:
            grown = store.contents(TensorBoardSource(provider, None), "run", NAME)
            fresh = Store().contents(TensorBoardSource(provider, None), "run", NAME)
            assert grown is not None
            assert fresh is not None
            assert grown.version == fresh.version
            answer = curves_answer("run", NAME, grown, query)
            assert answer == curves_answer("run", NAME, fresh, query)


def test_rows_are_not_copied_when_a_recording_grows() -> None:
    """There is room behind those that are there, and an older answer's rows stay as they were."""
    provider, store, layout = FakeProvider(), Store(), _layout(2)
    steps = np.arange(20_000)
    provider.add(recording_events(steps, _values(steps, 2), layout))
    first = store.contents(TensorBoardSource(provider, None), "run", NAME)
    more = np.arange(20_000, 20_100)
    provider.add(recording_events(more, _values(more, 2), layout, number=50)[1:])
    second = store.contents(TensorBoardSource(provider, None), "run", NAME)
    assert first is not None
    assert second is not None
    assert len(first.table.steps) == 20_000
    assert len(second.table.steps) == 20_100
    assert np.shares_memory(first.table.values, second.table.values)


def _ask_all(store: Store, provider: FakeProvider, runs: int, cap: int) -> None:
    query = parse_curves({"buckets": "10"})
    for run in range(runs):
        contents = store.contents(TensorBoardSource(provider, None), f"run {run}", NAME)
        assert contents is not None
        _, arrays = decode_curves(curves_answer("", NAME, contents, query))
        store.trim()
        assert store.nbytes <= cap
        expected = _values(np.arange(2000), 30)[:, 1].reshape(10, 200).max(axis=1) + run
        np.testing.assert_array_equal(arrays["max"][1], expected)


def test_memory_stays_within_its_cap() -> None:
    """The recordings that were not asked for the longest go, and are right when they are back."""
    provider, layout, runs, cap = CountingProvider(), _layout(30), 40, 4 * 2**20
    for run in range(runs):
        steps = np.arange(2000)
        values = _values(steps, 30) + run
        provider.add(recording_events(steps, values, layout), f"run {run}")
    store = Store(cap)
    _ask_all(store, provider, runs, cap)
    _ask_all(store, provider, runs, cap)
    segments = {tag: n for (tag, _), n in provider.states.items() if not tag.endswith("layout")}
    assert set(segments.values()) == {2 * runs}
    assert store.nbytes > cap / 2
    # The one that was asked for last is in memory.
    provider.states.clear()
    assert store.contents(TensorBoardSource(provider, None), f"run {runs - 1}", NAME) is not None
    assert not provider.states


def test_memory_is_in_proportion_to_what_is_held() -> None:
    """Rows, room for more and summaries take at most 1.5 times the recorded float32."""
    provider, store, layout = FakeProvider(), Store(), _layout(14)
    steps = np.arange(100_000)
    provider.add(recording_events(steps, _values(steps, 14), layout))
    contents = store.contents(TensorBoardSource(provider, None), "run", NAME)
    assert contents is not None
    query = parse_curves({"smoothing": "0.9", "top": "5"})
    curves_answer("run", NAME, contents, query)
    assert store.nbytes <= 1.5 * 4 * 16 * len(steps)


def test_one_recording_is_kept_whatever_the_cap() -> None:
    """It could not be answered otherwise."""
    provider, store = FakeProvider(), Store(0)
    provider.add(recording_events([0], _values(np.zeros(1, np.int64), 2), _layout(2)))
    for _ in range(2):
        assert store.contents(TensorBoardSource(provider, None), "run", NAME) is not None
    tag = f"{NAME}/{layout_id(_layout(2))}/1/000000"
    assert provider.reads[tag] == 1


def test_the_cap_is_a_flag() -> None:
    """Without flags, or with a wrong one, there is a default."""

    class Flags:
        regularization_cache_mb: Any = 64

    assert cache_mb(Flags()) == 64
    Flags.regularization_cache_mb = -5
    assert cache_mb(Flags()) == 0
    for nothing in (None, object()):
        assert cache_mb(nothing) == 1024
