"""Which recordings an experiment holds, from TensorBoard's index of series alone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tb_regplugin.log_format import LayoutTag, LogFormatError, RowsTag, SegmentTag, parse_tag

_NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")


class Problem(NamedTuple):
    """A series that cannot be shown."""

    tag: str
    reason: str


class IndexedSegment(NamedTuple):
    """A segment's entry in the index.

    Attributes:
      tag: Its tag, as listed.
      key: Its tag's parts.
      last: The largest step and wall time of its events; when they move, there is more to read.
    """

    tag: str
    key: SegmentTag
    last: tuple[int, float]


@dataclass
class IndexedRecording:
    """A recording's entry in the index.

    Attributes:
      run: Its run.
      name: Its name.
      layouts: The tags of its layouts, by layout id.
      contents: The layouts that series of rows carry with them, as JSON, by layout id.
      segments: In the order in which they were written.
      problems: The series that are not part of any recording.
    """

    run: str
    name: str
    layouts: dict[str, str] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    segments: list[IndexedSegment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def layout_ids(self) -> list[str]:
        """Returns all layouts' ids, in the order in which they were first used."""
        used = dict.fromkeys(segment.key.layout_id for segment in self.segments)
        return list(used | dict.fromkeys(sorted({*self.layouts, *self.contents})))

    @property
    def last_step(self) -> int | None:
        """The recording's last step: a later segment overwrites from its first step on."""
        return self.segments[-1].last[0] if self.segments else None

    @property
    def last_wall_time(self) -> float | None:
        """When that step was recorded, in seconds since the epoch."""
        if not self.segments or not math.isfinite(self.segments[-1].last[1]):
            return None
        return self.segments[-1].last[1]


def index_recordings(
    listing: Mapping[str, Mapping[str, Any]],
) -> dict[tuple[str, str], IndexedRecording]:
    """Groups listed series into recordings.

    Args:
      listing: What ``Source.list`` returned.

    Returns:
      Recordings by run and name, sorted by them with numbers by value. A series of another form
      under this plugin's name stands for itself, as a recording with nothing but a problem.
    """
    recordings: dict[tuple[str, str], IndexedRecording] = {}

    def recording(run: str, name: str) -> IndexedRecording:
        return recordings.setdefault((run, name), IndexedRecording(run, name))

    for run, tags in listing.items():
        for tag, series in tags.items():
            if series.max_step is None:
                continue  # Listed, but not loaded yet.
            try:
                key = parse_tag(tag)
            except LogFormatError as error:
                recording(run, tag).problems.append(Problem(tag, str(error)))
                continue
            if isinstance(key, LayoutTag):
                recording(run, key.name).layouts[key.layout_id] = tag
                continue
            if isinstance(key, RowsTag):
                recording(run, key.name).contents[key.layout_id] = series.plugin_content
                # Before any segment: no writer's name is smaller.
                key = SegmentTag(key.name, key.layout_id, "", 0)
            last = (int(series.max_step), float(series.max_wall_time))
            recording(run, key.name).segments.append(IndexedSegment(tag, key, last))
    for entry in recordings.values():
        entry.segments.sort(key=_writing_order)
    return {
        key: recordings[key]
        for key in sorted(recordings, key=lambda key: (natural_key(key[0]), natural_key(key[1])))
    }


def _writing_order(segment: IndexedSegment) -> tuple[str, int, float]:
    return segment.key.writer, segment.key.number, segment.last[1] if not segment.key.writer else 0


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
