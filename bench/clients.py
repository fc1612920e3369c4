"""32 clients that ask a real TensorBoard at once, while the log grows."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.logs import Workload, chunk_values, chunks, write_blocks
from bench.report import Section
from tests.curves import decode_curves
from tests.tensorboard_process import get, start_tensorboard, wait_until

_CLIENTS = 32
_GROWTH = 1000  # steps
_ROUTE = "data/plugin/regularization/curves?"


def measure(quick: bool) -> Section:
    """Asks without pause, and checks each answer against what was written."""
    section = Section(
        f"{_CLIENTS} clients at once, while the log grows",
        f"Each asks for 200 buckets of the 8 largest terms, again and again, while {_GROWTH:,} "
        "steps are written every second. Wrong: an answer whose rows are not the first ones that "
        "were written, or whose maxima are not theirs.",
        ["log", "grown to", "answers", "errors", "wrong", "median", "95 % within"],
    )
    workload = Workload("at first", 1, 20_000, 16)
    rounds = 3 if quick else 12
    starts = [workload.steps + i * _GROWTH for i in range(rounds)]
    end = starts[-1] + _GROWTH
    whole = Workload("grown", 1, end, 16)
    parts = chunks(workload, 0) + [
        part for at in starts for part in chunks(whole, 0, at, at + _GROWTH)
    ]
    clients = _Clients(np.concatenate([_values(whole, workload, part) for part in parts]))
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory)
        write_blocks(workload, log)
        with start_tensorboard(log) as address:
            query = {"run": "run_000", "name": "losses", "buckets": "200", "top": "8"}
            url = address + _ROUTE + urllib.parse.urlencode(query)
            wait_until(lambda: get(url)[0] == 200)
            with ThreadPoolExecutor(_CLIENTS) as pool:
                asking = [pool.submit(clients.ask, url, end) for _ in range(_CLIENTS)]
                for i, start in enumerate(starts):
                    write_blocks(whole, log, start, start + _GROWTH, writer=1 + i)
                    time.sleep(1)
                for one in asking:
                    one.result()
    times = sorted(clients.milliseconds)
    section.add(
        str(workload),
        f"{end:,} steps",
        f"{len(times):,}",
        str(clients.errors),
        str(clients.wrong),
        f"{statistics.median(times):.0f} ms",
        f"{times[int(len(times) * 0.95)]:.0f} ms",
    )
    return section


def _values(whole: Workload, first: Workload, part: range) -> npt.NDArray[np.float32]:
    """Returns a part as it is written: spikes are those of the workload it is written for."""
    return chunk_values(first if part.stop <= first.steps else whole, 0, part)


class _Clients:
    def __init__(self, values: npt.NDArray[np.float32]) -> None:
        self._values = values
        self._lock = threading.Lock()
        self.milliseconds: list[float] = []
        self.errors = 0
        self.wrong = 0

    def ask(self, url: str, end: int) -> None:
        rows, deadline = 0, time.monotonic() + 120
        while rows < end and time.monotonic() < deadline:
            start = time.perf_counter()
            status, _, body = get(url)
            taken = (time.perf_counter() - start) * 1000
            right = False
            if status == 200:
                header, arrays = decode_curves(body)
                right = header["rows"] >= rows and self._is_right(header["rows"], arrays)
                rows = header["rows"]
            with self._lock:
                self.milliseconds.append(taken)
                self.errors += status != 200
                self.wrong += status == 200 and not right

    def _is_right(self, rows: int, arrays: dict[str, npt.NDArray[np.float64]]) -> bool:
        starts = arrays["first_step"].astype(int)
        expected = np.maximum.reduceat(self._values[:rows, :2], starts, axis=0).T
        return (
            bool((arrays["max"][:2] == expected).all())
            and int(arrays["last_step"][-1]) == rows - 1
            and bool((arrays["rows"].sum(axis=1) == rows).all())
        )
