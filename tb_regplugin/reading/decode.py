"""Which recordings there are, their layouts and their blocks, and which of these are malformed."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from tensorboard.data.provider import TensorDatum

from tb_regplugin.log_format import (
    MAX_BLOCK_ROWS,
    MAX_SEGMENT_BLOCKS,
    Block,
    LayoutTag,
    RowsTag,
    SegmentTag,
    decode_layout,
    parse_tag,
    unpack_block,
)
from tb_regplugin.names import shortened
from tb_regplugin.reading.source import Listing, Problem, RunTag, Source
from tb_regplugin.terms import Layout

_NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")
# A generous guess; it only decides how many layouts are asked for at once.
_LAYOUT_BYTES = 2**18
_FLOAT_BYTES = 4
# A series of rows has any number of events, so it is asked for alone.
_ROWS_BYTES = 2**30


class IndexedSegment(NamedTuple):
    """A segment's entry in the index."""

    tag: str
    key: SegmentTag
    # The largest step and wall time of its events; when they move, there is more to read.
    last: tuple[int, float]


class IndexedLayout(NamedTuple):
    """A layout's entry in the index.

    Attributes:
      tag: The series that holds it.
      content: The JSON that a series of rows carries with it; else it is in its only event.
      wall_time: When that was written: a run can be deleted and written anew.
    """

    tag: str
    content: bytes | None = None
    wall_time: float | None = None


