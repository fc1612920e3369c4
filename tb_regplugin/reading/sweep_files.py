"""The sweep of a log directory, straight from its event files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tb_regplugin.notices import warn_at_users_line
from tb_regplugin.reading.event_files import EventFiles
from tb_regplugin.reading.load import none_found, read_recordings, read_runs
from tb_regplugin.reading.query import SweepQuery
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.sweep import Ending, ending, entries, mean_of_last


def read_sweep(log_dir: str | os.PathLike[str], query: SweepQuery) -> list[dict[str, Any]]:
    """Returns the entries of a log directory's sweep, and warns of what cannot be read.

    Raises:
      FileNotFoundError: There is no such directory, or no recording in it.
    """

    def runs() -> Iterator[EventFiles]:
        for files in read_runs(log_dir, query.metric):
            for problem in files.problems:
                warn_at_users_line(str(problem))
            yield files

    found = sweep_of(runs(), read_recordings, query)
    if not found:
        raise FileNotFoundError(none_found(log_dir, query.name))
    return found


def sweep_of(
    runs: Iterable[EventFiles],
    recordings_of: Callable[[EventFiles, str], Iterable[tuple[str, Contents]]],
    query: SweepQuery,
) -> list[dict[str, Any]]:
    """Returns the entries of a sweep, as ``entries`` does; none where there is no recording.

    Args:
      runs: All runs, one after another; with the values of the metric.
      recordings_of: Reads those of a run and a name.
      query: What is asked of the sweep.
    """
    endings: dict[tuple[str, str], Ending] = {}
    metrics: dict[str, float | None] = {}
    hyperparameters: dict[str, dict[str, float]] = {}
    for files in runs:
        if files.scalars:
            values = [files.scalars[step] for step in sorted(files.scalars)]
            metrics[files.run] = mean_of_last(values, query.window)
        if files.hyperparameters:
            hyperparameters[files.run] = files.hyperparameters
        for found, contents in recordings_of(files, query.name):
            endings[files.run, found] = ending(contents, query.window)
    asked = metrics if query.metric is not None else None
    return entries(endings, query.source, hyperparameters, asked)
