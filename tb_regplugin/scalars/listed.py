"""Compositions of one run as recordings: what they hold, and what is said of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from tensorboard.data.provider import ScalarDatum

from tb_regplugin.log_format import SegmentTag
from tb_regplugin.names import distinct, shortened
from tb_regplugin.reading.decode import IndexedLayout, IndexedRecording, IndexedSegment
from tb_regplugin.reading.source import Problem
from tb_regplugin.reading.store import Contents, ListedRecording
from tb_regplugin.scalars.composition import (
    WITH_THESE_WEIGHTS,
    Composition,
    Series,
    describe,
)
from tb_regplugin.scalars.compositions import find_compositions
from tb_regplugin.scalars.series import series_of_data, series_of_values
from tb_regplugin.scalars.stored import compose_command
from tb_regplugin.scalars.table import contents_of
from tb_regplugin.scalars.text import status_text

# In the place of the hash of a layout.
_LAYOUT = "scalars"


class Found(NamedTuple):
    """A composition as a recording."""

    listed: ListedRecording
    contents: Contents


class Told(NamedTuple):
    """What is known of TensorBoard beside its scalars.

    Attributes:
      kept: How many values of a scalar it keeps; 0 for all.
      log_dir: Its log directory.
    """

    kept: int
    log_dir: str


def found_in(
    run: str,
    data: Mapping[str, Sequence[ScalarDatum]],
    stored: Sequence[Composition],
    told: Told,
) -> list[Found]:
    """Finds the compositions of a run, named after their totals, or else after their parts."""
    compositions = find_compositions(series_of_data(data), stored)
    names = distinct(map(_name, compositions))
    return [
        as_recording(run, name, data, composition, told)
        for name, composition in zip(names, compositions, strict=True)
    ]


def as_recording(
    run: str,
    name: str,
    data: Mapping[str, Sequence[ScalarDatum]],
    composition: Composition,
    told: Told,
) -> Found:
    """Returns a composition, with what the numbers say of it, as a recording of this name."""
    series = series_of_data(data)
    times = series_of_values(
        {tag: {datum.step: datum.wall_time for datum in values} for tag, values in data.items()}
    )
    version = hashlib.blake2b(digest_size=16)
    version.update(repr((run, name, composition)).encode(errors="surrogatepass"))
    for part in (each for tag in sorted(series) for each in series[tag]):
        version.update(part.tobytes())
    contents = contents_of(composition, series, times, version.hexdigest())
    table = contents.table
    entry = IndexedRecording(run, name, layouts={_LAYOUT: IndexedLayout(_LAYOUT)})
    if len(table.steps):
        last = int(table.steps[-1]), float(table.wall_times[-1])
        entry.segments.append(IndexedSegment(name, SegmentTag(name, _LAYOUT, "", 0), last))
    layouts = {_LAYOUT: table.layouts[0]} if table.layouts else {}
    described = describe(run, composition)
    del described["run"]
    scalars: dict[str, Any] = described | {
        "offered": composition.status == WITH_THESE_WEIGHTS,
        "steps": steps_text(contents, series, told.kept),
        "sentence": _sentence(composition),
        "command": compose_command(told.log_dir, run, composition),
    }
    return Found(ListedRecording(entry, layouts, contents.problems, scalars), contents)


def steps_text(contents: Contents, series: Mapping[str, Series], kept: int) -> str:
    """Says which of the logged steps a composition shows.

    TensorBoard doesn't tell how many steps were logged. Where it kept fewer values than it would
    have, it kept them all; otherwise there are at most as many as there are whole numbers.
    """
    steps = contents.table.steps
    logged = [series[term.name][0] for term in contents.table.columns if term.name in series]
    if not logged:
        return ""
    if kept and max(map(len, logged)) >= kept:
        first, last = min(each[0] for each in logged), max(each[-1] for each in logged)
        most = int(last - min(first, 0)) + 1
        return (
            f"From scalars: {len(steps):,} of up to {most:,} steps, chosen by TensorBoard; spikes "
            "may be missing. tensorboard --samples_per_plugin scalars=0 keeps all."
        )
    every = len(np.unique(np.concatenate(logged)))
    if len(steps) < every:
        return (
            f"From scalars: {len(steps):,} of {every:,} logged steps, those at which all of it "
            "was logged; spikes may be missing."
        )
    return f"From scalars: all {every:,} logged steps."


def _sentence(composition: Composition) -> str:
    text = status_text(composition)
    return f"{text[0].upper()}{text[1:]}." + (f" {composition.note}" if composition.note else "")


def _name(composition: Composition) -> str:
    return composition.total or shortened(" + ".join(part.tag for part in composition.parts), 100)


def problems_of(run: str, problems: Sequence[str]) -> list[ListedRecording]:
    """Returns what is told of stored compositions that cannot be read."""
    return [
        ListedRecording(IndexedRecording(run, "composition"), {}, (Problem("composition", reason),))
        for reason in problems[:1]
    ]
