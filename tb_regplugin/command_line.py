"""The commands of ``tb-regplugin``, which ``python -m tb_regplugin`` runs as well."""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from importlib.metadata import version
from typing import Any, TextIO

from tb_regplugin.doctor import diagnose
from tb_regplugin.finding import SEVERITIES, Finding, at_least, describe_findings
from tb_regplugin.findings.catalogue import Thresholds
from tb_regplugin.findings.find import find_in
from tb_regplugin.findings.forms import findings_table
from tb_regplugin.names import printable, recording_title, shortened
from tb_regplugin.reading.event_files import EventFiles
from tb_regplugin.reading.export import describe_last_values, last_values_table
from tb_regplugin.reading.load import none_found, read_recordings, read_runs
from tb_regplugin.reading.overview import describe_row, figures, is_of_gradients
from tb_regplugin.reading.query import SweepQuery
from tb_regplugin.reading.runs import pair
from tb_regplugin.reading.store import Contents
from tb_regplugin.reading.strengths import StrengthSource
from tb_regplugin.reading.sweep import WINDOW
from tb_regplugin.reading.sweep_files import sweep_of
from tb_regplugin.reading.sweep_text import table as sweep_table
from tb_regplugin.scalars.commands import UsageError, add_commands
from tb_regplugin.scalars.composition import Composition
from tb_regplugin.scalars.compositions import find_compositions
from tb_regplugin.scalars.series import series_of_values
from tb_regplugin.scalars.stored import read_stored
from tb_regplugin.scalars.table import SUMS, contents_of

_FOUND = 1
_USAGE = 2
_UNREAD = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
      arguments: Those of the command line; the process' own when left out.

    Returns:
      The exit code: 0, or 1 where ``check`` has findings of the severity of ``--fail-on`` or a
      worse one, or where ``doctor`` finds anything wrong, or 2 for wrong arguments and where there
      is nothing to read, or else 3 where something could not be read.
    """
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # What an encoding lacks, such as that of a pipe on Windows, is escaped.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    reader = _Reader(options.log_dir or "")
    try:
        code: int = options.command(options, reader)
        sys.stdout.flush()
        return code or (_UNREAD if reader.has_problems else 0)
    except (FileNotFoundError, UsageError) as error:
        _print(str(error), sys.stderr)
        return _USAGE
    except BrokenPipeError:
        # Who reads has read enough. Python flushes once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def check(options: argparse.Namespace, reader: _Reader) -> int:
    """Prints the findings of all recordings."""
    thresholds = replace(Thresholds(), **dict(options.threshold))
    found: dict[tuple[str, str], list[Finding]] = {}
    for run, name, contents in reader.recordings():
        found[run, name] = find_in(contents, thresholds)
    if options.format == "json":
        recordings = [
            {"run": run, "name": name, "findings": describe_findings(findings)}
            for (run, name), findings in found.items()
        ]
        _print_json({"recordings": recordings, "thresholds": asdict(thresholds)})
    else:
        _print(findings_table(found, shutil.get_terminal_size((100, 24)).columns))
    if options.fail_on is None:
        return 0
    failed = any(at_least(findings, options.fail_on) for findings in found.values())
    return _FOUND if failed else 0


def summary(options: argparse.Namespace, reader: _Reader) -> int:
    """Prints what each recording's loss is made of at its last step, or the table of runs."""
    if options.json:
        _print_json(_table_of_runs(reader))
        return 0
    described = [describe_last_values(*recording) for recording in reader.recordings()]
    if options.format == "json":
        _print_json({"recordings": described})
    else:
        _print("\n\n".join(map(last_values_table, described)))
    return 0


def sweep(options: argparse.Namespace, reader: _Reader) -> int:
    """Prints what each strength of the penalties led to."""
    query = SweepQuery(options.name, options.window, options.metric, options.strength_from)
    found = sweep_of(reader.runs(options.metric), reader.recordings_of, query)
    if not found:
        raise FileNotFoundError(none_found(options.log_dir, options.name))
    if options.json:
        _print_json(found)
    else:
        _print(sweep_table(found, options.metric))
    return 0


def doctor(options: argparse.Namespace, _: _Reader) -> int:
    """Prints what a bug report should have, and what is wrong."""
    diagnosis = diagnose(options.log_dir, with_names=options.names)
    _print(str(diagnosis))
    return _FOUND if diagnosis.problems else 0


def tell(options: argparse.Namespace, reader: _Reader) -> int:
    """Prints what a command says that is no more than a text."""
    _print(options.text(options, reader))
    return 0


