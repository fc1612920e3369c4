"""Looking at many recordings, each once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tb_regplugin.reading import remembered
from tb_regplugin.reading.remembered import ListedOnce, Remembered
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Contents, ListedRecording, Store
from tests.fake_provider import FakeProvider
from tests.logs import recording_events

RUNS = [f"run{i:02}" for i in range(50)]


class _Rows:
    """How many rows each recording of a provider has, and at which one looked."""

    def __init__(self) -> None:
        self.provider, self.store = FakeProvider(), Store()
        self.looked: list[int] = []
        self._known = Remembered[int | str | None](self.store, lambda reason: reason, at_most=100)
        for i, run in enumerate(RUNS):
            self.write(run, i + 1)

    def write(self, run: str, rows: int) -> None:
        steps = range(rows)
        self.provider.add(recording_events(steps, [[3, 2, 1]] * rows, writer=f"{run} {rows}"), run)

    def ask(self, seconds: float = 100.0) -> dict[str, int | str | None]:
        source = ListedOnce(TensorBoardSource(self.provider, None))
        listed: Sequence[ListedRecording] = self.store.recordings(source)
        self.provider.calls.clear()
        found = self._known.of(source, listed, self._look, seconds)
        return {run: rows for (run, _), rows in found.items()}

    def _look(self, contents: Contents) -> int:
        self.looked.append(len(contents.table.steps))
        return self.looked[-1]


def test_many_recordings_are_read_at_once() -> None:
    """One reply has the rows of all."""
    rows = _Rows()
    assert rows.ask() == {run: i + 1 for i, run in enumerate(RUNS)}
    assert len(rows.provider.calls) == 1


def test_only_what_changed_is_looked_at_again() -> None:
    """And read again."""
    rows = _Rows()
    rows.ask()
    rows.looked.clear()
    rows.write(RUNS[7], 99)
    assert rows.ask()[RUNS[7]] == 99
    assert rows.looked == [99]
    assert len(rows.provider.calls) == 1


def test_what_two_ask_for_at_once_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes while another one reads waits, and looks at the same rows."""
    rows = _Rows()
    read = rows.provider.read_tensors

    def read_slowly(*arguments: Any, **named: Any) -> Any:
        time.sleep(0.2)
        return read(*arguments, **named)

    monkeypatch.setattr(rows.provider, "read_tensors", read_slowly)
    # Layouts are read with the list.
    rows.store.recordings(TensorBoardSource(rows.provider, None))
    rows.provider.reads.clear()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(rows.ask, [100.0, 100.0]))
    assert found == [{run: i + 1 for i, run in enumerate(RUNS)}] * 2
    assert list(rows.provider.reads.values()) == [1] * len(RUNS)


def test_one_that_fails_hides_no_other() -> None:
    """The reason stands for it, and is not remembered."""
    rows = _Rows()
    (tag,) = (tag for tag in rows.provider.events[RUNS[3]] if "layout" not in tag)
    rows.provider.failing[tag] = RuntimeError("broken")
    assert rows.ask() == {run: i + 1 for i, run in enumerate(RUNS)} | {
        RUNS[3]: "RuntimeError: broken"
    }
    rows.provider.failing.clear()
    assert rows.ask()[RUNS[3]] == 4


def test_what_there_is_no_time_for_comes_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at least: a recording and its validation."""
    monkeypatch.setattr(remembered, "_LEAST", 2**30)
    rows = _Rows()
    assert [len(rows.ask(0.0)) for _ in range(26)] == [*range(2, 51, 2), 50]
    assert rows.looked == list(range(1, 51))
