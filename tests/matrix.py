"""The tests of recording, loading and viewing on the oldest and the newest versions allowed.

Usage: ``python -m tests.matrix [--only ROW] [--short] [--with REQUIREMENT]``

Each row is an environment of its own below ``.venv-matrix/``. What is oldest stands in
pyproject.toml only: the lower bound of each requirement. Nothing but Python and pip is needed.
"""

from __future__ import annotations

import argparse
import itertools
import re
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib  # Python 3.10 has it only there.

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / ".venv-matrix"

# The newest of these serve each row.
_TOOLS = ("pytest", "pytest-timeout", "hypothesis")
# What needs a browser, an extra or the sources, or is the same on each version.
_LEFT_OUT = (
    *("demo", "docs", "docstrings", "fuzz", "growth", "guides"),
    *("object_storage", "readme", "sessions", "wheel"),
)
_SHORT = (
    "tests/test_load.py",
    "tests/test_routes.py",
    "tests/test_tensorboard.py",
    "tests/test_tf_keras.py",
    *(f"tests/test_writer{part}.py" for part in ("", "_values", "_threads", "_failures")),
    "tests/keras_backend/test_internals.py",
    "tests/keras_backend/test_terms.py",
    "tests/keras_backend/test_values.py",
    "tests/graph_capture/test_walk.py",
)


@dataclass(frozen=True)
class Row:
    """One combination of versions.

    Attributes:
      constraints: The versions that are asked for, as pip's constraints.
      requirements: What is installed.
      tests: The tests that must pass; None for all, or the short choice of them.
    """

    constraints: Sequence[str]
    requirements: Sequence[str]
    tests: Sequence[str] | None = None


def rows(project: Mapping[str, Any]) -> dict[str, Row]:
    """Returns each row by its name, from the ``[project]`` table of pyproject.toml."""
    extras = project["optional-dependencies"]
    recorded = (extras[name] for name in ("recording", "keras", "tensorflow", "matrix"))
    bounds = lower_bounds([*project["dependencies"], *itertools.chain(*recorded)])
    oldest = [f"{name}=={bound}" for name, bound in bounds.items() if name not in _TOOLS]
    # TensorBoard 2.16 imports pkg_resources, which setuptools has no more from 82 on.
    oldest.append("setuptools<82")
    # pip would refuse it beside the extras that ask for Keras.
    without_keras = [each for each in oldest if not each.startswith("keras==")]
    too_old = f"keras<{bounds['keras']}"
    return {
        "oldest": Row(oldest, ["--editable", ".[matrix]", "setuptools"]),
        "newest": Row([], ["--upgrade", "--upgrade-strategy=eager", "--editable", ".[matrix]"]),
        "keras-too-old": Row(
            [*without_keras, too_old],
            ["--editable", ".[recording]", "setuptools", "tensorflow", "keras", *_TOOLS],
            ["tests/too_old_keras.py"],
        ),
    }


def lower_bounds(requirements: Sequence[str]) -> dict[str, str]:
    """Returns the versions after ``>=``; what has none, as an extra of this project, is left out.

    Example:
      >>> lower_bounds(["tb_regplugin[keras]", "numpy>=1.26"])
      {'numpy': '1.26'}
    """
    found = (re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement) for requirement in requirements)
    return {match[1]: match[2] for match in found if match}


def tests_of(row: Row, short: bool) -> Sequence[str]:
    """Returns the paths of the tests that a row runs."""
    if row.tests is not None:
        return row.tests
    if short:
        return _SHORT
    files = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").glob("test_*.py"))
    kept = [str(path) for path in files if path.stem.removeprefix("test_") not in _LEFT_OUT]
    return [*kept, "tests/keras_backend", "tests/graph_capture"]


def run(name: str, row: Row, tests: Sequence[str], extra: Sequence[str]) -> bool:
    """Installs a row and runs tests on it; returns whether they passed."""
    print(f"\n== {name}", flush=True)
    directory = ENVIRONMENTS / name
    python = directory / "bin" / "python"
    if not python.exists():
        venv.create(directory, with_pip=True)
    constraints = directory / "constraints.txt"
    constraints.write_text("".join(f"{each}\n" for each in row.constraints))
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    install = ["install", "--quiet", "--constraint", str(constraints), *row.requirements, *extra]
    subprocess.run([*pip, *install], cwd=ROOT, check=True)
    versions = subprocess.run(
        [*pip, "freeze"], check=True, capture_output=True, text=True
    ).stdout.lower()
    shown = r"^(?:tensorflow|keras|tf.keras|jax|torch|tensorboard|numpy)==.*$"
    print(*re.findall(shown, versions, re.MULTILINE), flush=True)
    # By a runner of sessions where there are several: a process has one Keras.
    runner = "pytest" if row.tests is not None else "tests"
    command = [str(python), "-m", runner, *tests]
    return subprocess.run(command, cwd=ROOT).returncode == 0


def main() -> int:
    """Runs the rows; returns 1 when one fails."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = rows(project)
    parser = argparse.ArgumentParser(prog="tests.matrix", description=__doc__)
    parser.add_argument("--only", action="append", choices=known, help="this row; again for more")
    parser.add_argument("--short", action="store_true", help="some of the tests, in minutes")
    parser.add_argument(
        "--with",
        dest="extra",
        action="append",
        default=[],
        metavar="REQUIREMENT",
        help="install this, too, such as torch==2.13.0: without it PyTorch is left out",
    )
    options = parser.parse_args()
    failed = [
        name
        for name in options.only or known
        if not run(name, known[name], tests_of(known[name], options.short), options.extra)
    ]
    print("\nAll rows passed." if not failed else f"\nFailed: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
