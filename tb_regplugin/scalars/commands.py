"""The commands ``compositions`` and ``compose``: their arguments, and the text they print."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tb_regplugin.reading.event_files import EventFiles
from tb_regplugin.scalars.composition import Composition, Series, describe, judged
from tb_regplugin.scalars.compositions import find_compositions
from tb_regplugin.scalars.series import joined, series_of_values
from tb_regplugin.scalars.stored import check_once, check_tag, parse_part, stored_event
from tb_regplugin.scalars.text import composition_text
from tb_regplugin.writing.event_file import EventFile


class UsageError(ValueError):
    """What was asked for cannot be: the sentence says why."""


class Reader(Protocol):
    """What the commands need of the command line's reader."""

    def runs(
        self, scalar: str | None = None, *, with_scalars: bool = False
    ) -> Iterator[EventFiles]:
        """Yields each run."""

    def stored_in(self, files: EventFiles) -> list[Composition]:
        """Returns the compositions that are stored in a run."""


def add_commands(commands: Any, command: Callable[..., int]) -> None:
    """Adds both to a parser's commands.

    Args:
      commands: What ``add_subparsers`` returned.
      command: Prints what the option ``text`` returns of the options and a reader.
    """
    listing = commands.add_parser("compositions", help="show what logged losses are made of")
    listing.add_argument("log_dir", metavar="LOGDIR", help="as for tensorboard --logdir")
    listing.add_argument("--json", action="store_true", help="print a JSON list of compositions")
    listing.set_defaults(command=command, text=compositions_text)
    storing = commands.add_parser("compose", help="store what a logged loss is made of")
    storing.add_argument("log_dir", metavar="LOGDIR", help="as for tensorboard --logdir")
    storing.add_argument("--run", default=".", help="the run (default: %(default)s)")
    storing.add_argument("--total", metavar="TAG", help="the total; omit it if none is logged")
    storing.add_argument(
        "--part",
        action="append",
        default=[],
        metavar="TAG[=WEIGHT][:ROLE]",
        help="a part; WEIGHT is a number, or tags of scalars joined by *; ROLE is data or penalty",
    )
    storing.add_argument("--remove", action="store_true", help="remove what is stored")
    storing.set_defaults(command=command, text=compose_text)


def compositions_text(options: argparse.Namespace, reader: Reader) -> str:
    """Says what the losses of all runs are made of."""
    runs, stored = _read(reader)
    found = [
        (run, composition)
        for run, series in runs.items()
        for composition in find_compositions(series, stored.get(run, ()))
    ]
    if options.json:
        documents = [describe(run, composition) for run, composition in found]
        return json.dumps(documents, indent=2, allow_nan=False)
    if not found:
        return "No loss with parts was found. To name one, use: tb-regplugin compose LOGDIR"
    return "\n\n".join(composition_text(run, each) for run, each in found)


def compose_text(options: argparse.Namespace, reader: Reader) -> str:
    """Stores a composition in the log directory, or takes one away, and says what is there now.

    Raises:
      UsageError: There is no such run or scalar, or the composition can't be.
      OSError: It can't be written.
    """
    runs, stored = _read(reader)
    if options.run not in runs:
        near = difflib.get_close_matches(options.run, runs, n=3, cutoff=0.4) or sorted(runs)[:3]
        names = ", ".join(map(repr, near)) or "none"
        raise UsageError(f"There is no run {options.run!r} with scalars. The nearest are {names}.")
    series = runs[options.run]
    composition = None if options.remove else _composition(options, series)
    if options.remove and options.total not in [e.total for e in stored.get(options.run, ())]:
        raise UsageError(f"The run {options.run!r} has nothing stored for {_named(options.total)}.")
    directory = os.path.join(os.path.expanduser(options.log_dir), options.run)
    file = EventFile(directory).open()
    try:
        file.write(stored_event(options.total, composition, time.time()))
    finally:
        file.close()
    if composition is None:
        return f"{options.run}: nothing is stored for {_named(options.total)} any more."
    return composition_text(options.run, judged(series, composition))


def _composition(options: argparse.Namespace, series: dict[str, Series]) -> Composition:
    try:
        if options.total is not None:
            check_tag(options.total, series)
        parts = tuple(parse_part(text, series) for text in options.part)
        check_once(options.total, [part.tag for part in parts])
    except ValueError as error:
        raise UsageError(str(error)) from error
    return Composition(options.total, parts, stored=True)


def _named(total: str | None) -> str:
    return "a loss without a total" if total is None else f"the total {total!r}"


def _read(
    reader: Reader,
) -> tuple[dict[str, dict[str, Series]], dict[str, list[Composition]]]:
    """Returns the series and the stored compositions of all runs."""
    runs, stored = {}, {}
    for files in reader.runs(with_scalars=True):
        stored[files.run] = reader.stored_in(files)
        runs[files.run] = series_of_values(files.scalars_by_tag)
    return joined(runs), stored
