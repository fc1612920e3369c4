"""Recordings as columns in memory, which grow by what is new in their source."""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tb_regplugin.log_format import (
    MAX_BLOCK_ROWS,
    MAX_SEGMENT_BLOCKS,
    Block,
    SegmentTag,
    layout_tag,
)
from tb_regplugin.reading.aggregates import Digests
from tb_regplugin.reading.composition import Column, as_recorded, compose
from tb_regplugin.reading.decode import (
    IndexedLayout,
    IndexedRecording,
    IndexedSegment,
    decode_content,
    in_streams,
    index_recordings,
    read_layouts,
    read_segments,
    segment_sizes,
)
from tb_regplugin.reading.restarts import Extent, Restart, by_writer, extents, restarts
from tb_regplugin.reading.source import Problem, RunTag, Source
from tb_regplugin.reading.table import GrowingTable, Table, merged, surviving, union
from tb_regplugin.terms import Layout, Term

# Experiment, run and name.
_Key = tuple[str, str, str]
# Of so many experiments the layouts and the list are remembered; a local TensorBoard has one.
_MAX_EXPERIMENTS = 4
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


class Store:
    """Reads each row once, however many ask for it at the same time. Safe to use from threads.

    Args:
      max_bytes: How much memory to take. The recordings that were not asked for the longest are
        dropped for it, and read again when they are asked for. One recording is always kept.
    """

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        # The one that was asked for last is the last.
        self._recordings: OrderedDict[_Key, _CachedRecording] = OrderedDict()
        self._sizes: dict[_Key, int] = {}  # What each took when it was last counted.
        # Those that were asked for last.
        self._experiments: OrderedDict[str, _Experiment] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """How much memory the recordings take."""
        with self._lock:
            recordings = list(self._recordings.values())
        return sum(cached.nbytes for cached in recordings)

    def recordings(self, source: Source) -> list[ListedRecording]:
        """Lists all recordings, without reading their rows: the same list as long as it is true."""
        listing, experiment = source.list(), self._experiment(source)
        state = hash(
            tuple((run, *each) for run, series in listing.items() for each in series.items())
        )
        if experiment.state != state:
            entries = index_recordings(listing).values()
            known = {(entry.run, layout) for entry in entries for layout in entry.layouts.values()}
            experiment.listed = self._with_layouts(source, entries)
            found, experiment.layouts = (
                experiment.layouts,
                {key: layout for key, layout in experiment.layouts.items() if key in known},
            )
            # One that is not loaded yet may be loaded without a change of the list.
            experiment.state = state if known <= found.keys() else None
        return experiment.listed

    def unread(self, source: Source, listed: ListedRecording) -> dict[RunTag, int]:
        """Returns what of a recording was not read yet, and about how many bytes each has."""
        with self._lock:
            key = (source.experiment, listed.entry.run, listed.entry.name)
            cached = self._recordings.get(key, _CachedRecording())
        moved = cached.moved(_readable(listed))
        return segment_sizes(listed.entry.run, moved, listed.layouts)

    def contents(self, source: Source, run: str, name: str) -> Contents | None:
        """Returns a recording's rows as they are now; None where there is no such recording."""
        key = (source.experiment, run, name)
        with self._lock:
            cached = self._recordings.setdefault(key, _CachedRecording())
            self._recordings.move_to_end(key)
        # Who comes while another one reads waits, and finds it read.
        with cached.lock:
            entry = index_recordings(source.list(run)).get((run, name))
            if entry is None:
                with self._lock:
                    self._recordings.pop(key, None)
                    self._sizes.pop(key, None)
                return None
            (listed,) = self._with_layouts(source, [entry])
            contents = cached.refresh(source, listed)
        # Only this one has grown: to count all after each of a thousand takes seconds.
        size = cached.nbytes
        with self._lock:
            self._sizes[key] = size
            total = sum(self._sizes.values())
        if self._max_bytes is not None and total > self._max_bytes:
            self.trim()
        return contents

    def trim(self) -> None:
        """Drops what there is no room for. Answers leave digests, so it is for afterwards too."""
        if self._max_bytes is None:
            return
        with self._lock:
            recordings = dict(self._recordings)
        # Not under the lock: counting waits for digests that are just being made.
        sizes = {key: cached.nbytes for key, cached in recordings.items()}
        total = sum(sizes.values())
        with self._lock:
            for key in list(sizes)[:-1]:
                if total <= self._max_bytes:
                    break
                if self._recordings.get(key) is recordings[key]:
                    del self._recordings[key]
                total -= sizes[key]
            self._sizes = {key: sizes.get(key, self._sizes.get(key, 0)) for key in self._recordings}

    def _with_layouts(
        self, source: Source, entries: Collection[IndexedRecording]
    ) -> list[ListedRecording]:
        """Returns recordings with their layouts, of which the new ones are read together."""
        known = self._experiment(source).layouts
        new: dict[RunTag, IndexedLayout] = {}
        for entry in entries:
            for layout in entry.layouts.values():
                if (entry.run, layout) in known:
                    continue
                if layout.content is not None:
                    known[entry.run, layout] = decode_content(layout.tag, layout.content)
                else:
                    new[RunTag(entry.run, layout.tag)] = layout
        for series, found in read_layouts(source, new):
            known[series.run, new[series]] = found
        listed = []
        for entry in entries:
            layouts: dict[str, Layout] = {}
            problems = list(entry.problems)
            for layout_id in entry.layout_ids():
                tag = layout_tag(entry.name, layout_id)
                missing = Problem.of(
                    tag, "The layout, which says what the columns are, is missing."
                )
                indexed = entry.layouts.get(layout_id, IndexedLayout(tag))
                read = known.get((entry.run, indexed), missing)
                if isinstance(read, Layout):
                    layouts[layout_id] = read
                else:
                    problems.append(read)
            listed.append(ListedRecording(entry, layouts, tuple(problems)))
        return listed

    def _experiment(self, source: Source) -> _Experiment:
        with self._lock:
            experiment = self._experiments.setdefault(source.experiment, _Experiment())
            self._experiments.move_to_end(source.experiment)
            while len(self._experiments) > _MAX_EXPERIMENTS:
                self._experiments.popitem(last=False)
        return experiment


@dataclass
class _Experiment:
    """What is remembered of one experiment.

    Attributes:
      layouts: What was read, by run and the index's entry.
      state: Tells whether the list is as it was.
      listed: Its recordings then.
    """

    layouts: dict[tuple[str, IndexedLayout], Layout | Problem] = field(default_factory=dict)
    state: int | None = None
    listed: list[ListedRecording] = field(default_factory=list)


class _CachedRecording:
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
        readable = _readable(listed)
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


def _readable(listed: ListedRecording) -> dict[str, IndexedSegment]:
    segments = listed.entry.segments
    return {each.tag: each for each in segments if each.key.layout_id in listed.layouts}
