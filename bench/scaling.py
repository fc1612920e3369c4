"""How cost grows with steps, terms and runs, as a picture."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from bench.logs import Workload, size, write_blocks
from bench.reader import open_reader
from bench.report import Section, median_ms

PICTURE = "scaling.svg"
_CHART = {"buckets": "1000", "top": "16", "arrays": "min,mean,max"}


def measure(quick: bool) -> Section:
    """Grows one thing at a time."""
    section = Section(
        "How cost grows",
        f"One thing at a time: steps (of 16 terms), terms (of 10,000 steps), runs (of 1,000 steps "
        f"of 16 terms).\n\n![Seconds to read, milliseconds to answer and bytes]({PICTURE})",
        ["grown", "steps", "terms", "runs", "read, all runs", "answer, one run", "bytes on disk"],
    )
    largest = 2 if quick else 4
    series = {
        "steps": [(10**k, 16, 1) for k in (3, 4, 5, 6)][:largest],
        "terms": [(10_000, terms, 1) for terms in (4, 16, 64, 256, 1000)][: largest + 1],
        "runs": [(1000, 16, runs) for runs in (1, 4, 16, 64)][:largest],
    }
    found = {grown: [_measure_one(*at) for at in points] for grown, points in series.items()}
    for grown, points in series.items():
        for at, (read, answer, taken) in zip(points, found[grown], strict=True):
            steps, terms, runs = (f"{number:,}" for number in at)
            section.add(
                grown, steps, terms, runs, f"{read:.2f} s", f"{answer:.1f} ms", f"{taken:,}"
            )
    if not quick:
        _draw(series, found)
    return section


def _measure_one(steps: int, terms: int, runs: int) -> tuple[float, float, int]:
    """Returns seconds to read, milliseconds to answer, and bytes."""
    with tempfile.TemporaryDirectory() as directory:
        write_blocks(Workload("", runs, steps, terms), Path(directory))
        start = time.perf_counter()
        with open_reader(Path(directory)) as reader:
            for run in range(runs):
                reader.contents(run)
            read = time.perf_counter() - start
            contents = reader.contents()
            # As in bench/requests.py: what is measured is answering.
            reader.contents = lambda run=0: contents  # type: ignore[method-assign]
            answer = median_ms(lambda: reader.curves(_CHART), 9)
        return read, answer, size(Path(directory))


def _draw(series: dict[str, Any], found: dict[str, Any]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    # The same picture from the same figures.
    mpl.rcParams["svg.hashsalt"] = "tb_regplugin"
    from matplotlib import pyplot as plt

    titles = ("seconds to read all runs", "milliseconds to answer", "bytes on disk")
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    for place, (axis, title) in enumerate(zip(axes, titles, strict=True)):
        for i, (grown, points) in enumerate(series.items()):
            axis.loglog(
                [at[i] for at in points],
                [figures[place] for figures in found[grown]],
                marker="o",
                label=grown,
            )
        axis.set_title(title)
        axis.set_xlabel("how many steps, terms or runs")
        axis.grid(alpha=0.3)
    axes[0].legend(title="grown")
    figure.savefig(Path(__file__).parent / PICTURE, metadata={"Date": None})
