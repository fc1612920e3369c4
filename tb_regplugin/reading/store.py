"""Recordings as columns in memory, which grow by what is new in TensorBoard."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from typing import NamedTuple

from tb_regplugin.log_format import layout_tag, rows_tag
from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.decode import decode_content, read_layouts, read_segments
from tb_regplugin.reading.index import IndexedRecording, Problem, index_recordings
from tb_regplugin.reading.source import Series, Source
from tb_regplugin.reading.table import Piece, Span, assemble, span_piece, union
from tb_regplugin.terms import Layout, Term


class Summary(NamedTuple):
    """What a recording is, as far as the index and its layouts tell.

    Attributes:
      entry: Its entry in the index.
      columns: The union of its layouts' columns.
      problems: The series that cannot be read.
    """

    entry: IndexedRecording
    columns: tuple[Term, ...]
    problems: tuple[Problem, ...]


class Store:
    """Reads each row once, however many ask for it at the same time. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recordings: dict[tuple[str, str, str], _CachedRecording] = {}
        # By experiment, run and tag. The tag names the content, so that never changes.
        self._layouts: dict[tuple[str, str, str], Layout | Problem] = {}

    def summaries(self, source: Source) -> list[Summary]:
        """Lists all recordings, without reading their rows."""
        entries = index_recordings(source.list()).values()
        self._read_layouts(source, entries)
        summaries = []
        for entry in entries:
            layouts, problems = self._layouts_of(source, entry)
            summaries.append(Summary(entry, union(list(layouts.values())), problems))
        return summaries

    def contents(self, source: Source, run: str, name: str) -> Contents | None:
        """Returns a recording's rows as they are now; None where there is no such recording."""
        key = (source.experiment, run, name)
        with self._lock:
            cached = self._recordings.setdefault(key, _CachedRecording())
        # Who comes while another one reads waits, and finds it read.
        with cached.lock:
            entry = index_recordings(source.list(run)).get((run, name))
            if entry is None:
                with self._lock:
                    self._recordings.pop(key, None)
                return None
            self._read_layouts(source, [entry])
            layouts, problems = self._layouts_of(source, entry)
            return cached.refresh(source, entry, layouts, problems)

    def _read_layouts(self, source: Source, entries: Iterable[IndexedRecording]) -> None:
        """Reads the layouts that are new, those of all recordings together."""
        new = [
            Series(entry.run, tag)
            for entry in entries
            for tag in entry.layouts.values()
            if (source.experiment, entry.run, tag) not in self._layouts
        ]
        for series, found in read_layouts(source, new):
            self._layouts[source.experiment, series.run, series.tag] = found
        for entry in entries:
            for layout_id, content in entry.contents.items():
                tag = rows_tag(entry.name, layout_id)
                if (source.experiment, entry.run, tag) not in self._layouts:
                    found = decode_content(tag, content)
                    self._layouts[source.experiment, entry.run, tag] = found

    def _layouts_of(
        self, source: Source, entry: IndexedRecording
    ) -> tuple[dict[str, Layout], tuple[Problem, ...]]:
        """Returns a recording's readable layouts by id, in the order in which they were used."""
        layouts: dict[str, Layout] = {}
        problems = list(entry.problems)
        for layout_id in entry.layout_ids():
            tag = entry.layouts.get(layout_id, layout_tag(entry.name, layout_id))
            if layout_id not in entry.layouts and layout_id in entry.contents:
                tag = rows_tag(entry.name, layout_id)
            layout = self._layouts.get((source.experiment, entry.run, tag))
            if isinstance(layout, Layout):
                layouts[layout_id] = layout
            else:
                missing = Problem(tag, "The layout, which says what the columns are, is missing.")
                problems.append(layout or missing)
        return layouts, tuple(problems)


class _CachedRecording:
    """One recording's rows, and from what they were read."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._contents: Contents | None = None
        self._spans: dict[str, Span] = {}
        self._layouts: dict[str, Layout] = {}
        # By segment's tag: the index's entry that was read, and what was wrong with the segment.
        self._read: dict[str, tuple[int, float]] = {}
        self._wrong: dict[str, Problem] = {}

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
        moved = [tag for tag, segment in readable.items() if self._read.get(tag) != segment.last]
        vanished = self._read.keys() - readable.keys()
        for tag in vanished:
            del self._read[tag]
        fresh: dict[str, list[Piece]] = {}
        wrong = {tag: problem for tag, problem in self._wrong.items() if tag in readable}
        segments = [readable[tag] for tag in moved]
        for tag, pieces, problem in read_segments(source, entry.run, segments, layouts):
            fresh[tag] = pieces
            wrong.pop(tag, None)
            if problem is not None:
                wrong[tag] = problem
        problems = (*problems, *wrong.values())
        contents = self._contents
        if contents is None or fresh or vanished or layouts != self._layouts:
            table, self._spans = assemble(self._pieces(readable, fresh), layouts)
            self._layouts = layouts
        else:
            table = contents.table
        # Only now: a failure above leaves everything to be read again.
        self._wrong = wrong
        self._read.update({tag: readable[tag].last for tag in fresh})
        self._contents = Contents(table, problems, self._version(layouts, problems))
        return self._contents

    def _version(self, layouts: dict[str, Layout], problems: tuple[Problem, ...]) -> str:
        told = repr((sorted(self._read.items()), list(layouts), problems))
        return hashlib.blake2b(told.encode(errors="surrogatepass"), digest_size=16).hexdigest()

    def _pieces(self, tags: Iterable[str], fresh: dict[str, list[Piece]]) -> list[Piece]:
        pieces: list[Piece] = []
        for tag in tags:
            if tag in fresh:
                pieces += fresh[tag]
            elif self._contents is not None and tag in self._spans:
                pieces.append(span_piece(self._contents.table, tag, self._spans[tag]))
        return pieces
