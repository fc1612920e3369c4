"""What answering takes: server time and bytes of the curves route, at every workload."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from bench.logs import WORKLOADS, Workload, write_blocks
from bench.reader import Reader, open_reader
from bench.report import Section, median_ms, seconds

# What a chart of 20 series needs: total, data loss, the 16 largest, the rest and the residual.
_CHART = {"buckets": "1000", "top": "16", "arrays": "min,mean,max"}


def measure(quick: bool) -> Section:
    """Measures the whole range, and every zoom down to a thousand steps."""
    section = Section(
        "Answering 1,000 buckets of 20 series",
        "Total, data loss, the 16 largest terms, the rest as one and the residual, as minimum, "
        "mean and maximum; server time without HTTP, medians. The first answer makes the summaries "
        "that later ones use. Zoomed: the slowest median of the ranges of a half, a fifth, a tenth "
        "and a hundredth of the steps, and of 1,000 steps.",
        ["workload", "first", "whole range", "bytes", "zoomed", "smoothed", "all columns"],
    )
    for workload in WORKLOADS.values():
        if quick and workload.steps * workload.terms > 10_000_000:
            continue
        with tempfile.TemporaryDirectory() as directory:
            one = Workload(workload.name, 1, workload.steps, workload.terms)
            write_blocks(one, Path(directory))
            with open_reader(Path(directory)) as reader:
                _measure_one(section, workload, reader, 3 if quick else 15)
    return section


def _measure_one(section: Section, workload: Workload, reader: Reader, repeats: int) -> None:
    reader.contents()
    contents = reader.contents()
    # The rows are there: what is measured is answering, and not asking whether there are more.
    reader.contents = lambda run=0: contents  # type: ignore[method-assign]  # On purpose.
    first = seconds(lambda: reader.curves(_CHART)) * 1000
    zooms = []
    for width in sorted({max(1000, workload.steps // part) for part in (2, 5, 10, 100)} | {1000}):
        start = workload.steps // 3
        query = _CHART | {"start": str(start), "end": str(start + width - 1)}
        zooms.append(median_ms(functools.partial(reader.curves, query), repeats))
    smoothed = _CHART | {"arrays": "mean,smoothed", "smoothing": "0.9"}
    section.add(
        str(workload),
        f"{first:.0f} ms",
        f"{median_ms(lambda: reader.curves(_CHART), repeats):.1f} ms",
        f"{len(reader.curves(_CHART)) / 1000:.0f} kB",
        f"{max(zooms):.1f} ms",
        f"{median_ms(lambda: reader.curves(smoothed), repeats):.1f} ms",
        f"{median_ms(lambda: reader.curves({}), repeats):.1f} ms",
    )
