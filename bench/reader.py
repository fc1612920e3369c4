"""The store over a log directory, without TensorBoard and HTTP: what answering itself takes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from tb_regplugin.reading.answers import curves_answer
from tb_regplugin.reading.event_files import EventFiles, find_runs
from tb_regplugin.reading.query import parse_curves
from tb_regplugin.reading.store import Contents, Store


class Reader:
    """Answers for one recording a run."""

    def __init__(self, runs: Mapping[str, list[str]], max_bytes: int | None = None) -> None:
        self.store = Store(max_bytes)
        self._runs = runs

    def contents(self, run: int = 0) -> Contents:
        """Returns a run's rows."""
        name = f"run_{run:03d}"
        contents = self.store.contents(EventFiles(name, self._runs[name]), name, "losses")
        assert contents is not None
        return contents

    def curves(self, query: Mapping[str, str], run: int = 0) -> bytes:
        """Answers as the route does."""
        answer = curves_answer("run", "losses", self.contents(run), parse_curves(query))
        self.store.trim()
        return answer


@contextlib.contextmanager
def open_reader(directory: Path, max_bytes: int | None = None) -> Iterator[Reader]:
    """Opens a log directory."""
    yield Reader(find_runs(str(directory)), max_bytes)


class PeakMemory:
    """How much this process's resident memory grows at most while the context lasts, in bytes."""

    def __enter__(self) -> PeakMemory:
        self._before, self._done = resident(), threading.Event()
        self.peak = 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self.peak = max(self.peak, resident() - self._before)


def resident() -> int:
    """Returns this process's resident memory in bytes; 0 where the system does not say."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    return 0
