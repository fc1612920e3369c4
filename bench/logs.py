"""The workloads: generated recordings, always the same, with spikes of one step in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto import event_pb2, summary_pb2

from tb_regplugin.log_format import (
    MAX_BLOCK_ROWS,
    MAX_SEGMENT_BLOCKS,
    Block,
    SegmentTag,
    block_event,
    layout_event,
    layout_id,
)
from tb_regplugin.terms import Layout, Term
from tb_regplugin.writing.event_file import EventFile

SPIKES = 20  # in each run
_CHUNK = MAX_BLOCK_ROWS * 40  # rows made at a time
_START = 1_700_000_000.0
_SECONDS_A_STEP = 0.01


@dataclass(frozen=True)
class Workload:
    """How much was recorded. Values follow from the run's number, so they need no keeping."""

    name: str
    runs: int
    steps: int
    terms: int

    @property
    def columns(self) -> int:
        """Total, data loss and the terms."""
        return 2 + self.terms

    @property
    def raw_bytes(self) -> int:
        """The recorded float32 of one run."""
        return 4 * self.steps * self.columns

    def __str__(self) -> str:
        return f"{self.name}: {self.runs:,} × {self.steps:,} steps × {self.terms:,} terms"


WORKLOADS = {
    "W1": Workload("W1", 1, 10_000, 64),
    "W2": Workload("W2", 1, 100_000, 64),
    "W3": Workload("W3", 16, 10_000, 64),
    "W4": Workload("W4", 1, 1_000_000, 16),
    "W5": Workload("W5", 100, 2_000, 32),
    "W6": Workload("W6", 1, 20_000, 1_000),
    "long": Workload("1M × 64", 1, 1_000_000, 64),
}


def layout(terms: int) -> Layout:
    """Returns the columns."""
    kernels = (Term(f"block_{i // 4}/layer_{i % 4}/kernel", kind="l2") for i in range(terms))
    return Layout((Term("total", "total"), Term("data", "data"), *kernels))


def rows(run: int, start: int, stop: int, terms: int) -> npt.NDArray[np.float32]:
    """Returns values that decay with noise on them, and add up."""
    random = np.random.default_rng([run, start])
    steps = np.arange(start, stop)[:, np.newaxis]
    sizes = 0.1 / np.arange(1, terms + 1)
    values = np.empty((stop - start, 2 + terms), np.float32)
    values[:, 1] = 0.5 + 2 / (1 + steps[:, 0] / 1000)
    values[:, 2:] = sizes * (1 + 0.2 * random.standard_normal((stop - start, terms), np.float32))
    values[:, 1] += 0.05 * random.random(stop - start)
    values[:, 0] = values[:, 1:].sum(axis=1, dtype=np.float64)
    return values


def spikes(workload: Workload, run: int) -> list[tuple[int, int, float]]:
    """Returns the run's spikes: step, column and height."""
    random = np.random.default_rng([run, 1])
    steps = np.sort(random.choice(workload.steps, SPIKES, replace=False))
    columns = random.integers(2, workload.columns, SPIKES)
    return [
        (step, column, 1000.0 + i)
        for i, (step, column) in enumerate(zip(steps.tolist(), columns.tolist(), strict=True))
    ]


def chunks(workload: Workload, run: int, start: int = 0, stop: int | None = None) -> list[range]:
    """Returns the parts in which a run is made."""
    end = workload.steps if stop is None else stop
    return [range(low, min(low + _CHUNK, end)) for low in range(start, end, _CHUNK)]


def chunk_values(workload: Workload, run: int, part: range) -> npt.NDArray[np.float32]:
    """Returns a part's values, with its spikes."""
    values = rows(run, part.start, part.stop, workload.terms)
    for step, column, height in spikes(workload, run):
        if step in part:
            values[step - part.start, column] = height
    return values


def write_blocks(
    workload: Workload, directory: Path, start: int = 0, stop: int | None = None, writer: int = 0
) -> None:
    """Writes the runs as the plugin's writers do, but as fast as the disk takes them."""
    columns = layout(workload.terms)
    identity = layout_id(columns)
    for run in range(workload.runs):
        file = EventFile(str(directory / f"run_{run:03d}")).open()
        file.write(layout_event("losses", columns, _START))
        blocks = 0
        for part in chunks(workload, run, start, stop):
            values = chunk_values(workload, run, part)
            for low in range(0, len(values), MAX_BLOCK_ROWS):
                block = values[low : low + MAX_BLOCK_ROWS]
                steps = np.arange(part.start + low, part.start + low + len(block))
                tag = SegmentTag("losses", identity, str(writer), blocks // MAX_SEGMENT_BLOCKS)
                times = np.asarray(_START + steps * _SECONDS_A_STEP, np.float64)
                file.write(block_event(tag, Block(steps, times, block)))
                blocks += 1
        file.close()


def write_scalars(workload: Workload, directory: Path) -> None:
    """Writes the same as TensorBoard's scalars, one a column."""
    tags = [f"losses/{column.name}" for column in layout(workload.terms).columns]
    for run in range(workload.runs):
        file = EventFile(str(directory / f"run_{run:03d}")).open()
        for part in chunks(workload, run):
            for step, row in zip(part, chunk_values(workload, run, part).tolist(), strict=True):
                values = [
                    summary_pb2.Summary.Value(tag=tag, simple_value=value)
                    for tag, value in zip(tags, row, strict=True)
                ]
                wall_time = _START + step * _SECONDS_A_STEP
                summary = summary_pb2.Summary(value=values)
                file.write(event_pb2.Event(step=step, wall_time=wall_time, summary=summary))
        file.close()


def size(directory: Path) -> int:
    """Returns how many bytes a directory's files have."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
