"""What a directory holds of earlier recordings, whose place a new one would take."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np
from tensorboard.compat.proto import event_pb2

from tb_regplugin import log_format
from tb_regplugin.log_format import LogFormatError, SegmentTag
from tb_regplugin.notices import warn
from tb_regplugin.records import open_records, records
from tb_regplugin.tensorboard_internals import remote_files
from tb_regplugin.writing.event_file import SUFFIX

# All recordings of a file are among so many; files can be large.
_FIRST_EVENTS = 1_000


class Earlier(NamedTuple):
    """What a directory holds of recordings, whose files were begun before.

    Attributes:
      first_step: With which step the recording of one name begins; None where there is none.
      latest_ns: When a writer was last at work there, in nanoseconds since the epoch, by clocks
        that may have been ahead of this one.
    """

    first_step: int | None = None
    latest_ns: int = 0


def find_earlier(directory: str, name: str) -> Earlier:
    """Looks for earlier recordings. Call it before anything is written."""
    steps, times = [], [0]
    try:
        remote = remote_files(directory)
        for name_of_file in (remote or os).listdir(directory):
            if not name_of_file.endswith(SUFFIX):
                continue
            path = os.path.join(directory, name_of_file)
            if remote is None:
                times.append(os.stat(path).st_mtime_ns)
            with open_records(path) as file:
                for tag, step in _first_blocks(file):
                    times.append(int(tag.life.partition("-")[0]))
                    if tag.name == name:
                        steps.append(step)
                        break
    except Exception:  # noqa: BLE001 - what can't be read is no reason not to record
        return Earlier()
    return Earlier(min(steps, default=None), max(times))


def warn_of_earlier(earlier: Earlier, directory: str, step: int) -> None:
    """Warns where a recording that begins at this step takes the place of all of another one.

    One that begins later goes on, as from a checkpoint.
    """
    if earlier.first_step is not None and step <= earlier.first_step:
        warn(
            f"tb_regplugin: {directory!r} already holds a recording of another training. This one "
            f"begins at step {step} and replaces it in TensorBoard. Give each training its own log "
            "directory; a callback for several models takes a function that returns one."
        )


def _first_blocks(file: IO[bytes]) -> Iterator[tuple[SegmentTag, int]]:
    """Yields segments and with which step their blocks begin."""
    for record in itertools.islice(records(file, is_checked=False), _FIRST_EVENTS):
        event = event_pb2.Event.FromString(record)
        for value in event.summary.value:
            try:
                tag = log_format.parse_tag(value.tag)
            except LogFormatError:
                continue
            if isinstance(tag, SegmentTag):
                # A block's first number is that of its first step, counted from the event's.
                offset = int(np.frombuffer(value.tensor.tensor_content, "<f4", 1)[0])
                yield tag, event.step + offset
