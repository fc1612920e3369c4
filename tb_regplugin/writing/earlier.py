"""What a directory holds of earlier recordings, whose place a new one would take."""

from __future__ import annotations

import glob
import os
import struct
import warnings
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from tensorboard.compat.proto import event_pb2

from tb_regplugin import log_format
from tb_regplugin.log_format import LogFormatError, SegmentTag
from tb_regplugin.tensorboard_internals import remote_files
from tb_regplugin.writing.event_file import SUFFIX

# A record is its length and that one's checksum, then the data and theirs.
_HEADER, _CHECKSUM_BYTES = struct.Struct("<QI"), 4


def warn_of_earlier(directory: str, name: str, step: int, stacklevel: int) -> None:
    """Warns where a recording that begins at this step takes the place of all of another one.

    One that begins later goes on, as from a checkpoint. Call it before anything is written.
    """
    first = _first_step(directory, name)
    if first is not None and step <= first:
        warnings.warn(
            f"tb_regplugin: {directory!r} already holds a recording of another training, and this "
            f"one, which begins at step {step}, takes its place in TensorBoard. Give each training "
            "a log directory of its own; a callback for several models takes a function that "
            "returns one.",
            RuntimeWarning,
            stacklevel=stacklevel + 1,
        )


def _first_step(directory: str, name: str) -> int | None:
    """Returns with which step a directory's recording of this name begins; None without one."""
    remote = remote_files(directory)
    pattern = os.path.join(directory if remote else glob.escape(directory), f"*{SUFFIX}")
    firsts = []
    try:
        for path in (remote or glob).glob(pattern):
            with remote.GFile(path, "rb") if remote else open(path, "rb") as file:
                firsts.append(next(_first_steps(file, name), None))
    except Exception:  # noqa: BLE001 - what can't be read is no reason not to record
        return None
    return min((first for first in firsts if first is not None), default=None)


def _first_steps(file: IO[bytes], name: str) -> Iterator[int]:
    for event in _events(file):
        for value in event.summary.value:
            try:
                tag = log_format.parse_tag(value.tag)
            except LogFormatError:
                continue
            if isinstance(tag, SegmentTag) and tag.name == name:
                # A block's first number is that of its first step, counted from the event's.
                yield event.step + int(np.frombuffer(value.tensor.tensor_content, "<f4", 1)[0])


def _events(file: IO[bytes]) -> Iterator[Any]:
    while len(header := file.read(_HEADER.size)) == _HEADER.size:
        length, _ = _HEADER.unpack(header)
        data = file.read(length + _CHECKSUM_BYTES)
        yield event_pb2.Event.FromString(data[:length])
