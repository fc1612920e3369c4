"""One recording as columns in memory, which grow by what is new in its source."""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tb_regplugin.log_format import MAX_BLOCK_ROWS, MAX_SEGMENT_BLOCKS, Block, SegmentTag
from tb_regplugin.reading.aggregates import Digests
from tb_regplugin.reading.composition import Column, as_recorded, compose
from tb_regplugin.reading.decode import (
    IndexedRecording,
    IndexedSegment,
    in_streams,
    read_segments,
)
from tb_regplugin.reading.restarts import Extent, Restart, by_writer, extents, restarts
from tb_regplugin.reading.source import Problem, Source
from tb_regplugin.reading.table import GrowingTable, Table, merged, surviving, union
from tb_regplugin.terms import Layout, Term

_Segments = Mapping[str, IndexedSegment]


class ListedRecording(NamedTuple):
    """What a recording is, as far as the index and its layouts tell."""

    entry: IndexedRecording
    # By id, in the order in which they were first used.
    layouts: dict[str, Layout]
    problems: tuple[Problem, ...]
    scalars: Mapping[str, Any] | None = None  # Of a composition: what is told of it.

    @property
    def columns(self) -> tuple[Term, ...]:
        """The union of its layouts' columns, as they were used last."""
        ids = dict.fromkeys(segment.key.layout_id for segment in reversed(self.entry.segments))
        latest = [self.layouts[each] for each in reversed(ids) if each in self.layouts]
        return union([*self.layouts.values(), *latest])

    @property
    def readable(self) -> dict[str, IndexedSegment]:
        """Its segments that have a layout, by tag."""
        segments = self.entry.segments
        return {each.tag: each for each in segments if each.key.layout_id in self.layouts}


@dataclass(frozen=True, eq=False)
class Contents:
    """What a recording holds at one moment. Safe to use from threads; its rows never change.

    Attributes:
      table: Its rows.
      digests: What is known of them, shared with what the recording held before and will hold.
      problems: The series that could not be read.
      version: Changes when any of this does, and stays when the same is read again.
      restarts: Where it was taken up again.
      from_scalars: Whether it is a composition of scalars, of logged steps only.
    """

    table: Table
    digests: Digests
    problems: tuple[Problem, ...]
    version: str
    restarts: tuple[Restart, ...] = ()
    from_scalars: bool = False

    @functools.cached_property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns and what follows from them; a composition's rest is among them."""
        return (as_recorded if self.from_scalars else compose)(self.table.columns)


