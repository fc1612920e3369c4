"""Recordings as columns in memory, which grow by what is new in TensorBoard."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from tb_regplugin.log_format import layout_tag, rows_tag
from tb_regplugin.reading.cached_recording import CachedRecording
from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.decode import decode_content, read_layouts
from tb_regplugin.reading.index import IndexedRecording, Problem, index_recordings
from tb_regplugin.reading.source import Series, Source
from tb_regplugin.reading.table import union
from tb_regplugin.terms import Layout, Term

# Experiment, run and name.
_Key = tuple[str, str, str]


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
    """Reads each row once, however many ask for it at the same time. Safe to use from threads.

    Args:
      max_bytes: How much memory to take. The recordings that were not asked for the longest are
        dropped for it, and read again when they are asked for. One recording is always kept.
    """

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        # The one that was asked for last is the last.
        self._recordings: OrderedDict[_Key, CachedRecording] = OrderedDict()
        # By experiment, run and tag. The tag names the content, so that never changes.
        self._layouts: dict[tuple[str, str, str], Layout | Problem] = {}

    @property
    def nbytes(self) -> int:
        """How much memory the recordings take."""
        with self._lock:
            recordings = list(self._recordings.values())
        return sum(cached.nbytes for cached in recordings)

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
            cached = self._recordings.setdefault(key, CachedRecording())
            self._recordings.move_to_end(key)
        # Who comes while another one reads waits, and finds it read.
        with cached.lock:
            entry = index_recordings(source.list(run)).get((run, name))
            if entry is None:
                with self._lock:
                    self._recordings.pop(key, None)
                return None
            self._read_layouts(source, [entry])
            layouts, problems = self._layouts_of(source, entry)
            contents = cached.refresh(source, entry, layouts, problems)
        self.trim()
        return contents

    def trim(self) -> None:
        """Drops what there is no room for. Answers leave summaries, so it is for afterwards too."""
        if self._max_bytes is None:
            return
        with self._lock:
            recordings = dict(self._recordings)
        # Not under the lock: counting waits for summaries that are just being made.
        sizes = {key: cached.nbytes for key, cached in recordings.items()}
        total = sum(sizes.values())
        with self._lock:
            for key in list(sizes)[:-1]:
                if total <= self._max_bytes:
                    break
                if self._recordings.get(key) is recordings[key]:
                    del self._recordings[key]
                total -= sizes[key]

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
