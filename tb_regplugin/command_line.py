"""The commands of ``python -m tb_regplugin``."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from tb_regplugin.finding import SEVERITIES, Finding, at_least, describe_findings
from tb_regplugin.findings.catalogue import Thresholds
from tb_regplugin.findings.find import find_in_table
from tb_regplugin.findings.forms import findings_table, recording_title
from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.everything import read_recordings
from tb_regplugin.reading.last_values import describe_last_values, last_values_table

_FOUND = 1
_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
      arguments: Those of the command line; the process' own when left out.

    Returns:
      The exit code: 0, or 1 where ``check`` has findings of the severity of ``--fail-on`` or a
      worse one, or 2 where there is nothing to read.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except FileNotFoundError as error:
        return _fail(str(error))


def check(options: argparse.Namespace) -> int:
    """Prints the findings of all recordings."""
    thresholds = replace(Thresholds(), **dict(options.threshold))
    found: dict[tuple[str, str], list[Finding]] = {}
    for run, name, contents in read_recordings(options.log_dir):
        _warn_of(run, name, contents)
        found[run, name] = find_in_table(contents.table, thresholds)
    if not found:
        return _fail(f"There are no recordings in {options.log_dir!r}.")
    if options.format == "json":
        _print_json(
            {
                "recordings": [
                    {"run": run, "name": name, "findings": describe_findings(findings)}
                    for (run, name), findings in found.items()
                ],
                "thresholds": asdict(thresholds),
            }
        )
    else:
        _print(findings_table(found, shutil.get_terminal_size((100, 24)).columns))
    if options.fail_on is None:
        return 0
    failed = any(at_least(findings, options.fail_on) for findings in found.values())
    return _FOUND if failed else 0


def summary(options: argparse.Namespace) -> int:
    """Prints what each recording's loss is made of at its last step."""
    described = []
    for run, name, contents in read_recordings(options.log_dir):
        _warn_of(run, name, contents)
        described.append(describe_last_values(run, name, contents))
    if not described:
        return _fail(f"There are no recordings in {options.log_dir!r}.")
    if options.format == "json":
        _print_json({"recordings": described})
    else:
        _print("\n\n".join(map(last_values_table, described)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tb_regplugin", description="What is in recorded losses, and what is wrong."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("log_dir", metavar="LOGDIR", help="as for tensorboard --logdir")
    common.add_argument("--format", choices=("table", "json"), default="table")
    checking = commands.add_parser("check", parents=[common], help="say what is wrong")
    checking.add_argument(
        "--fail-on", choices=SEVERITIES, help="exit with 1 on findings so severe or worse"
    )
    checking.add_argument(
        "--threshold",
        action="append",
        default=[],
        type=_threshold,
        metavar="NAME=NUMBER",
        help=f"change one of {', '.join(field.name for field in fields(Thresholds))}",
    )
    checking.set_defaults(command=check)
    summing = commands.add_parser("summary", parents=[common], help="show the last values")
    summing.set_defaults(command=summary)
    return parser


def _threshold(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        value = int(number) if name == "min_rows" else float(number)
        changed: dict[str, Any] = {name: value}
        replace(Thresholds(), **changed)
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} changes no threshold ({error})") from error
    return name, value


def _warn_of(run: str, name: str, contents: Contents) -> None:
    for problem in contents.problems:
        text = f"{recording_title(run, name)}: {problem.tag!r} is left out. {problem.reason}"
        print(text, file=sys.stderr)  # noqa: T201 - a command line's output


def _print_json(document: Any) -> None:
    _print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def _print(text: str) -> None:
    print(text)  # noqa: T201 - a command line's output


def _fail(reason: str) -> int:
    print(reason, file=sys.stderr)  # noqa: T201 - a command line's output
    return _USAGE
