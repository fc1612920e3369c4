"""What the store takes in memory, and whether its cap holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from bench.logs import WORKLOADS, Workload, chunk_values, chunks, write_blocks
from bench.reader import PeakMemory, open_reader
from bench.report import Section
from tests.curves import decode_curves

_MB = 2**20


def measure(quick: bool) -> Section:
    """Measures the store's own count, and how this process grows."""
    section = Section(
        "Memory",
        "The store's own count after answering (rows, room for more, summaries) over the recorded "
        "float32, and by how much the process grew at most while it read and answered, which "
        "includes the event files' tensors. Wrong: answers that differ from what was recorded.",
        ["workload", "cap", "recorded", "store", "ratio", "process, at most", "wrong answers"],
    )
    names = ["W1", "W5"] if quick else ["W1", "W2", "W4", "W6", "long"]
    for name in names:
        _measure_one(section, WORKLOADS[name], None)
    for cap in (64, 16):
        _measure_one(section, WORKLOADS["W5"], cap)
    return section


def _measure_one(section: Section, workload: Workload, cap: int | None) -> None:
    with tempfile.TemporaryDirectory() as directory:
        write_blocks(workload, Path(directory))
        with (
            open_reader(Path(directory), None if cap is None else cap * _MB) as reader,
            PeakMemory() as memory,
        ):
            wrong, most = 0, 0
            for run in [*range(workload.runs), *range(workload.runs)]:
                answer = reader.curves({"buckets": "100"}, run)
                most = max(most, reader.store.nbytes)
                wrong += not _is_right(answer, workload, run)
    recorded = workload.raw_bytes * workload.runs
    section.add(
        str(workload),
        "–" if cap is None else f"{cap} MiB",
        f"{recorded / _MB:.1f} MiB",
        f"{most / _MB:.1f} MiB",
        f"{most / recorded:.2f}",
        f"{memory.peak / _MB:.0f} MiB",
        str(wrong),
    )


def _is_right(answer: bytes, workload: Workload, run: int) -> bool:
    _, arrays = decode_curves(answer)
    (part, *_) = chunks(workload, run)
    values = chunk_values(workload, run, part)
    starts = arrays["first_step"].astype(int)
    inside = starts[arrays["last_step"] < part.stop]
    expected = np.maximum.reduceat(values, inside, axis=0).T
    # The last of them goes on to the end of the part.
    count = len(inside) - (len(inside) < len(starts))
    return bool((arrays["max"][: workload.columns, :count] == expected[:, :count]).all())
