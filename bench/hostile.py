"""What requests that ask for much do to a real TensorBoard, and to who else asks it."""

from __future__ import annotations

import functools
import os
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.logs import Workload, write_blocks
from bench.report import Section
from tests.tensorboard_process import get, start_tensorboard, wait_until

_PLUGIN = "data/plugin/regularization"
_CACHE_MB = 16
_EXPERIMENTS = 800
_EXPORTS = 4


def measure(quick: bool) -> Section:
    """Asks for many experiments, and for large exports at once."""
    steps = 15_000 if quick else 150_000
    workload = Workload("one run", 1, steps, 64)
    section = Section(
        "Requests that ask for much",
        f"A real TensorBoard with `--regularization_cache_mb={_CACHE_MB}` over {workload}, "
        f"{steps * 66 / 1e6:.1f} M values. Its process's resident memory before, at most and "
        "after; and how long another tab's list of runs took meanwhile, asked for again and again.",
        ["requests", "before", "at most", "after", "other tab, median", "longest", "took"],
    )
    with tempfile.TemporaryDirectory() as directory:
        write_blocks(workload, Path(directory))
        for load_fast in ("true", "false"):
            arguments = (f"--load_fast={load_fast}", f"--regularization_cache_mb={_CACHE_MB}")
            with start_tensorboard(directory, *arguments) as address:
                recording = f"{address}{_PLUGIN}/curves?run=run_000&name=losses&buckets=100"
                wait_until(functools.partial(_answers, recording))
                for name, ask in (
                    (f"{_EXPERIMENTS} names of experiments", _ask_for_experiments),
                    (f"{_EXPORTS} exports at once", _export),
                    (f"{_EXPORTS} more", _export),
                ):
                    _measure_one(section, f"{name}, `--load_fast={load_fast}`", ask, address)
    return section


def _measure_one(section: Section, name: str, ask: Callable[[str], None], address: str) -> None:
    process = _Process(f"{address}data/runs")
    before = process.resident()
    start = time.perf_counter()
    with process:
        ask(address)
    taken = time.perf_counter() - start
    waits = sorted(process.waits)
    section.add(
        name,
        f"{before:.0f} MiB",
        f"{process.peak:.0f} MiB",
        f"{process.resident():.0f} MiB",
        f"{waits[len(waits) // 2] * 1000:.0f} ms",
        f"{waits[-1] * 1000:.0f} ms",
        f"{taken:.1f} s",
    )


def _answers(url: str) -> bool:
    return get(url)[0] == 200


def _ask_for_experiments(address: str) -> None:
    for i in range(_EXPERIMENTS):
        get(f"{address}experiment/x{i}/{_PLUGIN}/recordings")


def _export(address: str) -> None:
    url = f"{address}{_PLUGIN}/export?run=run_000&name=losses&format=csv"
    with ThreadPoolExecutor(_EXPORTS) as pool:
        list(pool.map(_read_to_the_end, [url] * _EXPORTS))


def _read_to_the_end(url: str) -> None:
    with urllib.request.urlopen(url, timeout=600) as response:
        while response.read(2**16):
            pass


class _Process:
    """TensorBoard's process, watched, and another tab's requests beside."""

    def __init__(self, other_url: str) -> None:
        self._url = other_url
        self._pid = _only_child()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._watch, self._ask)]
        self.waits: list[float] = []
        self.peak = 0.0

    def resident(self) -> float:
        """Returns its resident memory, in MiB."""
        return int(Path(f"/proc/{self._pid}/statm").read_text().split()[1]) / 256

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.peak = max(self.peak, self.resident())

    def _ask(self) -> None:
        while not self._done.wait(0.1):
            start = time.perf_counter()
            get(self._url)
            self.waits.append(time.perf_counter() - start)


def _only_child() -> int:
    [pid] = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return int(pid)
