"""What recording 66 numbers a step costs: time and bytes, against what people use today."""

from __future__ import annotations

import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bench.logs import rows, size
from bench.report import Section
from tb_regplugin import Term, Writer

TERMS = 64
_NAMES = ["total", "data", *(f"layer_{i}/kernel" for i in range(TERMS))]

# One step's values, as what a training has: total, data loss, and a number for each term.
_Row = tuple[float, float, dict[str | Term, float]]
_OURS = "tb_regplugin `Writer.write`"
_Way = Callable[[str, list[_Row]], None]


def measure(quick: bool) -> Section:
    """Measures each way in turn, several times over."""
    section = Section(
        "Writing 66 numbers a step",
        "Total, data loss and 64 terms, from Python numbers to a closed file. Ways take turns; "
        "medians of the rounds; CPU time of all threads, and its ratio. The floor is the same "
        "numbers as float32 in blocks of 256 steps, with TFRecord framing and checksums, and "
        "nothing else.",
        ["way", "µs a step", "µs of CPU", "× ours", "bytes a step", "× 66 float32"],
    )
    times: dict[str, list[tuple[float, float]]] = {}
    sizes: dict[str, float] = {}
    ways = _ways()
    for _ in range(1 if quick else 5):
        for name, (steps, way) in ways.items():
            steps = max(2, steps // (10 if quick else 1))
            made = _steps(steps)
            with tempfile.TemporaryDirectory() as directory:
                start, start_cpu = time.perf_counter(), time.process_time()
                way(directory, made)
                taken = time.perf_counter() - start, time.process_time() - start_cpu
                times.setdefault(name, []).append((taken[0] / steps * 1e6, taken[1] / steps * 1e6))
                sizes[name] = size(Path(directory)) / steps
    ours = statistics.median(cpu for _, cpu in times[_OURS])
    for name in ways:
        median, cpu = (statistics.median(column) for column in zip(*times[name], strict=True))
        section.add(
            name,
            f"{median:,.1f}",
            f"{cpu:,.1f}",
            f"{cpu / ours:,.2f}",
            f"{sizes[name]:,.0f}",
            f"{sizes[name] / 4 / len(_NAMES):.2f}",
        )
    return section


def _steps(count: int) -> list[_Row]:
    made: list[_Row] = [
        (total, data, dict(zip(_NAMES[2:], terms, strict=True)))
        for total, data, *terms in rows(0, 0, min(count, 1000), TERMS).tolist()
    ]
    return (made * (count // len(made) + 1))[:count]


def _ways() -> dict[str, tuple[int, _Way]]:
    """Returns each way, and how many steps of it make for a good measurement."""
    ways: dict[str, tuple[int, _Way]] = {
        "floor": (50_000, _floor),
        _OURS: (50_000, _plugin),
        "TensorBoard `EventFileWriter`, 66 events": (60, _event_file_writer),
    }
    try:
        from torch.utils.tensorboard import SummaryWriter as TorchWriter

        ways["PyTorch `add_scalar`, 66 times"] = (60, _add_scalar(TorchWriter))
    except ImportError:
        print("    PyTorch is not installed, so it is left out.")
    try:
        from tensorboardX import SummaryWriter as XWriter

        ways["tensorboardX `add_scalar`, 66 times"] = (60, _add_scalar(XWriter))
    except ImportError:
        print("    tensorboardX is not installed, so it is left out.")
    try:
        import tensorflow as tf

        ways["`tf.summary.scalar`, eager, 66 times"] = (20, _tf_summary(tf))
    except ImportError:
        print("    TensorFlow is not installed, so it is left out.")
    return ways


def _scalars(row: _Row) -> Iterable[tuple[Any, float]]:
    return (("total", row[0]), ("data", row[1]), *row[2].items())


def _floor(directory: str, made: list[_Row]) -> None:
    import google_crc32c

    with open(Path(directory) / "floor", "wb") as file:
        for low in range(0, len(made), 256):
            block = [(total, data, *terms.values()) for total, data, terms in made[low : low + 256]]
            data = np.array(block, np.float32).tobytes()
            header = struct.pack("<Q", len(data))
            for part in (header, data):
                file.write(part)
                file.write(struct.pack("<I", google_crc32c.value(part)))


def _plugin(directory: str, made: list[_Row]) -> None:
    with Writer(directory) as writer:
        for step, row in enumerate(made):
            total, data, terms = row
            writer.write(step, data, terms, total)


def _event_file_writer(directory: str, made: list[_Row]) -> None:
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(directory)
    for step, row in enumerate(made):
        for name, value in _scalars(row):
            part = summary_pb2.Summary.Value(tag=name, simple_value=value)
            summary = summary_pb2.Summary(value=[part])
            writer.add_event(event_pb2.Event(step=step, wall_time=time.time(), summary=summary))
    writer.close()


def _add_scalar(make: Any) -> _Way:
    def way(directory: str, made: list[_Row]) -> None:
        writer = make(directory)
        for step, row in enumerate(made):
            for name, value in _scalars(row):
                writer.add_scalar(name, value, step)
        writer.close()

    return way


def _tf_summary(tf: Any) -> _Way:
    def way(directory: str, made: list[_Row]) -> None:
        writer = tf.summary.create_file_writer(directory)
        with writer.as_default():
            for step, row in enumerate(made):
                for name, value in _scalars(row):
                    tf.summary.scalar(name, value, step=step)
        writer.close()

    return way