@dataclass
class IndexedRecording:
    """A recording's entry in the index.

    Attributes:
      run: Its run.
      name: Its name.
      layouts: By layout id.
      segments: In the order in which they were written.
      problems: The series that are not part of any recording.
    """

    run: str
    name: str
    layouts: dict[str, IndexedLayout] = field(default_factory=dict)
    segments: list[IndexedSegment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def layout_ids(self) -> list[str]:
        """Returns all layouts' ids, in the order in which they were first used."""
        used = dict.fromkeys(segment.key.layout_id for segment in self.segments)
        return list(used | dict.fromkeys(sorted(self.layouts)))

    @property
    def last_step(self) -> int | None:
        """The recording's last step: a later segment overwrites from its first step on."""
        last = {}
        if self.segments:
            life = self.segments[-1].key.life
            last = {s.key.stream: s.last[0] for s in self.segments if s.key.life == life}
        return max(last.values(), default=None)

    @property
    def last_wall_time(self) -> float | None:
        """When that step was recorded, in seconds since the epoch."""
        if not self.segments or not math.isfinite(self.segments[-1].last[1]):
            return None
        return self.segments[-1].last[1]


def index_recordings(listing: Listing) -> dict[tuple[str, str], IndexedRecording]:
    """Groups listed series into recordings.

    Returns:
      Recordings by run and name, sorted by them with numbers by value. A series of another form
      under this plugin's name stands for itself, as a recording with nothing but a problem.
    """
    recordings: dict[tuple[str, str], IndexedRecording] = {}

    def recording(run: str, name: str) -> IndexedRecording:
        return recordings.setdefault((run, name), IndexedRecording(run, name))

    for run, tags in listing.items():
        for tag, series in tags.items():
            if series.max_step is None or series.max_wall_time is None:
                continue  # Listed, but not loaded yet.
            try:
                key = parse_tag(tag)
            except Exception as error:  # noqa: BLE001 - one tag never hides the others
                recording(run, shortened(tag)).problems.append(Problem.of(tag, error))
                continue
            if isinstance(key, LayoutTag):
                layout = IndexedLayout(tag, wall_time=series.max_wall_time)
                recording(run, key.name).layouts[key.layout_id] = layout
                continue
            if isinstance(key, RowsTag):
                layout = IndexedLayout(tag, series.plugin_content)
                recording(run, key.name).layouts.setdefault(key.layout_id, layout)
                # Before any segment: no writer's name is smaller.
                key = SegmentTag(key.name, key.layout_id, "", 0)
            last = int(series.max_step), float(series.max_wall_time)
            recording(run, key.name).segments.append(IndexedSegment(tag, key, last))
    for entry in recordings.values():
        entry.segments.sort(key=_writing_order)
    return dict(sorted(recordings.items(), key=lambda item: [*map(natural_key, item[0])]))


def _writing_order(segment: IndexedSegment) -> tuple[str, int, int, float]:
    key = segment.key
    return key.life, key.stream, key.number, 0 if key.writer else segment.last[1]


def in_streams(segments: Collection[IndexedSegment]) -> set[str]:
    """Returns the tags of those whose writer has several streams, beside one another."""
    several = {segment.key.life for segment in segments if segment.key.stream}
    return {segment.tag for segment in segments if segment.key.life in several}


def natural_key(name: str) -> tuple[list[str | float], str]:
    """Returns a key by which names sort with the numbers in them by value.

    Example:
      >>> sorted(["lr=0.01", "lr=1e-05", "lr=0.5"], key=natural_key)
      ['lr=1e-05', 'lr=0.01', 'lr=0.5']
    """
    # Text and numbers take turns, so that like is compared with like.
    parts: list[str | float] = [
        float(part) if i % 2 else part for i, part in enumerate(_NUMBER.split(name))
    ]
    return parts, name


def read_layouts(
    source: Source, wanted: Iterable[RunTag]
) -> Iterator[tuple[RunTag, Layout | Problem]]:
    """Reads layouts.

    Yields:
      A series and its layout, or what is wrong with it. What is not loaded yet is left out.
    """
    for series, events in source.read(dict.fromkeys(wanted, _LAYOUT_BYTES)):
        if isinstance(events, Problem):
            yield series, events
            continue
        only: TensorDatum = events[0]
        values = np.asarray(only.numpy).reshape(-1)
        if len(values) != 1 or not isinstance(values[0], (bytes, str)):
            yield series, Problem.of(series.tag, "The layout is not a single string.")
        else:
            yield series, decode_content(series.tag, values[0])


def decode_content(tag: str, content: bytes | str) -> Layout | Problem:
    """Reads the layout that a series of rows carries, or says what is wrong with it."""
    try:
        return decode_layout(content)
    except Exception as error:  # noqa: BLE001 - one layout never hides the others
        return Problem.of(tag, error)


def read_segments(
    source: Source, run: str, segments: Sequence[IndexedSegment], layouts: Mapping[str, Layout]
) -> Iterator[tuple[str, list[Block], Problem | None]]:
    """Reads segments of a run, all of which have a layout.

    Yields:
      In their order, a tag, its blocks, and what is wrong with the first block that is left out of
      them. What is not loaded yet is left out.
    """
    by_tag = {segment.tag: segment for segment in segments}
    for (_, tag), events in source.read(segment_sizes(run, segments, layouts)):
        if isinstance(events, Problem):
            yield tag, [], events
            continue
        blocks: list[Block] = []
        problem: Problem | None = None
        event: TensorDatum
        columns = len(layouts[by_tag[tag].key.layout_id].columns)
        for event in events:
            try:
                blocks.append(unpack_block(event.step, event.wall_time, event.numpy, columns))
            except Exception as error:  # noqa: BLE001 - one block never hides the others
                problem = problem or Problem.of(tag, error)
        yield tag, blocks, problem


def segment_sizes(
    run: str, segments: Iterable[IndexedSegment], layouts: Mapping[str, Layout]
) -> dict[RunTag, int]:
    """Returns about how many bytes each of a run's segments has, all of which have a layout."""
    return {
        RunTag(run, segment.tag): _segment_bytes(segment, layouts[segment.key.layout_id])
        for segment in segments
    }


def _segment_bytes(segment: IndexedSegment, layout: Layout) -> int:
    if not segment.key.writer:
        return _ROWS_BYTES
    return MAX_SEGMENT_BLOCKS * MAX_BLOCK_ROWS * (2 + len(layout.columns)) * _FLOAT_BYTES
