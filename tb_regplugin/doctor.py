"""What ``tb-regplugin doctor`` says of an installation and of a log directory.

It is to be pasted into a bug report: of paths, users and the environment nothing is in it, and runs
are numbered unless their names are asked for. No framework is imported.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sysconfig
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path

from tb_regplugin.names import PLUGIN_NAME, recording_title
from tb_regplugin.reading.event_files import EventFiles
from tb_regplugin.reading.load import read_recordings, read_runs
from tb_regplugin.reading.store import Contents
from tb_regplugin.tensorboard_internals import has_data_server

# As pip names them; some are another one under the name of a build.
_PACKAGES = (
    *("tb_regplugin", "tensorboard", "tb-nightly", "tensorboard-data-server", "numpy", "protobuf"),
    *("google-crc32c", "tensorflow", "tensorflow-cpu", "tf-nightly", "keras", "tf_keras"),
    *("torch", "jax"),
)
_KERAS_BACKENDS = ("tensorflow", "jax", "torch", "numpy", "openvino")
_NAME_WIDTH = 25


@dataclass
class Diagnosis:
    """What was seen.

    Attributes:
      lines: All of it, line by line.
      problems: What is wrong, each with what to do about it.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = [f"- {problem}" for problem in self.problems]
        return "\n".join([*self.lines, "", "What is wrong:" if found else "All is well.", *found])

    def add(self, name: str, value: str) -> None:
        """Adds a line of a name and what it is."""
        self.lines.append(f"  {name:<{_NAME_WIDTH}}{value}".rstrip())


def diagnose(log_dir: str | None = None, with_names: bool = False) -> Diagnosis:
    """Looks at this Python's packages, at how TensorBoard would load, and at a log directory."""
    diagnosis = Diagnosis()
    _add_versions(diagnosis)
    _add_tensorboard(diagnosis)
    if log_dir is not None:
        _add_recordings(diagnosis, log_dir, with_names)
    return diagnosis


def _add_versions(diagnosis: Diagnosis) -> None:
    diagnosis.lines.append("Versions")
    diagnosis.add("Python", f"{platform.python_version()} ({platform.python_implementation()})")
    diagnosis.add("system", f"{platform.system()} {platform.machine()}")
    missing = []
    for package in _PACKAGES:
        try:
            diagnosis.add(package, metadata.version(package))
        except metadata.PackageNotFoundError:
            missing.append(package)
    diagnosis.add("Keras' backend", _keras_backend())
    diagnosis.add("not installed", ", ".join(missing) or "–")


def _keras_backend() -> str:
    """Returns which one Keras would take, by Keras' own rules."""
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        with open(os.path.join(home, "keras.json"), encoding="utf-8") as file:
            configured = json.load(file).get("backend")
    except (OSError, ValueError, AttributeError):
        configured = None
    backend = os.environ.get("KERAS_BACKEND") or configured or "tensorflow"
    return backend if backend in _KERAS_BACKENDS else "unknown to Keras"


def _add_tensorboard(diagnosis: Diagnosis) -> None:
    diagnosis.lines += ["", "TensorBoard"]
    server = "the data server" if has_data_server() else "Python (no data server is installed)"
    diagnosis.add("loads local logs with", server)
    diagnosis.add("command", _command())
    found = metadata.entry_points(group="tensorboard_plugins", name=PLUGIN_NAME)
    diagnosis.add(
        "finds the plugin", {0: "never", 1: "once"}.get(len(found), f"{len(found)} times")
    )
    if len(found) != 1:
        diagnosis.problems.append(
            f"This Python's TensorBoard finds the plugin {len(found)} times. Reinstall it: run pip "
            "uninstall tb_regplugin until none is left, then pip install tb_regplugin."
        )
    try:
        import_module("tb_regplugin.plugin")
        from tb_regplugin.static_files import read_scripts
    except Exception as error:  # noqa: BLE001 - TensorBoard would go on without the tab
        diagnosis.problems.append(
            f"The plugin cannot be imported ({type(error).__name__}). Reinstall it: "
            "pip install --force-reinstall tb_regplugin."
        )
        return
    size = sum(len(script) for script in read_scripts().values())
    diagnosis.add("dashboard", f"{size:,} bytes" if size else "missing")
    if not size:
        diagnosis.problems.append(
            "The dashboard is not built. In a clone, run: pip install --editable ."
        )


def _command() -> str:
    """Returns whose the command ``tensorboard`` is: often, that of a Python without the plugin."""
    path = shutil.which("tensorboard")
    if path is None:
        return "not on the path: use python -m tensorboard.main"
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    if Path(path).parent in [Path(sysconfig.get_path("scripts", scheme)) for scheme in schemes]:
        return "this Python's"
    return "another Python's: for this one's, use python -m tensorboard.main"


def _add_recordings(diagnosis: Diagnosis, log_dir: str, with_names: bool) -> None:
    diagnosis.lines += ["", "Log directory"]
    shown = others = 0
    try:
        for number, files in enumerate(read_runs(log_dir), 1):
            run = files.run if with_names else f"run-{number}"
            diagnosis.problems += _problems_of_files(files, run)
            recordings = list(read_recordings(files))
            shown, others = shown + len(recordings), others + (not recordings)
            for name, contents in recordings:
                called = recording_title(run, name) if with_names else run
                diagnosis.add(called, describe(contents))
                if contents.problems:
                    diagnosis.problems.append(
                        f"{called}: {len(contents.problems)} series could not be read. "
                        "tb-regplugin summary LOGDIR says why."
                    )
            if recordings:
                size = f"{len(files.paths)}, of which {files.bytes_read:,} bytes can be read"
                diagnosis.add("  its event files", size)
    except FileNotFoundError:
        diagnosis.problems.append("LOGDIR is not a directory. Give the one that holds the logs.")
        return
    diagnosis.add("recordings shown", f"{shown}")
    diagnosis.add("runs without a recording", f"{others}")
    if not shown:
        diagnosis.problems.append(
            "Nothing is recorded there. Give this directory, or one below it, to "
            "RegularizationCallback, RegularizationHook, Recorder or Writer, and train."
        )


def _problems_of_files(files: EventFiles, run: str) -> Iterator[str]:
    for problem in files.problems:
        number = 1 + list(files.paths).index(problem.path)
        # The whole sentence may tell a path, as an OSError does.
        reason = problem.reason.partition(":")[0]
        yield f"{run}: event file {number} is read up to byte {problem.offset:,}. {reason}"


def describe(contents: Contents) -> str:
    """Returns what is in a recording: how many columns of each role, and which steps.

    Example:
      ``3 columns (1 total, 1 data, 1 penalty), 1,000 steps from 0 to 999``
    """
    table = contents.table
    roles = Counter(column.role for column in table.columns)
    counts = ", ".join(f"{count} {role}" for role, count in roles.items())
    rows = f"{len(table.steps):,} steps"
    if len(table.steps):
        rows += f" from {table.steps[0]} to {table.steps[-1]}"
    return f"{len(table.columns)} columns ({counts}), {rows}"
