"""Compositions of scalars beside the recordings of a store, so that all that is asked holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

from tb_regplugin.reading.query import QueryError
from tb_regplugin.reading.source import RunTag, Source, TensorBoardSource
from tb_regplugin.reading.store import Contents, ListedRecording, Store
from tb_regplugin.scalars.composition import judged
from tb_regplugin.scalars.listed import Found, Told, as_recording
from tb_regplugin.scalars.look import Look, Places, read, tags_of
from tb_regplugin.scalars.series import series_of_data
from tb_regplugin.scalars.stored import read_composition

# Those that were looked at last are remembered.
_MAX_EXPERIMENTS = 4
_MAX_COMPOSED = 20


class ScalarRecordings(Store):
    """A store in which compositions of scalars are recordings, too.

    Args:
      max_bytes: How much memory recordings may take: see ``Store``.
      told: What is known of TensorBoard.
    """

    def __init__(self, max_bytes: int | None, told: Told) -> None:
        super().__init__(max_bytes)
        self._told = told
        self._looks: OrderedDict[str, Look] = OrderedDict()
        # By experiment, run, name and composition: which scalars there were, and what they make.
        self._composed: OrderedDict[tuple[str, ...], tuple[object, Found]] = OrderedDict()

    def look(self, source: TensorBoardSource) -> tuple[list[ListedRecording], int]:
        """Lists what is known, looks on in the background, and says how many runs are left."""
        own, look = super().recordings(source), self._look(source)
        look.begin(source, {recording.entry.run for recording in own})
        # In this order: what is found meanwhile is asked for once more.
        waiting = look.waiting
        return look.beside(own), waiting

    def recordings(self, source: Source) -> list[ListedRecording]:
        """Lists recordings and the compositions that are known."""
        return self._look(source).beside(super().recordings(source))

    def unread(self, source: Source, listed: ListedRecording) -> dict[RunTag, int]:
        """Returns what of a recording was not read yet: of a composition, nothing."""
        return {} if listed.scalars else super().unread(source, listed)

    def contents(self, source: Source, run: str, name: str) -> Contents | None:
        """Returns what a recording or a composition holds; None where there is neither."""
        contents = super().contents(source, run, name)
        found = None if contents else self._look(source).of(run, name)
        return found.contents if found else contents

    def composed(self, source: TensorBoardSource, run: str, name: str, text: str) -> Found:
        """Returns a run's scalars as somebody composes them.

        Raises:
          QueryError: They can't be.
        """
        places = self._places(source, run)
        try:
            composition = read_composition(text, places)
        except ValueError as error:
            raise QueryError(f"composition: {error}") from error
        wanted = {tag: places[tag] for tag in tags_of(composition)}
        state = source.scalars_in(list({place.run for place in wanted.values()}))
        key = source.experiment, run, name, text
        known = self._composed.get(key)
        if known is None or known[0] != state:
            data = read(source, wanted)
            found = as_recording(
                run, name, data, judged(series_of_data(data), composition), self._told
            )
            known = state, found
            with self._lock:
                self._composed[key] = known
                while len(self._composed) > _MAX_COMPOSED:
                    self._composed.popitem(last=False)
        return known[1]

    def scalars(self, source: TensorBoardSource, run: str) -> Collection[str]:
        """Returns the scalars that a run has."""
        return self._places(source, run)

    def _places(self, source: TensorBoardSource, run: str) -> Places:
        listed = source.scalars_in([run]).get(run, {})
        own = {tag: RunTag(run, tag) for tag in listed}
        return {**self._look(source).places.get(run, {}), **own}

    def _look(self, source: Source) -> Look:
        with self._lock:
            look = self._looks.setdefault(source.experiment, Look(self._told))
            self._looks.move_to_end(source.experiment)
            while len(self._looks) > _MAX_EXPERIMENTS:
                self._looks.popitem(last=False)
        return look
