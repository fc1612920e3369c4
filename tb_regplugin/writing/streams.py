"""Rows in the order in which they come, made blocks and segments of a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tb_regplugin import log_format
from tb_regplugin.log_format import Block, SegmentTag
from tb_regplugin.terms import Layout
from tb_regplugin.writing.earlier import Earlier, find_earlier
from tb_regplugin.writing.event_file import EventFile

# With both, a day of slow training is some 1,000 blocks in 100 tags.
_FLUSH_SHARE_OF_AGE = 0.01
_MAX_FLUSH_SECS = 120.0

# The number of a thread, a layout, and arrays of steps, wall times and values.
Rows = tuple[int, Layout, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


class _OpenBlock:
    """The rows that wait to become a block."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.rows = 0
        self._steps = np.empty(log_format.MAX_BLOCK_ROWS, np.int64)
        self._wall_times = np.empty(log_format.MAX_BLOCK_ROWS, np.float64)
        self._values = np.empty((log_format.MAX_BLOCK_ROWS, len(layout.columns)), np.float32)

    @property
    def is_full(self) -> bool:
        return self.rows == log_format.MAX_BLOCK_ROWS

    def fits(self, layout: Layout, step: int) -> bool:
        rows = self.rows
        return (layout is self.layout or layout == self.layout) and (
            not rows
            or log_format.fits_one_block(
                int(self._steps[0]), int(self._steps[rows - 1]), step, rows
            )
        )

    def extend(
        self,
        steps: npt.NDArray[np.int64],
        wall_times: npt.NDArray[np.float64],
        values: npt.NDArray[np.float32],
    ) -> int:
        """Adds as many of these rows as fit, of which the first does, and returns how many."""
        steps = steps[: log_format.MAX_BLOCK_ROWS - self.rows]
        first_step = int(self._steps[0] if self.rows else steps[0])
        fits = log_format.fits_one_block(first_step, steps[:-1], steps[1:], self.rows)
        count = len(steps) if fits.all() else 1 + int(fits.argmin())
        rows = slice(self.rows, self.rows + count)
        self._steps[rows] = steps[:count]
        self._wall_times[rows] = wall_times[:count]
        self._values[rows] = values[:count]
        self.rows += count
        return count

    def close(self) -> Block:
        rows = slice(self.rows)
        return Block(self._steps[rows], self._wall_times[rows], self._values[rows])


class _SegmentWriter:
    """Writes the blocks of one stream of a writer's, in segments."""

    def __init__(self, file: EventFile, name: str, writer: str) -> None:
        self._segment = SegmentTag(name, "", writer, -1)
        self._file = file
        self._layout_ids: dict[Layout, str] = {}
        self._segment_blocks = 0
        self._last_step = 0

    def write(self, layout: Layout, block: Block) -> None:
        step = int(block.steps[-1])
        layout_id = self._layout_ids.get(layout)
        if layout_id is None:
            layout_id = self._layout_ids[layout] = log_format.layout_id(layout)
            event = log_format.layout_event(self._segment.name, layout, block.wall_times[-1])
            self._file.write(event)
        if not (
            self._segment.layout_id == layout_id
            and self._segment_blocks < log_format.MAX_SEGMENT_BLOCKS
            # The data server drops what a tag holds at and after a step that comes again.
            and step > self._last_step
        ):
            number = self._segment.number + 1
            self._segment = self._segment._replace(layout_id=layout_id, number=number)
            self._segment_blocks = 0
        self._file.write(log_format.block_event(self._segment, block))
        self._segment_blocks += 1
        self._last_step = step


@dataclass(eq=False)
class _Stream:
    """Rows whose steps increase, until a restart."""

    segments: _SegmentWriter
    last_step: int
    block: _OpenBlock | None = None


@dataclass
class _Life:
    """A writer as readers see it: what was recorded since it began, or since a restart.

    Attributes:
      writer: Its name in tags.
      first_step: From where on it overwrites what came before; the first one takes any step.
      end: Where the next one begins.
      streams: The first of them has the rows that come in order.
    """

    writer: str
    first_step: float
    end: float = np.inf
    streams: list[_Stream] = field(default_factory=list)


