"""Logs for tests, made from the log format alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

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

NAME = "losses"
TOTAL = Term("total", role="total")
DATA = Term("data", role="data")
PENALTY = Term("kernel", kind="l2", strength=0.01, coefficient=0.01, shape=(3, 4), size=12)
LAYOUT = Layout((TOTAL, DATA, PENALTY))


def write_events(directory: Path, events: Sequence[event_pb2.Event]) -> Path:
    """Writes an event file and returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    before = set(directory.iterdir())
    writer = EventFileWriter(str(directory))
    for event in events:
        writer.add_event(event)
    writer.close()
    (path,) = set(directory.iterdir()) - before
    return path


def block(steps: Sequence[int] | npt.NDArray[np.int64], values: npt.ArrayLike) -> Block:
    """Returns a block whose wall times are its steps."""
    array = np.asarray(steps, np.int64)
    return Block(array, array.astype(np.float64), np.asarray(values, np.float32))


def recording_events(
    steps: Sequence[int] | npt.NDArray[np.int64],
    values: npt.ArrayLike,
    layout: Layout = LAYOUT,
    *,
    name: str = NAME,
    writer: str = "1",
    number: int = 0,
) -> list[event_pb2.Event]:
    """Returns what a writer writes for rows of one layout."""
    rows = block(steps, values)
    events = [layout_event(name, layout, 0.0)]
    for i, start in enumerate(range(0, len(rows.steps), MAX_BLOCK_ROWS)):
        part = slice(start, start + MAX_BLOCK_ROWS)
        tag = SegmentTag(name, layout_id(layout), writer, number + i // MAX_SEGMENT_BLOCKS)
        events.append(
            block_event(tag, Block(rows.steps[part], rows.wall_times[part], rows.values[part]))
        )
    return events


def write_recording(directory: Path, rows: Mapping[int, Sequence[float]]) -> Path:
    """Writes a small recording of total, data and one penalty."""
    return write_events(directory, recording_events(list(rows), list(rows.values())))
