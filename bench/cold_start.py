"""From starting TensorBoard to data over HTTP, and from there on as the log grows."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.logs import WORKLOADS, Workload, layout, write_blocks, write_scalars
from bench.report import Section
from tests.curves import decode_curves
from tests.tensorboard_process import get, start_tensorboard

_ROUTES = "data/plugin/regularization/"
_GROWTH = 1000  # steps


def measure(quick: bool) -> Section:
    """Starts TensorBoard on empty logs, on recordings, and on the same as scalars, in turns."""
    section = Section(
        "From a cold start to data, over HTTP",
        "From starting the `tensorboard` process until all curves of a run are answered (1,000 "
        "buckets of all columns; for scalars, TensorBoard's sample of all 66 tags, one request "
        "after another, where a browser has some six under way), and how much of that was after "
        "TensorBoard said that it is up. On an empty log directory: until the first answer. Grown: "
        "1,000 more steps were written and loaded; the first answer with them from the same "
        "process. Medians.",
        ["log", "as", "from the start", "after it is up", "answer again", "grown"],
    )
    repeats = 1 if quick else 3
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "empty").mkdir()
        ways: list[tuple[str, Workload, Path, bool]] = []
        for name in ["W1"] if quick else ["W1", "W2", "W4"]:
            workload = WORKLOADS[name]
            write_blocks(workload, root / name)
            ways.append(("tb_regplugin", workload, root / name, False))
            # A million steps of them would take this machine half an hour.
            if name != "W4":
                write_scalars(workload, root / f"{name} scalars")
                ways.append(("scalars", workload, root / f"{name} scalars", True))
        empty: list[tuple[float, float]] = []
        times: dict[int, list[tuple[float, ...]]] = {}
        for _ in range(repeats):
            empty.append(_start_empty(root / "empty"))
            for i, (_, workload, log, scalars) in enumerate(ways):
                grown = sum(_GROWTH for _ in times.get(i, []))
                found = (_start_scalars if scalars else _start)(workload, log, grown)
                times.setdefault(i, []).append(found)
    first, after = _medians(empty)
    section.add("empty", "–", f"{first:.1f} s", f"{after:.2f} s", "–", "–")
    for i, (way, workload, _, scalars) in enumerate(ways):
        first, after, again, grown_ms = _medians(times[i])
        section.add(
            str(workload),
            way,
            f"{first:.1f} s",
            f"{after:.2f} s",
            f"{again:.0f} ms",
            "–" if scalars else f"{grown_ms:.0f} ms",
        )
    return section


def _medians(found: Sequence[tuple[float, ...]]) -> list[float]:
    return [statistics.median(column) for column in zip(*found, strict=True)]


def _start_empty(log: Path) -> tuple[float, float]:
    start = time.perf_counter()
    with start_tensorboard(log) as address:
        up = time.perf_counter()
        get(address + _ROUTES + "recordings")
        return time.perf_counter() - start, time.perf_counter() - up


def _start(workload: Workload, log: Path, grown: int) -> tuple[float, float, float, float]:
    query = urllib.parse.urlencode({"run": "run_000", "name": "losses"})
    steps = workload.steps + grown
    start = time.perf_counter()
    with start_tensorboard(log) as address:
        url = f"{address}{_ROUTES}curves?{query}"
        up = time.perf_counter()
        _wait(lambda: _rows(url) == steps)
        first, after = time.perf_counter() - start, time.perf_counter() - up
        again = statistics.median(_milliseconds(url) for _ in range(5))
        write_blocks(workload, log, steps, steps + _GROWTH, writer=1 + steps)
        # The index alone tells when TensorBoard has loaded them; the store has not asked yet.
        last = steps + _GROWTH - 1
        while _last_step(address) != last:
            time.sleep(0.05)
        grown_ms = _milliseconds(url)
        assert _rows(url) == steps + _GROWTH
    return first, after, again, grown_ms


def _start_scalars(workload: Workload, log: Path, _: int) -> tuple[float, float, float, float]:
    tags = [f"losses/{column.name}" for column in layout(workload.terms).columns]
    start = time.perf_counter()
    with start_tensorboard(log) as address:
        up = time.perf_counter()
        route = f"{address}data/plugin/scalars/"

        def ask() -> list[list[float]]:
            points: list[list[float]] = []
            for tag in tags:
                query = urllib.parse.urlencode({"run": "run_000", "tag": tag})
                status, _, body = get(f"{route}scalars?{query}")
                points = json.loads(body) if status == 200 else []
            return points

        def ready() -> bool:
            points = ask()
            return bool(points) and points[-1][1] == workload.steps - 1

        _wait(ready)
        first, after = time.perf_counter() - start, time.perf_counter() - up
        begin = time.perf_counter()
        ask()
        return first, after, (time.perf_counter() - begin) * 1000, 0.0


def _wait(ready: Callable[[], bool]) -> None:
    while not ready():
        time.sleep(0.05)


def _rows(url: str) -> int:
    status, _, body = get(url)
    return int(decode_curves(body)[0]["rows"]) if status == 200 else -1


def _last_step(address: str) -> int:
    status, _, body = get(f"{address}{_ROUTES}recordings")
    assert status == 200
    return int(json.loads(body)["recordings"][0]["last_step"] or -1)


def _milliseconds(url: str) -> float:
    start = time.perf_counter()
    status, _, _ = get(url)
    assert status == 200
    return (time.perf_counter() - start) * 1000
