"""Scalars as they were read, as series: from event files, and from TensorBoard's DataProvider."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from tensorboard.data.provider import ScalarDatum

if TYPE_CHECKING:
    from tb_regplugin.scalars.composition import Series

_Each = TypeVar("_Each")


def series_of_values(values: Mapping[str, Mapping[int, float]]) -> dict[str, Series]:
    """Returns a run's series from its values by tag and step."""
    found = {}
    for tag, by_step in values.items():
        steps = sorted(by_step)
        numbers = np.array([by_step[step] for step in steps], np.float64)
        found[tag] = np.array(steps, np.int64), numbers
    return found


def series_of_data(data: Mapping[str, Sequence[ScalarDatum]]) -> dict[str, Series]:
    """Returns a run's series from what ``DataProvider.read_scalars`` says of it.

    Of several values of a step, as after a restart, the last stands.
    """
    return series_of_values(
        {tag: {datum.step: datum.value for datum in values} for tag, values in data.items()}
    )


def joined(runs: Mapping[str, Mapping[str, _Each]]) -> dict[str, dict[str, _Each]]:
    """Puts what ``add_scalars`` spread over child runs into the run above them.

    PyTorch's and tensorboardX' ``add_scalars("losses", {"kl": …})`` writes the tag ``losses`` into
    the run ``losses_kl`` or ``losses/kl``: it becomes the tag ``losses/kl`` of the run above.
    Names decide: what goes with them may be series, or what tells where these are.
    """
    places = {
        (run, tag): place
        for run, series in runs.items()
        for tag in series
        if (place := _of_add_scalars(run, tag)) is not None
    }
    siblings: dict[tuple[str, str], int] = {}
    for (_, tag), (above, _) in places.items():
        siblings[above, tag] = siblings.get((above, tag), 0) + 1
    found: dict[str, dict[str, _Each]] = {}
    spread = {run for run, _ in places}
    for run, series in runs.items():
        if run not in spread:
            found.setdefault(run, {}).update(series)
            continue
        for tag, values in series.items():
            above, name = places.get((run, tag), (run, tag))
            # One alone is a run that happens to be called like its tag.
            if siblings.get((above, tag), 0) < 2 or name in runs.get(above, ()):
                above, name = run, tag
            found.setdefault(above, {})[name] = values
    return found


def _of_add_scalars(run: str, tag: str) -> tuple[str, str] | None:
    """Returns the run above, and the name there, of what ``add_scalars`` may have written."""
    path = run.replace("\\", "/")
    flat = tag.replace("/", "_")
    # Mostly so, and a pattern for each tag of each run takes seconds to make.
    if f"{flat}_" not in path and f"{tag}/" not in path:
        return None
    match = re.fullmatch(f"(?:(.*)/)?(?:{re.escape(flat)}_|{re.escape(tag)}/)([^/]+)", path)
    return (match[1] or ".", f"{tag}/{match[2]}") if match else None
