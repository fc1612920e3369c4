"""Looking for compositions in an experiment's scalars, by threads that nobody waits for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tensorboard.data.provider import ScalarDatum

from tb_regplugin.reading.decode import natural_key
from tb_regplugin.reading.source import RunTag, TensorBoardSource
from tb_regplugin.reading.store import ListedRecording
from tb_regplugin.scalars.composition import Composition, logged_tags
from tb_regplugin.scalars.likely import Listed, listed_slowly
from tb_regplugin.scalars.listed import Found, Told, found_in, problems_of
from tb_regplugin.scalars.resting import rest
from tb_regplugin.scalars.series import joined
from tb_regplugin.scalars.stored import read_stored
from tb_regplugin.scalars.tags import is_likely, parse

_logger = logging.getLogger(__name__)

# One slow run holds up none of the others.
_THREADS = 2
# What of the time they take where others want the interpreter.
_SHARE = 0.5
# Seconds that the list of recordings waits: a small log needs fewer.
_PATIENCE = 0.2
# Seconds after which a look counts as over.
_LONGEST = 120.0
# Compositions take some 50 KiB each, and the rules 20 ms for 50 scalars.
_MAX_RUNS = 1_000
_MAX_SCALARS = 200

# Where a run's scalars are: what ``add_scalars`` wrote is in other runs.
Places = Mapping[str, RunTag]


class _Wanted(NamedTuple):
    """What to read of a run.

    Attributes:
      places: Which scalars.
      stored: What is stored of them.
      state: Changes with any of this.
    """

    places: Places
    stored: Sequence[Composition]
    state: int


class Look:
    """What was found in one experiment. Safe to use from threads.

    Args:
      told: What is known of TensorBoard.
    """

    def __init__(self, told: Told) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._end = 0.0
        self._next = 0.0
        self._working = 0
        self._waiting: dict[str, _Wanted] = {}
        # By run, of those that may have compositions.
        self.places: dict[str, Places] = {}
        self._found: dict[str, tuple[int, list[Found]]] = {}
        self._problems: list[ListedRecording] = []
        self._version = 0
        # The list that was made last, of which own recordings and of which version.
        self._listed: tuple[Sequence[ListedRecording], int, list[ListedRecording]] = (), -1, []

    def begin(self, source: TensorBoardSource, without: Collection[str]) -> None:
        """Looks at what is new or has grown, but for runs that have recordings."""
        now = time.monotonic()
        with self._lock:
            if now < self._next or (self._working and now < self._end):
                return
            self._working, self._end = 1, now + _LONGEST
        looking = threading.Thread(target=self._look, args=(source, without), daemon=True)
        looking.start()
        looking.join(_PATIENCE)

    @property
    def waiting(self) -> int:
        """How many runs are still to be looked at, at least one while names are."""
        with self._lock:
            is_over = time.monotonic() > self._end
            return 0 if is_over else len(self._waiting) + self._working

    def beside(self, own: Sequence[ListedRecording]) -> list[ListedRecording]:
        """Returns recordings and what was found: the same list as long as both are the same."""
        with self._lock:
            known, version, listed = self._listed
            if known is not own or version != self._version:
                runs = {recording.entry.run for recording in own}
                found = [
                    each.listed
                    for run, (_, compositions) in self._found.items()
                    if run not in runs
                    for each in compositions
                ]
                listed = sorted(
                    [*own, *found, *self._problems],
                    key=lambda each: (natural_key(each.entry.run), natural_key(each.entry.name)),
                )
                self._listed = own, self._version, listed
            return listed

    def of(self, run: str, name: str) -> Found | None:
        """Returns what was found under a name."""
        with self._lock:
            _, found = self._found.get(run, (0, []))
        return next((each for each in found if each.listed.entry.name == name), None)

    def _look(self, source: TensorBoardSource, without: Collection[str]) -> None:
        start = time.monotonic()
        try:
            self._find_wanted(source, without)
        except Exception as error:  # noqa: BLE001 - recordings are shown all the same
            _logger.warning("Scalars were not looked at: %s", error)
        # A list of many runs takes seconds to make, and is asked for at each reload.
        self._next = time.monotonic() + 9 * (time.monotonic() - start)
        with self._lock:
            more = min(_THREADS, len(self._waiting)) - 1
            self._working += max(0, more)
        for _ in range(more):
            threading.Thread(target=self._work, args=(source,), daemon=True).start()
        self._work(source)

    def _find_wanted(self, source: TensorBoardSource, without: Collection[str]) -> None:
        listing: Listed = {}
        for some in listed_slowly(source, _SHARE):
            listing |= {run: tags for run, tags in some.items() if run not in without}
        places = joined(
            {run: {tag: RunTag(run, tag) for tag in tags} for run, tags in listing.items()}
        )
        documents = source.stored_compositions()
        wanted: dict[str, _Wanted] = {}
        problems: list[ListedRecording] = []
        for run, own in places.items():
            stored, unread = read_stored(documents.get(run, {}))
            problems += problems_of(run, unread)
            if stored or is_likely(own):
                # Sorted: of a loss without a total, the order of its parts makes its name.
                read = {tag: own[tag] for tag in sorted(_to_read(own, stored))}
                last = {tag: listing[place.run][place.tag] for tag, place in read.items()}
                state = hash((repr(stored), *sorted(last.items())))
                wanted[run] = _Wanted(read, stored, state)
            if len(wanted) == _MAX_RUNS:
                break
        with self._lock:
            self.places = {run: places[run] for run in wanted}
            before, self._problems = self._problems, problems
            gone = self._found.keys() - wanted
            self._found = {run: each for run, each in self._found.items() if run in wanted}
            self._waiting = {
                run: each
                for run, each in wanted.items()
                if run not in self._found or self._found[run][0] != each.state
            }
            self._version += bool(gone or before != problems)

    def _work(self, source: TensorBoardSource) -> None:
        try:
            while True:
                with self._lock:
                    if not self._waiting:
                        return
                    run = next(iter(self._waiting))
                    wanted = self._waiting.pop(run)
                start = time.monotonic()
                try:
                    found = found_in(run, read(source, wanted.places), wanted.stored, self._told)
                except Exception as error:  # noqa: BLE001 - the next look tries again
                    _logger.warning("The scalars of run %r were not read: %s", run, error)
                else:
                    with self._lock:
                        self._found[run] = wanted.state, found
                        self._version += 1
                rest(time.monotonic() - start, _SHARE)
        finally:
            with self._lock:
                self._working -= 1


def read(source: TensorBoardSource, places: Places) -> dict[str, Sequence[ScalarDatum]]:
    """Reads scalars wherever they are."""
    data: dict[str, Sequence[ScalarDatum]] = {}
    for run in {place.run for place in places.values()}:
        names = {place.tag: tag for tag, place in places.items() if place.run == run}
        found = source.scalar_data(run, names)
        data |= {names[tag]: values for tag, values in found.items() if values}
    return {tag: data[tag] for tag in places if tag in data}


def tags_of(composition: Composition) -> list[str]:
    """Returns all scalars that a composition is made of."""
    tags = [] if composition.total is None else [composition.total]
    for part in composition.parts:
        tags += [part.tag, *logged_tags(part.weight)]
    return tags


def _to_read(tags: Collection[str], stored: Sequence[Composition]) -> set[str]:
    """Returns which scalars of a run may be in a composition, and those that are in stored ones."""
    parsed = [parse(tag) for tag in tags]
    any_name = {tag.name for tag in parsed if tag.is_weight or not tag.is_metric}
    of_losses = {tag.name for tag in parsed if tag.is_total or tag.may_be_part or tag.is_weight}
    stored_tags = {tag for each in stored for tag in tags_of(each) if tag in tags}
    fitting = (each for each in (any_name, of_losses) if len(each) <= _MAX_SCALARS)
    return stored_tags | next(fitting, set())