class Streams:
    """Makes blocks of rows and writes them. For one thread.

    Attributes:
      earlier: What the directory held before.
      deadline: When, on the monotonic clock, what waits is to be written; None where nothing does.
    """

    def __init__(self, file: EventFile, name: str, flush_secs: float) -> None:
        self.earlier = Earlier()
        self.deadline: float | None = None
        self._file = file
        self._name = name
        self._flush_secs = flush_secs
        self._began = time.monotonic()
        self._lives: list[_Life] = []
        # By thread.
        self._last_steps: dict[int, int] = {}
        self._started_ns = 0
        self._is_open = False

    def look_back(self) -> None:
        """Looks for what the directory holds, before any row is taken."""
        self.earlier = find_earlier(self._file.directory, self._name)

    def take(self, rows: Rows) -> None:
        """Takes rows, as arrays, and writes the blocks that are full.

        Raises:
          OSError: The file can't be written; remote file systems raise what they like.
        """
        thread, layout, steps, wall_times, values = rows
        start = 0
        while start < len(steps):
            step = int(steps[start])
            life = self._life_for(thread, step)
            stream = self._stream_of(life, step)
            block = self._block_of(stream, layout, step, float(wall_times[start]))
            # The first of them fits; those from the next life's beginning on are that one's, and
            # those that an earlier stream can go on are that stream's, so that the last row stands.
            earlier = life.streams[: life.streams.index(stream)]
            end = min([life.end, *(each.last_step + 1 for each in earlier)])
            later = np.flatnonzero(steps[start:] >= end)
            rest = slice(start, start + int(later[0]) if len(later) else None)
            start += block.extend(steps[rest], wall_times[rest], values[rest])
            self._note(thread, stream, int(steps[start - 1]))

    def _life_for(self, thread: int, step: int) -> _Life:
        """Returns which life a thread's next row is of.

        A step that the same thread has reached before is a restart: it overwrites what all
        threads have recorded from there on. One of another thread is late, and overwrites nothing.
        """
        if step <= self._last_steps.get(thread, step - 1):
            self._last_steps.clear()
            if len(self._lives) == len(self._lives[0].streams) == 1:
                # One stream can begin anew by itself.
                self._lives[0].streams[0].last_step = step - 1
                return self._lives[0]
            self.write_all()
            first, *others = self._lives
            self._lives = [first, *(life for life in others if life.first_step < step)]
            self._lives[-1].end = step
            self._lives.append(self._new_life(step))
        elif not self._lives:
            self._lives.append(self._new_life(-np.inf))
        return next(life for life in reversed(self._lives) if life.first_step <= step)

    def _stream_of(self, life: _Life, step: int) -> _Stream:
        """Returns the first stream of a life that a row can go on."""
        for stream in life.streams:
            if stream.last_step < step:
                return stream
        writer = log_format.stream_of(life.writer, len(life.streams))
        life.streams.append(_Stream(_SegmentWriter(self._file, self._name, writer), step))
        return life.streams[-1]

    def _block_of(self, stream: _Stream, layout: Layout, step: int, wall_time: float) -> _OpenBlock:
        """Returns a stream's open block, which a row fits into."""
        if stream.block is not None and not stream.block.fits(layout, step):
            self._write(stream)
        if stream.block is None:
            stream.block = _OpenBlock(layout)
            if self.deadline is None:
                self.deadline = self._until(wall_time)
        return stream.block

    def _note(self, thread: int, stream: _Stream, step: int) -> None:
        """Notes that a stream has got rows up to a step."""
        stream.last_step = self._last_steps[thread] = step
        if stream.block is not None and stream.block.is_full:
            self._write(stream)
            if all(each.block is None for each in self._streams()) and not self._file.waits:
                self.deadline = None

    def _new_life(self, first_step: float) -> _Life:
        # Behind all that the directory holds, whatever the clock says.
        after = max(self._started_ns, self.earlier.latest_ns)
        self._started_ns = max(time.time_ns(), after + 1)
        return _Life(log_format.new_writer_id(self._started_ns), first_step)

    def _streams(self) -> Iterator[_Stream]:
        return (stream for life in self._lives for stream in life.streams)

    def _until(self, wall_time: float) -> float:
        """Until when, on the monotonic clock, a row of this wall time may wait."""
        now = time.monotonic()
        share_of_age = min(_MAX_FLUSH_SECS, _FLUSH_SHARE_OF_AGE * (now - self._began))
        return now + max(self._flush_secs, share_of_age) - max(0.0, time.time() - wall_time)

    def write_all(self) -> None:
        """Writes what waits."""
        self.deadline = None
        for stream in self._streams():
            self._write(stream)
        self._file.flush()

    def _write(self, stream: _Stream) -> None:
        block, stream.block = stream.block, None
        if block is None:
            return
        if not self._is_open:
            self._file.open(self.earlier.latest_ns)
            self._is_open = True
        stream.segments.write(block.layout, block.close())

    def close(self) -> None:
        """Gives the file back."""
        if self._is_open:
            self._file.close()
