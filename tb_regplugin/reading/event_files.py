"""Reading event files directly: this plugin's series in them.

A run is a directory with event files, as TensorBoard has it. What cannot be read is plain data:
the file, the place in it, and why.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2
from tensorboard.data.provider import TensorDatum, TensorTimeSeries

from tb_regplugin.log_format import PLUGIN_NAME
from tb_regplugin.names import COMPOSITIONS_PLUGIN_NAME
from tb_regplugin.reading.source import Listing, Problem, ReadSeries, RunTag, reason_of
from tb_regplugin.records import FRAME_BYTES, CorruptRecordError, open_records, records
from tb_regplugin.tensorboard_internals import (
    HPARAMS,
    hyperparameters,
    make_array,
    remote_files,
)

# Joined to a directory's path, it is that directory.
_UNLISTED = ""


class FileProblem(NamedTuple):
    """A file that could not be read, or only up to a place in it.

    Attributes:
      path: The file.
      offset: The byte at which the first record begins that could not be read.
      reason: What is wrong with it.
    """

    path: str
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path!r} is read up to byte {self.offset:,}. {self.reason}"


class EventFiles:
    """One run's event files, read once and held in memory: a ``Source`` of this run.

    Paths are in the order in which TensorBoard reads them. The scalars of a tag are kept besides,
    or those of all tags.

    Attributes:
      problems: What of the files could not be read. Everything before it is there.
      scalars: The values of that tag by step, of each the last that was written.
      scalars_by_tag: Likewise of all tags.
      compositions: By tag, the documents of stored compositions, of each the last, after when it
        was written.
      hyperparameters: The numbers of the plugin "hparams".
      paths: Its files.
      bytes_read: How many bytes of them were read.
    """

    experiment = ""

    def __init__(
        self,
        run: str,
        paths: Sequence[str],
        scalar: str | None = None,
        *,
        with_scalars: bool = False,
    ) -> None:
        self.run = run
        self.problems: list[FileProblem] = []
        self.scalars: dict[int, float] = {}
        self.scalars_by_tag: dict[str, dict[int, float]] = {}
        self.compositions: dict[str, tuple[float, bytes]] = {}
        self.hyperparameters: dict[str, float] = {}
        self.paths = paths
        self.bytes_read = 0
        self._scalar = scalar
        self._with_scalars = with_scalars
        # What each tag's first event says; None where it is another plugin's.
        self._plugin_contents: dict[str, bytes | None] = {}
        # By tag: steps, wall times and tensors.
        self._events: dict[str, list[tuple[int, float, tensor_pb2.TensorProto]]] = {}
        for path in paths:
            self._read_file(path)

    def list(self, run: str | None = None) -> Listing:
        """Lists the run's series; see ``Source``."""
        if run not in (None, self.run) or not self._events:
            return {}
        listed = {
            tag: TensorTimeSeries(
                max_step=max(step for step, _, _ in events),
                max_wall_time=max(wall_time for _, wall_time, _ in events),
                plugin_content=self._plugin_contents[tag],
                description="",
                display_name="",
            )
            for tag, events in self._events.items()
        }
        return {self.run: listed}

    def read(self, sizes: Mapping[RunTag, int]) -> Iterator[ReadSeries]:
        """Reads series; see ``Source``."""
        for series in sizes:
            try:
                found: Sequence[TensorDatum] | Problem = [
                    TensorDatum(step=step, wall_time=wall_time, numpy=make_array(tensor))
                    for step, wall_time, tensor in self._events[series.tag]
                ]
            except Exception as error:
                reason = reason_of(error)
                if reason is None:
                    raise
                found = Problem.of(series.tag, reason)
            yield series, found

    def _read_file(self, path: str) -> None:
        offset = 0
        try:
            with open_records(path) as file:
                for record in records(file):
                    event = event_pb2.Event.FromString(record)
                    for value in event.summary.value:
                        self._take(event, value)
                    offset += FRAME_BYTES + len(record)
        except CorruptRecordError as error:
            self.problems.append(FileProblem(path, offset, str(error)))
        # A record that is no event, a file that may not be read; remote file systems raise errors
        # of their own.
        except Exception as error:  # noqa: BLE001
            self.problems.append(FileProblem(path, offset, f"{type(error).__name__}: {error}"))
        self.bytes_read += offset

    def _take(self, event: event_pb2.Event, value: summary_pb2.Summary.Value) -> None:
        # TF1's FileWriter strips the metadata of a tag's later events.
        if value.tag not in self._plugin_contents:
            data, form = value.metadata.plugin_data, value.metadata.data_class
            is_own = data.plugin_name == PLUGIN_NAME and form == summary_pb2.DATA_CLASS_TENSOR
            self._plugin_contents[value.tag] = data.content if is_own else None
            if data.plugin_name == HPARAMS:
                self.hyperparameters |= hyperparameters(data.content)
        if value.tag == self._scalar:
            with contextlib.suppress(TypeError, ValueError):
                self.scalars[event.step] = _number(value)
        if self._with_scalars and _is_scalar(value):
            with contextlib.suppress(TypeError, ValueError):
                self.scalars_by_tag.setdefault(value.tag, {})[event.step] = _number(value)
        if value.metadata.plugin_data.plugin_name == COMPOSITIONS_PLUGIN_NAME:
            written = event.wall_time, b"".join(value.tensor.string_val[:1])
            self.compositions[value.tag] = max(self.compositions.get(value.tag, written), written)
        if self._plugin_contents[value.tag] is not None:
            events = self._events.setdefault(value.tag, [])
            events.append((event.step, event.wall_time, value.tensor))


def find_runs(log_dir: str) -> dict[str, list[str]]:
    """Finds the event files of a log directory; one with a scheme is in TensorBoard's file systems.

    Returns:
      The files by run, in the order of their names. A run's name is its path below the log
      directory, ``"."`` for that itself.
    """
    remote = remote_files(log_dir)
    runs = {}
    for directory, _, names in remote.walk(log_dir) if remote else _walk(log_dir):
        found = sorted(name for name in names if "tfevents" in name or name == _UNLISTED)
        if found:
            run = os.path.relpath(directory, log_dir)
            runs[run] = [os.path.join(directory, name) for name in found]
    return runs


def is_directory(path: str) -> bool:
    """Whether there is a directory of this path, local or remote."""
    return bool((remote_files(path) or os.path).isdir(path))


def _walk(top: str) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Walks as ``os.walk`` does, through links as well, but not in circles.

    The one file of a directory that can't be listed is itself: reading it tells why.
    """
    waiting: list[tuple[str, frozenset[str]]] = [(top, frozenset())]
    while waiting:
        directory, above = waiting.pop()
        if (real := os.path.realpath(directory)) not in above:
            _, names, files = next(os.walk(directory), (directory, [], [_UNLISTED]))
            yield directory, names, files
            waiting += [(os.path.join(directory, name), above | {real}) for name in names]


def _is_scalar(value: summary_pb2.Summary.Value) -> bool:
    """Whether it is a number: as TensorFlow 1 and PyTorch write it, or a tensor of rank 0."""
    if value.HasField("simple_value"):
        return True
    is_tensor = value.HasField("tensor") and not value.tensor.tensor_shape.dim
    return is_tensor and value.tensor.dtype != types_pb2.DT_STRING


def _number(value: summary_pb2.Summary.Value) -> float:
    """Returns a scalar, as TensorFlow 1 and PyTorch write it or as TensorFlow 2 does.

    Raises:
      TypeError or ValueError: It is none.
    """
    is_tensor = value.HasField("tensor")
    return float(make_array(value.tensor).item() if is_tensor else value.simple_value)
