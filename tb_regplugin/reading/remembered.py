"""What is made of each recording's rows, remembered until they change."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from tensorboard.data.provider import TensorDatum

from tb_regplugin.names import shortened
from tb_regplugin.reading.runs import Key
from tb_regplugin.reading.source import (
    MAX_BATCH_BYTES,
    Listing,
    Problem,
    ReadSeries,
    RunTag,
    Source,
    batches,
)
from tb_regplugin.reading.store import Contents, ListedRecording, Store

_logger = logging.getLogger(__name__)

_Made = TypeVar("_Made")
# What each counts at least, in bytes: looking at a hundred takes some time, too.
_LEAST = MAX_BATCH_BYTES // 100


class Remembered(Generic[_Made]):
    """Looks at each recording once until it changes. Safe to use from threads.

    Args:
      store: Where the recordings are.
      failed: Returns what stands for a recording that cannot be read, of the reason; of None for
        one that is gone.
      at_most: How many to remember.
    """

    def __init__(self, store: Store, failed: Callable[[str | None], _Made], at_most: int) -> None:
        self._store = store
        self._failed = failed
        self._at_most = at_most
        # By experiment, run and name, and how it was looked at: what was listed then.
        self._known: OrderedDict[tuple[Hashable, ...], tuple[ListedRecording, _Made]] = (
            OrderedDict()
        )

    def of(
        self,
        source: Source,
        recordings: Iterable[ListedRecording],
        look: Callable[[Contents], _Made],
        seconds: float,
        how: Hashable = None,
    ) -> dict[Key, _Made]:
        """Looks at recordings, in their order, until the time is over: at two at least.

        The source is one that is listed once; ``how`` tells one ``look`` from another.
        """
        end = time.monotonic() + seconds
        found: dict[Key, _Made] = {}
        new: list[ListedRecording] = []
        for listed in recordings:
            known = self._known.get((source.experiment, *_key(listed), how))
            if known is not None and known[0] == listed:
                found[_key(listed)] = known[1]
            else:
                new.append(listed)
        looked = 0
        for batch in batches(self._sizes(source, new)):
            # Who comes while another one reads waits, and finds it read.
            with self._store.reading:
                fetched = _Fetched(source, self._unread(source, batch))
                for listed in batch:
                    found[_key(listed)] = self._look(fetched, listed, look, how)
            looked += len(batch)
            # What was read together is looked at. A recording and its validation are one row.
            if looked > 1 and time.monotonic() > end:
                break
        return found

    def _sizes(
        self, source: Source, recordings: Iterable[ListedRecording]
    ) -> Iterator[tuple[ListedRecording, int]]:
        """Yields recordings, and about how many bytes of each were not read yet."""
        for listed in recordings:
            yield listed, max(_LEAST, sum(self._store.unread(source, listed).values()))

    def _unread(self, source: Source, recordings: Sequence[ListedRecording]) -> dict[RunTag, int]:
        """Returns what to read together of several recordings: one is read by itself."""
        if len(recordings) == 1:
            return {}
        unread = (self._store.unread(source, listed) for listed in recordings)
        return {series: size for each in unread for series, size in each.items()}

    def _look(
        self,
        fetched: Source,
        listed: ListedRecording,
        look: Callable[[Contents], _Made],
        how: Hashable,
    ) -> _Made:
        run, name = _key(listed)
        try:
            contents = self._store.contents(fetched, run, name)
        except Exception as error:  # noqa: BLE001 - one that fails hides no other
            _logger.warning("Recording %r of run %r was not read: %s", name, run, error)
            return self._failed(shortened(f"{type(error).__name__}: {error}"))
        made = look(contents) if contents else self._failed(None)
        self._known[fetched.experiment, run, name, how] = listed, made
        while len(self._known) > self._at_most:
            self._known.popitem(last=False)
        return made


def _key(listed: ListedRecording) -> Key:
    return listed.entry.run, listed.entry.name


class ListedOnce:
    """A source as it was at one moment: to list each run again takes as long as to read it."""

    def __init__(self, source: Source) -> None:
        self.experiment = source.experiment
        self.read = source.read
        self._listing = source.list()

    def list(self, run: str | None = None) -> Listing:
        """Lists series; see ``Source``."""
        return self._listing if run is None else {run: self._listing.get(run, {})}


class _Fetched:
    """A source of which some series are read together: each reply has a price."""

    def __init__(self, source: Source, sizes: Mapping[RunTag, int]) -> None:
        self.experiment = source.experiment
        self.list = source.list
        self._source = source
        self._series: dict[RunTag, Sequence[TensorDatum] | Problem] = {}
        # Where that fails, each is read by itself, and says why.
        with contextlib.suppress(Exception):
            self._series.update(source.read(sizes))

    def read(self, sizes: Mapping[RunTag, int]) -> Iterator[ReadSeries]:
        """Reads series; see ``Source``."""
        for series, size in sizes.items():
            if series in self._series:
                yield series, self._series.pop(series)
            else:
                yield from self._source.read({series: size})
