"""One recording in memory, which grows by what moved in TensorBoard's index."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from tb_regplugin.log_format import MAX_BLOCK_ROWS, MAX_SEGMENT_BLOCKS, Block, surviving_rows
from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.decode import read_segments
from tb_regplugin.reading.digests import Digests
from tb_regplugin.reading.index import IndexedRecording, IndexedSegment, Problem
from tb_regplugin.reading.rows import Rows, surviving
from tb_regplugin.reading.source import Source
from tb_regplugin.reading.table import union
from tb_regplugin.terms import Layout

_Segments = Mapping[str, IndexedSegment]


class CachedRecording:
    """One recording's rows, and from what they were read.

    Attributes:
      lock: To be held while ``refresh`` runs.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._contents: Contents | None = None
        self._rows: Rows | None = None
        self._digests = Digests()
        self._layouts: dict[str, Layout] = {}
        # By segment's tag: the index's entry that was read, and what was wrong with the segment.
        self._read: dict[str, tuple[int, float]] = {}
        self._wrong: dict[str, Problem] = {}

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return (0 if self._rows is None else self._rows.nbytes) + self._digests.nbytes

    def refresh(
        self,
        source: Source,
        entry: IndexedRecording,
        layouts: dict[str, Layout],
        problems: tuple[Problem, ...],
    ) -> Contents:
        """Reads what moved, and returns the rows as they are now."""
        readable = {
            segment.tag: segment for segment in entry.segments if segment.key.layout_id in layouts
        }
        moved = [
            segment for tag, segment in readable.items() if self._read.get(tag) != segment.last
        ]
        reader = _Reader(source, entry.run, moved, layouts)
        rows = self._rows
        if (
            rows is None
            or list(layouts.items()) != list(self._layouts.items())
            or not self._read.keys() <= readable.keys()
        ):
            rows = self._rebuild(readable, layouts, reader)
        elif moved:
            # All of it before any of it is taken up: a failure leaves everything to be read again.
            found = list(reader)
            if not self._grow(rows, readable, found):
                rows = self._rebuild(readable, layouts, found)
        return self._keep(rows, readable, layouts, problems, reader)

    def _keep(
        self,
        rows: Rows,
        readable: _Segments,
        layouts: dict[str, Layout],
        problems: tuple[Problem, ...],
        reader: _Reader,
    ) -> Contents:
        wrong = {
            tag: problem
            for tag, problem in self._wrong.items()
            if tag in readable and tag not in reader.found
        }
        self._wrong = wrong | reader.wrong
        kept = {tag: last for tag, last in self._read.items() if tag in readable}
        self._read = kept | {tag: readable[tag].last for tag in reader.found}
        problems = (*problems, *self._wrong.values())
        contents = self._contents
        digests = self._digests if rows is self._rows else Digests()
        if (
            contents is None
            or rows is not self._rows
            or reader.found
            or problems != contents.problems
        ):
            version = self._version(layouts, problems)
            self._contents = contents = Contents(rows.table(), digests, problems, version)
        self._rows, self._layouts, self._digests = rows, layouts, digests
        return contents

    def _rebuild(
        self,
        readable: _Segments,
        layouts: dict[str, Layout],
        found: Iterable[tuple[str, list[Block]]],
    ) -> Rows:
        """Puts rows together anew, from those in memory and from what comes, as it comes."""
        old = self._rows
        spans = {} if old is None else {span.tag: span for span in old.spans}
        expected = len(readable) * MAX_SEGMENT_BLOCKS * MAX_BLOCK_ROWS
        rows = Rows(union(list(layouts.values())), layouts, expected)
        coming = iter(found)
        tag, blocks = next(coming, (None, []))
        for wanted, segment in readable.items():
            if wanted == tag:
                for block in blocks:
                    rows.append(wanted, segment.key.layout_id, block)
                tag, blocks = next(coming, (None, []))
            elif old is not None and wanted in spans:
                # What was overwritten once stays overwritten, so a span stands for its blocks.
                rows.append(wanted, segment.key.layout_id, old.block(spans[wanted]))
        rows.trim()
        return rows

    def _grow(
        self, rows: Rows, readable: _Segments, found: Sequence[tuple[str, list[Block]]]
    ) -> bool:
        """Adds what was read to the rows' end, if that is where all of it belongs."""
        tags = [tag for tag, _ in found]
        loaded = [tag for tag in readable if tag in self._read or tag in tags]
        if loaded[len(loaded) - len(tags) :] != tags:
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

    def _continuation(self, rows: Rows, tag: str, blocks: Sequence[Block]) -> Block | None:
        """Returns what a segment holds behind the rows that are known; None where these differ."""
        whole = surviving(blocks, surviving_rows(blocks))
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

    def _version(self, layouts: Mapping[str, Layout], problems: tuple[Problem, ...]) -> str:
        told = repr((sorted(self._read.items()), list(layouts), problems))
        return hashlib.blake2b(told.encode(errors="surrogatepass"), digest_size=16).hexdigest()


class _Reader:
    """Reads segments one after another, and remembers what came of it."""

    def __init__(
        self,
        source: Source,
        run: str,
        segments: Sequence[IndexedSegment],
        layouts: Mapping[str, Layout],
    ) -> None:
        self._segments = source, run, segments, layouts
        self.found: set[str] = set()
        self.wrong: dict[str, Problem] = {}

    def __iter__(self) -> Iterator[tuple[str, list[Block]]]:
        for tag, blocks, problem in read_segments(*self._segments):
            self.found.add(tag)
            if problem is not None:
                self.wrong[tag] = problem
            yield tag, blocks
