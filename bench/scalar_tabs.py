"""What the plugin costs a TensorBoard of plain scalars: its start, and the other tabs."""

from __future__ import annotations

import resource
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from bench.report import Section, within
from tests.scalar_logs import write_scalars
from tests.tensorboard_process import get, get_json, start_tensorboard

_LISTING = "data/plugins_listing"
_RECORDINGS = "data/plugin/regularization/recordings"
_OTHER_TAB = "data/plugin/scalars/tags"


def measure(quick: bool) -> list[Section]:
    """Starts TensorBoard with and without the plugin, and looks for compositions in many runs."""
    with tempfile.TemporaryDirectory() as directory:
        return [_starts(Path(directory) / "plain", quick), _look(Path(directory) / "losses", quick)]


def _starts(root: Path, quick: bool) -> Section:
    runs, repeats = (200, 1) if quick else (5_000, 3)
    section = Section(
        "The start of a TensorBoard without losses",
        f"{runs:,} runs of 5 scalars that are in no loss. From starting the process until the list "
        "of tabs is answered, and until all runs are loaded while that list is asked for every "
        "half second; and the processor time of its Python by then. In turns, medians.",
        ["loader", "what", "without", "with", "ratio"],
    )
    series = {f"metrics/accuracy_{i}": (np.arange(3), np.ones(3)) for i in range(5)}
    for run in range(runs):
        write_scalars(root / f"run_{run}", series)
    for fast in ("true", "false"):
        found: dict[bool, list[tuple[float, float, float]]] = {True: [], False: []}
        for turn in range(2 * repeats):
            is_with = bool(turn % 2)
            found[is_with].append(_start(root, fast, is_with, runs))
        for place, what in enumerate(("tabs listed", "runs loaded", "processor")):
            without, with_ = (
                statistics.median(each[place] for each in found[which]) for which in (False, True)
            )
            ratio = with_ / without
            name = {"true": "data server", "false": "Python"}[fast]
            section.add(name, what, f"{without:.2f} s", f"{with_:.2f} s", f"{ratio:.3f}")
    return section


def _start(root: Path, fast: str, is_with: bool, runs: int) -> tuple[float, float, float]:
    before, start = _processor_seconds(), time.perf_counter()
    with start_tensorboard(root, f"--load_fast={fast}", dynamic_plugins=is_with) as address:
        listing = get_json(address + _LISTING)
        listed = time.perf_counter() - start
        assert ("regularization" in listing) == is_with
        while len(get_json(f"{address}data/runs")) < runs:
            time.sleep(0.5)
            get(address + _LISTING)
        loaded = time.perf_counter() - start
    return listed, loaded, _processor_seconds() - before


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _look(root: Path, quick: bool) -> Section:
    runs = 50 if quick else 1_000
    section = Section(
        "Compositions of many runs",
        f"{runs:,} runs of 50 scalars × 20 steps, one of ten with a loss that adds up, all loaded: "
        "from opening the tab until all its cards are listed, alone, and while another tab's "
        f"`{_OTHER_TAB}` is asked again and again; and how long that takes before and meanwhile: "
        "median, and what 95 % are within.",
        ["loader", "alone", "beside another tab", "that before", "meanwhile", "ratio of medians"],
    )
    steps = np.arange(20)
    random = np.random.default_rng(0)
    for run in range(runs):
        values = {f"metrics/accuracy_{i}": random.random(20) for i in range(47)}
        if run % 10 == 0:
            parts = {f"{name}_loss": random.random(20) for name in ("data", "l2")}
            values |= parts | {"total_loss": np.sum(list(parts.values()), axis=0)}
        write_scalars(root / f"run_{run}", {tag: (steps, each) for tag, each in values.items()})
    for fast in ("true", "false"):
        alone, _, _ = _listed(root, fast, runs, is_alone=True)
        beside, before, meanwhile = _listed(root, fast, runs, is_alone=False)
        name = {"true": "data server", "false": "Python"}[fast]
        ratio = statistics.median(meanwhile) / statistics.median(before)
        section.add(
            name,
            f"{alone:.1f} s",
            f"{beside:.1f} s",
            _told(before),
            _told(meanwhile),
            f"{ratio:.2f}",
        )
    return section


def _listed(
    root: Path, fast: str, runs: int, *, is_alone: bool
) -> tuple[float, list[float], list[float]]:
    """Returns how long the list takes, and another tab before and meanwhile, where one asks."""
    with start_tensorboard(root, f"--load_fast={fast}") as address:
        while len(get_json(address + _OTHER_TAB)) < runs:
            time.sleep(0.5)
        time.sleep(10)
        before = [] if is_alone else [_seconds(address + _OTHER_TAB) for _ in range(20)]
        meanwhile: list[float] = []
        is_over = threading.Event()

        def ask() -> None:
            while not is_over.is_set():
                meanwhile.append(_seconds(address + _OTHER_TAB))

        asking = threading.Thread(target=ask)
        start = time.perf_counter()
        if not is_alone:
            asking.start()
        while len(get_json(address + _RECORDINGS)["recordings"]) < runs // 10:
            time.sleep(0.1)
        listed = time.perf_counter() - start
        is_over.set()
        if not is_alone:
            asking.join()
    return listed, before, meanwhile


def _told(times: list[float]) -> str:
    return f"{1e3 * statistics.median(times):.0f} ms, {1e3 * within(0.95, times):.0f} ms"


def _seconds(url: str) -> float:
    start = time.perf_counter()
    status, _, _ = get(url)
    assert status == 200
    return time.perf_counter() - start
