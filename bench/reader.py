"""The store over a log directory, without HTTP: what the server itself takes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from tb_regplugin.reading.answers import curves_answer
from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.log_directory import open_log_directory
from tb_regplugin.reading.query import parse_curves
from tb_regplugin.reading.source import Source
from tb_regplugin.reading.store import Store


class Reader:
    """Answers for one recording a run."""

    def __init__(self, source: Source, max_bytes: int | None = None) -> None:
        self.store = Store(max_bytes)
        self._source = source

    def contents(self, run: int = 0) -> Contents:
        """Returns a run's rows."""
        contents = self.store.contents(self._source, f"run_{run:03d}", "losses")
        assert contents is not None
        return contents

    def curves(self, query: Mapping[str, str], run: int = 0) -> bytes:
        """Answers as the route does."""
        answer = curves_answer("run", "losses", self.contents(run), parse_curves(query))
        self.store.trim()
        return answer


@contextlib.contextmanager
def open_reader(directory: Path, max_bytes: int | None = None) -> Iterator[Reader]:
    """Opens a log directory with TensorBoard's data server."""
    with open_log_directory(str(directory)) as source:
        yield Reader(source, max_bytes)


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
