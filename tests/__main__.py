"""The whole suite: ``python -m tests [arguments of pytest]``.

A process has one backend of Keras and one version of it, so the tests are several sessions of
pytest. They run beside each other, one more than there are cores, since browsers wait, and end in
one total. Without arguments, what they run of the package is measured and printed.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Session:
    """Tests that run in one process.

    Attributes:
      name: What its output is headed by.
      directory: Where its tests are.
      environment: What it sets.
      needs: The package without which it is left out, where that is optional.
    """

    name: str
    directory: str
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: str | None = None


# The longest ones first, so that no core is idle at the end.
SESSIONS = (
    Session("package", "tests"),
    Session("browser", "tests/browser"),
    Session("Keras on TensorFlow", "tests/keras_backend", {"KERAS_BACKEND": "tensorflow"}),
    Session("Keras on JAX", "tests/keras_backend", {"KERAS_BACKEND": "jax"}),
    Session("Keras on PyTorch", "tests/keras_backend", {"KERAS_BACKEND": "torch"}, "torch"),
    Session("graphs", "tests/graph_capture", {"TF_USE_LEGACY_KERAS": "0"}),
    Session("graphs and tf_keras", "tests/graph_capture", {"TF_USE_LEGACY_KERAS": "1"}),
)
_DIRECTORIES = {session.directory for session in SESSIONS}
_NOTHING_COLLECTED = 5


def main() -> int:
    """Runs the sessions that have something to do; returns 1 when something failed."""
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        data = None if given else Path(directory) / ".coverage"
        todo = [(session, asked) for session in SESSIONS if (asked := arguments(session, given))]
        with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
            counts = pool.map(lambda each: run(each[0], each[1], data), todo)
            total = sum(counts, Counter())
        if data is not None:
            _coverage("combine", "--quiet", directory)
            _coverage("report")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return int(total["failed"] > 0 or total["passed"] == 0)


def arguments(session: Session, given: Sequence[str]) -> list[str]:
    """Returns pytest's arguments for a session; none when it has nothing to do.

    Paths go to the session that they belong to, all else to each.
    """
    paths = [argument for argument in given if _is_path(argument)]
    options = [argument for argument in given if argument not in paths]
    own = [path for path in paths or ["tests"] if _directory(path) == session.directory]
    if any(Path(path) in Path(session.directory).parents for path in paths or ["tests"]):
        own.append(session.directory)
    return [*own, *options] if own else []


def run(session: Session, asked: Sequence[str], data: Path | None) -> Counter[str]:
    """Runs a session, prints what it said, and returns how many tests passed, failed and so on."""
    if session.needs is not None and importlib.util.find_spec(session.needs) is None:
        print(f"\n== {session.name}: left out, {session.needs} is not installed")
        return Counter({"failed" if os.environ.get("TB_REGPLUGIN_REQUIRE_ALL") else "skipped": 1})
    command = ["-m", "pytest", "--quiet", *asked]
    environment = {**os.environ, **session.environment}
    if data is not None:
        command = ["-m", "coverage", "run", *command]
        environment["COVERAGE_FILE"] = str(data)
    start = time.monotonic()
    result = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    took = time.monotonic() - start
    print(f"\n== {session.name}, {took:.0f} s\n{result.stdout.rstrip()}", flush=True)
    return count(result.stdout, result.returncode)


def count(output: str, status: int) -> Counter[str]:
    """Returns the numbers of pytest's summary; a session that died has a failure of its own."""
    found: Counter[str] = Counter()
    # Warnings of the interpreter's end may come after it.
    summary = re.findall(r"^=* ?(\d+ [a-z]+.*) in [\d.]+s\b", output, re.MULTILINE)[-1:]
    for number, what in re.findall(r"(\d+) (passed|failed|error|skipped)", "".join(summary)):
        found["failed" if what == "error" else what] += int(number)
    if status not in (0, _NOTHING_COLLECTED) and not found["failed"]:
        found["failed"] = 1
    return found


def _is_path(argument: str) -> bool:
    path = Path(argument.partition("::")[0])
    return path.parts[:1] == ("tests",) and (ROOT / path).exists()


def _directory(path: str) -> str:
    """Returns the directory of the session that a path belongs to."""
    place = Path(path.partition("::")[0])
    return next(str(each) for each in (place, *place.parents) if str(each) in _DIRECTORIES)


def _coverage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