class CachedRecording:
    """One recording's rows, which grow by what moved in the index."""

    def __init__(self) -> None:
        # To be held while ``refresh`` runs.
        self.lock = threading.Lock()
        self._contents: Contents | None = None
        self._rows: GrowingTable | None = None
        self._digests = Digests()
        self._layouts: dict[str, Layout] = {}
        # By segment's tag: the index's entry that was read, and what was wrong with the segment.
        self._read: dict[str, tuple[tuple[int, float], Problem | None]] = {}
        # Likewise, which steps it held, overwritten or not.
        self._extents: dict[str, list[Extent]] = {}

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return (0 if self._rows is None else self._rows.nbytes) + self._digests.nbytes

    def moved(self, readable: _Segments) -> list[IndexedSegment]:
        """Returns the segments of which there is more to read."""
        read = self._read
        return [
            segment
            for tag, segment in readable.items()
            if tag not in read or read[tag][0] != segment.last
        ]

    def refresh(self, source: Source, listed: ListedRecording) -> Contents:
        """Reads what moved, and returns the rows as they are now."""
        entry, layouts, problems = listed[:3]
        readable = listed.readable
        moved = self.moved(readable)
        rows, contents = self._rows, self._contents
        is_new = (
            rows is None
            or list(layouts.items()) != list(self._layouts.items())
            or not self._read.keys() <= readable.keys()
        )
        streams = in_streams(readable.values())
        if streams and (moved or is_new):
            # They are merged anew, each of them whole.
            is_new, wanted = True, streams.union(segment.tag for segment in moved)
            moved = [segment for tag, segment in readable.items() if tag in wanted]
        found: dict[str, Problem | None] = {}
        held: dict[str, list[Extent]] = {}

        def coming() -> Iterator[tuple[str, list[Block]]]:
            for tag, blocks, problem in read_segments(source, entry.run, moved, layouts):
                found[tag], held[tag] = problem, extents(blocks)
                yield tag, blocks

        if rows is None or is_new:
            rows = self._rebuild(readable, layouts, coming())
        elif moved:
            # All of it before any of it is taken up: a failure leaves everything to be read again.
            segments = list(coming())
            if not self._grow(rows, readable, segments):
                rows = self._rebuild(readable, layouts, segments)
        unmoved = readable.keys() - found
        kept = {tag: read for tag, read in self._read.items() if tag in unmoved}
        self._extents = {tag: self._extents[tag] for tag in kept} | held
        self._read = kept | {tag: (readable[tag].last, wrong) for tag, wrong in found.items()}
        problems += tuple(wrong for _, wrong in self._read.values() if wrong is not None)
        if rows is not self._rows:
            self._digests = Digests()
        elif contents is not None and not found and problems == contents.problems:
            self._layouts = layouts
            return contents
        self._rows, self._layouts = rows, layouts
        told = repr((sorted(self._read.items()), list(layouts), problems))
        version = hashlib.blake2b(told.encode(errors="surrogatepass"), digest_size=16).hexdigest()
        anew = restarts(by_writer(readable.values(), self._extents))
        self._contents = Contents(rows.table(), self._digests, problems, version, anew)
        return self._contents

    def _rebuild(
        self,
        readable: _Segments,
        layouts: dict[str, Layout],
        found: Iterable[tuple[str, list[Block]]],
    ) -> GrowingTable:
        """Puts rows together anew, from those in memory and from what comes, as it comes."""
        old = self._rows
        spans = {} if old is None else {span.tag: span for span in old.spans}
        expected = len(readable) * MAX_SEGMENT_BLOCKS * MAX_BLOCK_ROWS
        rows = GrowingTable(union(layouts.values()), layouts, expected)
        streams = in_streams(readable.values())
        coming = iter(found)
        tag, blocks = next(coming, (None, []))
        for writer, segments in itertools.groupby(readable.values(), lambda s: s.key.life):
            to_merge: list[tuple[SegmentTag, list[Block]]] = []
            for segment in segments:
                if segment.tag == tag:
                    own = blocks
                    tag, blocks = next(coming, (None, []))
                elif old is not None and segment.tag in spans:
                    # What was overwritten once stays overwritten: a span stands for its blocks.
                    own = [old.block(spans[segment.tag])]
                else:
                    continue
                if segment.tag in streams:
                    to_merge.append((segment.key, own))
                    continue
                for block in own:
                    rows.append(segment.tag, segment.key.layout_id, block)
            for layout_id, block in merged(to_merge):
                rows.append(f"{writer}/{layout_id}", layout_id, block)
        rows.trim()
        return rows.without_overwritten_columns()

    def _grow(
        self, rows: GrowingTable, readable: _Segments, found: Sequence[tuple[str, list[Block]]]
    ) -> bool:
        """Adds what was read to the rows' end, if that is where all of it belongs."""
        tags = [tag for tag, _ in found]
        loaded = [tag for tag in readable if tag in self._read or tag in tags]
        if loaded[len(loaded) - len(tags) :] != tags:
            return False
        if not all(rows.takes(readable[tag].key.layout_id) for tag in tags):
            return False
        new: list[tuple[str, Block]] = []
        end = rows.last_step
        for i, (tag, blocks) in enumerate(found):
            if tag in self._read:
                more = self._continuation(rows, tag, blocks) if i == 0 else None
                if more is None:
                    return False
                blocks = [more] if len(more.steps) else []
            for block in blocks:
                if end is not None and int(block.steps[0]) <= end:
                    return False
                new.append((tag, block))
                end = int(block.steps[-1])
        for tag, block in new:
            rows.append(tag, readable[tag].key.layout_id, block)
        return True

    def _continuation(self, rows: GrowingTable, tag: str, blocks: Sequence[Block]) -> Block | None:
        """Returns what a segment holds behind the rows that are known; None where these differ."""
        whole = surviving(blocks)
        if whole is None or not rows.spans or rows.spans[-1].tag != tag:
            return None
        known = rows.block(rows.spans[-1])
        count = len(known.steps)
        same = (
            len(whole.steps) >= count
            and np.array_equal(whole.steps[:count], known.steps)
            and np.array_equal(whole.values[:count], known.values, equal_nan=True)
        )
        if not same:
            return None
        return Block(whole.steps[count:], whole.wall_times[count:], whole.values[count:])
