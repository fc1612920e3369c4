"""The recordings of all experiments: listed with their layouts, and kept in bounded memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from tb_regplugin.log_format import layout_tag
from tb_regplugin.reading.decode import (
    IndexedLayout,
    IndexedRecording,
    decode_content,
    index_recordings,
    read_layouts,
    segment_sizes,
)
from tb_regplugin.reading.recording import CachedRecording
from tb_regplugin.reading.recording import Contents as Contents
from tb_regplugin.reading.recording import ListedRecording as ListedRecording
from tb_regplugin.reading.source import Problem, RunTag, Source
from tb_regplugin.terms import Layout

# Experiment, run and name.
_Key = tuple[str, str, str]
# Of so many experiments the layouts and the list are remembered; a local TensorBoard has one.
_MAX_EXPERIMENTS = 4


class Store:
    """Reads each row once, however many ask for it at the same time. Safe to use from threads.

    Args:
      max_bytes: How much memory to take. The recordings that were not asked for the longest are
        dropped for it, and read again when they are asked for. One recording is always kept.
    """

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes
        self.reading = threading.Lock()  # To be held by who reads several recordings together.
        self._lock = threading.Lock()
        # The one that was asked for last is the last.
        self._recordings: OrderedDict[_Key, CachedRecording] = OrderedDict()
        # What each took when it was last counted.
        self._sizes: dict[_Key, int] = {}
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
            cached = self._recordings.get(key) or CachedRecording()
        return segment_sizes(listed.entry.run, cached.moved(listed.readable), listed.layouts)

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
