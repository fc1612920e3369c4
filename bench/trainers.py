"""Trains with trainers from PyPI, and judges what is found in their logs of plain scalars.

Usage:
    pip install tensorflow tf_keras tf_slim lightning pytorch-ignite stable-baselines3
    python -m bench.trainers [NAME …]

Trainers whose packages are missing are passed over. All of them take some minutes, and are no part
of ``make test``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.trainer_programs import PROGRAMS, Truth

_EXACT = ("adds up", "adds up with logged weights", "would add up with these weights")
_WEIGHT_ERROR = 0.01


class Judged(NamedTuple):
    """What was found in one log, in words, beside what is true.

    Attributes:
      right: What is true: run, total and parts, and the weights where they are said to add up.
      wrong: What is not.
      missed: What is true and was not found.
    """

    right: Sequence[str]
    wrong: Sequence[str]
    missed: Sequence[str]


def judge(found: Sequence[Mapping[str, Any]], truths: Sequence[Truth]) -> Judged:
    """Compares what was found, as the command line prints it in JSON, with what is true."""
    right, wrong, left = [], [], list(truths)
    for each in found:
        text = f"{each['run']}: {each['total']} {each['status']} ({each['error']}): " + ", ".join(
            f"{part['weight']} × {part['tag']}" for part in each["parts"]
        )
        truth = next((truth for truth in left if _is_true(each, truth)), None)
        if truth is None:
            wrong.append(text)
        else:
            left.remove(truth)
            right += [text] if truth.is_asked else []
    missed = [f"{t.run}: {t.total}: {', '.join(t.parts)}" for t in left if t.is_asked]
    return Judged(right, wrong, missed)


def _is_true(found: Mapping[str, Any], truth: Truth) -> bool:
    weights = {part["tag"]: part["weight"] for part in found["parts"]}
    same = (found["run"], found["total"]) == (truth.run, truth.total) and set(weights) == set(
        truth.parts
    )
    return same and (
        found["status"] not in _EXACT
        or all(
            # A weight that is logged is another at each step.
            isinstance(weight, list) or abs(weight - truth.parts[tag]) <= _WEIGHT_ERROR
            for tag, weight in weights.items()
        )
    )


def main() -> None:
    """Runs all trainers, or some, and prints what was found and how much of it is true."""
    programs = {program.__name__: program for program in PROGRAMS}
    parser = argparse.ArgumentParser(prog="python -m bench.trainers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(programs))
    judged = []
    for name in parser.parse_args().names or programs:
        with tempfile.TemporaryDirectory() as temporary:
            # A process each: Keras, PyTorch and TensorFlow 1 get along badly in one.
            context = multiprocessing.get_context("spawn")
            with context.Pool(1) as pool:
                try:
                    truths = pool.apply(programs[name], [Path(temporary)])
                except ImportError as error:
                    print(f"{name}: passed over: {error}")
                    continue
            judged.append(judge(_compositions(temporary), truths))
        print_judged(name, judged[-1])
    print(totals(judged))


def print_judged(name: str, judged: Judged) -> None:
    """Prints what was found in one log."""
    print(name, flush=True)
    for verdict, texts in judged._asdict().items():
        for text in texts:
            print(f"  {verdict:6}  {text}", flush=True)


def totals(judged: Sequence[Judged]) -> str:
    """Says how much of what was found is true, and how much of what is true was found."""
    right, wrong, missed = (sum(len(each[i]) for each in judged) for i in range(3))
    return f"{len(judged)} logs: precision {right}/{right + wrong}, recall {right}/{right + missed}"


def _compositions(directory: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tb_regplugin", "compositions", directory, "--json"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    found: list[dict[str, Any]] = json.loads(printed)
    return found


if __name__ == "__main__":
    main()
