"""The sweep as a route answers it, from how all recordings ended, remembered until they change."""

from __future__ import annotations

import functools
import itertools
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from tb_regplugin.reading.decode import natural_key
from tb_regplugin.reading.query import SweepQuery
from tb_regplugin.reading.remembered import ListedOnce, Remembered
from tb_regplugin.reading.runs import Key, homes, pair
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Store
from tb_regplugin.reading.sweep import Ending, ending, entries, mean_of_last
from tb_regplugin.reading.sweep_course import Course, course, included
from tb_regplugin.reading.sweep_text import sentence, warnings

# An answer ends when this time is over: charts wait for their own reading.
_SECONDS = 0.5
# Each takes some 1 KiB in the answer; their ends take less to remember.
_MAX_RUNS = 5_000
_MAX_REMEMBERED = 20_000
# A scalar's values come as a Python object each, some 1,000 a run.
_RUNS_AT_ONCE = 50
# As many as somebody may choose from.
_MAX_METRICS = 100


class Sweeps:
    """Looks at each recording once until it changes. Safe to use from threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._endings = Remembered(
            store, lambda reason: Ending(problem=reason), at_most=_MAX_REMEMBERED
        )
        self._courses = Remembered(store, lambda _: Course(), at_most=_MAX_REMEMBERED)
        # By experiment, run, tag and window: what was listed then, and the mean.
        self._means: OrderedDict[
            tuple[str, str, str, float], tuple[tuple[int, float], float | None]
        ] = OrderedDict()

    def answer(self, source: TensorBoardSource, query: SweepQuery) -> dict[str, Any]:
        """Returns the sweep of as many runs as are known at once, or soon."""
        end = time.monotonic() + _SECONDS
        listed_once = ListedOnce(source)
        listed = {
            (recording.entry.run, recording.entry.name): recording
            for recording in self._store.recordings(listed_once)
            if recording.entry.name == query.name
        }
        rows = pair(listed)
        asked = dict(itertools.islice(rows.items(), _MAX_RUNS))
        endings = self._endings.of(
            listed_once,
            (listed[key] for row in asked.items() for key in row if key is not None),
            functools.partial(ending, window=query.window),
            _SECONDS,
            how=query.window,
        )
        metrics, late = None, set[str]()
        if query.metric is not None:
            metrics, late = self._metric_means(source, query.metric, query.window, asked, end)
        courses: dict[Key, Course] = {}
        if query.include != "nothing":
            look = functools.partial(course, window=query.window)
            wanted = (listed[key] for key in asked)
            left = end - time.monotonic()
            courses = self._courses.of(listed_once, wanted, look, left, how=query.window)
            late |= {key[0] for key in asked if key not in courses}
        known = {
            key: endings[key]
            for row in asked.items()
            if row[0][0] not in late and endings.keys() >= set(filter(None, row))
            for key in filter(None, row)
        }
        hyperparameters = source.hyperparameters() if query.source.kind == "hparams" else {}
        found = entries(known, query.source, hyperparameters, metrics)
        return {
            "name": query.name,
            "metric": query.metric,
            "window": query.window,
            "strength_from": query.source.kind,
            "strengths": found,
            "sentence": sentence(found, query.metric),
            "warnings": warnings(found, query.metric),
            "metrics": _metrics(source, asked),
            "unread": len(asked) - sum(key in known for key in asked),
            "left_out": len(rows) - len(asked),
            **included(query.include, {key[0]: courses[key] for key in courses if key in known}),
        }

    def _metric_means(
        self,
        source: TensorBoardSource,
        metric: str,
        window: float,
        rows: Mapping[Key, Key | None],
        end: float,
    ) -> tuple[dict[str, float | None], set[str]]:
        """Returns the means of a metric by the run that has it, and the runs not known by then."""
        listing = source.list_scalars(metric)
        home_of = homes([run for run, _ in rows], listing, _recorded(rows))
        means: dict[str, float | None] = {}
        new = []
        for run in dict.fromkeys(home_of.values()):
            known = self._means.get((source.experiment, run, metric, window))
            if known is not None and known[0] == listing[run]:
                means[run] = known[1]
            else:
                new.append(run)
        for start in range(0, len(new), _RUNS_AT_ONCE):
            runs = new[start : start + _RUNS_AT_ONCE]
            values = source.read_scalars(metric, runs)
            for run in runs:
                means[run] = mean = mean_of_last(values.get(run, []), window)
                self._means[source.experiment, run, metric, window] = listing[run], mean
            while len(self._means) > _MAX_REMEMBERED:
                self._means.popitem(last=False)
            if time.monotonic() > end:
                break
        return means, {run for run, home in home_of.items() if home not in means}


def _metrics(source: TensorBoardSource, rows: Mapping[Key, Key | None]) -> list[str]:
    """Returns the tags of scalars that runs of the sweep have, those of most runs first."""
    runs, recorded = [run for run, _ in rows], _recorded(rows)
    # Most tags are in the same runs as others.
    count = functools.cache(lambda holders: len(homes(runs, holders, recorded)))
    counts = {tag: count(holders) for tag, holders in source.scalar_tags().items()}
    had = (tag for tag, number in counts.items() if number)
    return sorted(had, key=lambda tag: (-counts[tag], natural_key(tag)))[:_MAX_METRICS]


def _recorded(rows: Mapping[Key, Key | None]) -> list[str]:
    return [run for row in rows.items() for run, _ in filter(None, row)]