def _table_of_runs(reader: _Reader) -> list[dict[str, Any]]:
    """Returns the rows of the dashboard's table of runs, with their findings."""
    known = {
        (run, name): (figures(contents), find_in(contents))
        for run, name, contents in reader.recordings()
        if not is_of_gradients(contents.table.columns)
    }
    rows = []
    for key, validation in pair(known).items():
        own, findings = known[key]
        row = describe_row(key, own, known[validation][0] if validation else None)
        worst = findings[0].severity if findings else None
        rows.append(row | {"findings": len(findings), "worst_finding": worst})
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tb-regplugin",
        description="Shows what recorded losses are made of, and what is wrong with them.",
    )
    parser.add_argument(
        "--version", action="version", version=f"tb_regplugin {version('tb_regplugin')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("log_dir", metavar="LOGDIR", help="as for tensorboard --logdir")
    common.add_argument("--format", choices=("table", "json"), default="table")
    checking = commands.add_parser("check", parents=[common], help="list the findings")
    checking.add_argument(
        "--fail-on", choices=SEVERITIES, help="exit with 1 on findings of this severity or worse"
    )
    checking.add_argument(
        "--threshold",
        action="append",
        default=[],
        type=_threshold,
        metavar="NAME=NUMBER",
        help=f"change a threshold: one of {', '.join(field.name for field in fields(Thresholds))}",
    )
    checking.set_defaults(command=check)
    summing = commands.add_parser("summary", parents=[common], help="show each run's last values")
    summing.add_argument(
        "--json",
        action="store_true",
        help="print the dashboard's overview of runs instead, as a JSON list of objects",
    )
    summing.set_defaults(command=summary)
    sweeping = commands.add_parser("sweep", help="compare runs by the strength of their penalties")
    sweeping.add_argument("log_dir", metavar="LOGDIR", help="as for tensorboard --logdir")
    sweeping.add_argument("--json", action="store_true", help="print a JSON list of strengths")
    sweeping.add_argument("--metric", metavar="TAG", help="the scalar to compare strengths by")
    sweeping.add_argument(
        "--strength-from",
        type=_strength_source,
        default=StrengthSource(),
        metavar="recorded|hparams[=NAME]|names[=REGEX]",
        help="where strengths come from: the recordings (default), the hyperparameters of the "
        "hparams plugin, or the names of runs, in which REGEX captures a number",
    )
    sweeping.add_argument(
        "--window",
        type=_window,
        default=WINDOW,
        metavar="SHARE",
        help="the share of each run's last rows to average over (default: %(default)s)",
    )
    sweeping.add_argument(
        "--name", default="losses", help="the name of the recordings (default: %(default)s)"
    )
    sweeping.set_defaults(command=sweep)
    examining = commands.add_parser(
        "doctor",
        help="print what a bug report needs: versions, how TensorBoard loads, what is recorded",
        description="Paths, users and environment variables are left out; runs are numbered.",
        epilog="The exit code is 0 if all is well, and 1 otherwise.",
    )
    examining.add_argument("log_dir", metavar="LOGDIR", nargs="?", help="look at its recordings")
    examining.add_argument("--names", action="store_true", help="show the names of runs")
    examining.set_defaults(command=doctor)
    add_commands(commands, tell)
    return parser


def _threshold(text: str) -> tuple[str, Any]:
    name, _, number = text.partition("=")
    known = [field.name for field in fields(Thresholds)]
    if name not in known:
        raise argparse.ArgumentTypeError(
            f"{name!r} is not a threshold; use one of {', '.join(known)}"
        )
    try:
        threshold: Any = int(number) if name == "min_rows" else float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} has no number: write {name}=NUMBER") from None
    try:
        replace(Thresholds(), **{name: threshold})
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return name, threshold


def _strength_source(text: str) -> StrengthSource:
    try:
        return StrengthSource.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _window(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (share := float(text)) <= 1:
            return share
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and at most 1")


class _Reader:
    """Reads a log directory, and says what of it could not be read.

    Attributes:
      has_problems: Whether there was such, by now.
    """

    def __init__(self, log_dir: str) -> None:
        self.has_problems = False
        self._log_dir = log_dir

    def recordings(self) -> Iterator[tuple[str, str, Contents]]:
        """Yields run, name and contents of each recording.

        Of a run without one: of its compositions of scalars that add up, named after their totals.

        Raises:
          FileNotFoundError: There is no recording.
        """
        found = False
        for files in self.runs(with_scalars=True):
            recordings = self.recordings_of(files)
            first = next(recordings, None)
            told = self.compositions_of(files) if first is None else [first]
            for name, contents in itertools.chain(told, recordings):
                found = True
                yield files.run, name, contents
        if not found:
            raise FileNotFoundError(
                f"{none_found(self._log_dir)} There are no scalars that add up, either."
            )

    def runs(
        self, scalar: str | None = None, *, with_scalars: bool = False
    ) -> Iterator[EventFiles]:
        """Yields each run; with the values of a scalar's tag, if one is named, or of all."""
        for files in read_runs(self._log_dir, scalar, with_scalars=with_scalars):
            for problem in files.problems:
                self._say(str(problem))
            yield files

    def recordings_of(
        self, files: EventFiles, name: str | None = None
    ) -> Iterator[tuple[str, Contents]]:
        """Yields name and contents of a run's recordings, or of the one that is named."""
        for found, contents in read_recordings(files, name):
            for problem in contents.problems:
                self._say(f"{recording_title(files.run, found)}: {problem}")
            yield found, contents

    def compositions_of(self, files: EventFiles) -> Iterator[tuple[str, Contents]]:
        """Yields total and contents of a run's compositions of scalars that add up."""
        series = series_of_values(files.scalars_by_tag)
        for composition in find_compositions(series, self.stored_in(files)):
            if composition.status in SUMS:
                yield str(composition.total), contents_of(composition, series)

    def stored_in(self, files: EventFiles) -> list[Composition]:
        """Returns the compositions that are stored in a run."""
        documents = {tag: document for tag, (_, document) in files.compositions.items()}
        stored, problems = read_stored(documents)
        for problem in problems:
            self._say(f"{files.run}: {problem}")
        return stored

    def _say(self, problem: str) -> None:
        self.has_problems = True
        _print(shortened(problem, 1_000), sys.stderr)


def _print_json(document: Any) -> None:
    _print(json.dumps(document, indent=2, allow_nan=False))


def _print(text: str, file: TextIO | None = None) -> None:
    """Prints lines, with all in them escaped that a terminal would obey."""
    print("\n".join(map(printable, text.split("\n"))), file=file)
