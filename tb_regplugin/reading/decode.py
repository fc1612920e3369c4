"""Reading layouts and segments, and saying which of them are malformed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tb_regplugin.log_format import (
    MAX_BLOCK_ROWS,
    MAX_SEGMENT_BLOCKS,
    Block,
    LogFormatError,
    decode_layout,
    unpack_block,
)
from tb_regplugin.reading.index import IndexedSegment, Problem
from tb_regplugin.reading.source import Series, Source, Unreadable
from tb_regplugin.terms import Layout

# A generous guess; it only decides how many layouts are asked for at once.
_LAYOUT_BYTES = 2**18
_FLOAT_BYTES = 4
# A series of rows has any number of events, so it is asked for alone.
_ROWS_BYTES = 2**30


def read_layouts(
    source: Source, wanted: Iterable[Series]
) -> Iterator[tuple[Series, Layout | Problem]]:
    """Reads layouts.

    Yields:
      A series and its layout, or what is wrong with it. What is not loaded yet is left out.
    """
    for series, events in source.read(dict.fromkeys(wanted, _LAYOUT_BYTES)):
        if isinstance(events, Unreadable):
            yield series, Problem(series.tag, events.reason)
            continue
        try:
            yield series, decode_layout(_only_string(events[0].numpy))
        except LogFormatError as error:
            yield series, Problem(series.tag, str(error))


def decode_content(tag: str, content: bytes) -> Layout | Problem:
    """Reads the layout that a series of rows carries, or says what is wrong with it."""
    try:
        return decode_layout(content)
    except LogFormatError as error:
        return Problem(tag, str(error))


def read_segments(
    source: Source, run: str, segments: Sequence[IndexedSegment], layouts: Mapping[str, Layout]
) -> Iterator[tuple[str, list[Block], Problem | None]]:
    """Reads segments.

    Args:
      source: Where from.
      run: Their run.
      segments: All of them have a layout.
      layouts: By id.

    Yields:
      In their order, a tag, its blocks, and what is wrong with the first block that is left out of
      them. What is not loaded yet is left out.
    """
    by_tag = {segment.tag: segment for segment in segments}
    sizes = {
        Series(run, segment.tag): _segment_bytes(segment, layouts[segment.key.layout_id])
        for segment in segments
    }
    for (_, tag), events in source.read(sizes):
        if isinstance(events, Unreadable):
            yield tag, [], Problem(tag, events.reason)
        else:
            yield tag, *_decode_segment(tag, layouts[by_tag[tag].key.layout_id], events)


def _decode_segment(
    tag: str, layout: Layout, events: Sequence[Any]
) -> tuple[list[Block], Problem | None]:
    blocks: list[Block] = []
    problem: Problem | None = None
    for event in events:
        try:
            block = unpack_block(event.step, event.wall_time, event.numpy, len(layout.columns))
        except LogFormatError as error:
            problem = problem or Problem(tag, str(error))
        else:
            blocks.append(block)
    return blocks, problem


def _segment_bytes(segment: IndexedSegment, layout: Layout) -> int:
    if not segment.key.writer:
        return _ROWS_BYTES
    return MAX_SEGMENT_BLOCKS * MAX_BLOCK_ROWS * (2 + len(layout.columns)) * _FLOAT_BYTES


def _only_string(array: Any) -> bytes:
    values = np.asarray(array).reshape(-1)
    if len(values) != 1 or not isinstance(values[0], (bytes, str)):
        raise LogFormatError("The layout is not a single string.")
    value = values[0]
    return value if isinstance(value, bytes) else value.encode()
