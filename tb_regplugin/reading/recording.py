"""Reading recordings back into NumPy."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tb_regplugin.reading.index import Problem, index_recordings
from tb_regplugin.reading.log_directory import open_log_directory
from tb_regplugin.reading.store import Store
from tb_regplugin.terms import Term


@dataclass(frozen=True, eq=False)
class Recording:
    """What one run recorded: S steps of C columns.

    Attributes:
      steps: int64 ``[S]``, strictly increasing.
      wall_times: float64 ``[S]``, in seconds since the epoch.
      values: float32 ``[S, C]``; NaN also where a column was not recorded at a step.
      columns: What each of the C columns is.
    """

    steps: npt.NDArray[np.int64]
    wall_times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]
    columns: list[Term]


def load(log_dir: str | os.PathLike[str], *, name: str = "losses") -> dict[str, Recording]:
    """Reads every run of a log directory, with every recorded step.

    What was recorded again after a restart from a checkpoint replaces what was recorded before it.
    A training that still runs can be read; what it wrote so far is returned.

    Args:
      log_dir: The directory, as for ``tensorboard --logdir``.
      name: The name of the recordings to read.

    Returns:
      The recordings by run, sorted by run; those without a recording of this name are left out.

    Raises:
      FileNotFoundError: There is no such directory.

    Warns:
      UserWarning: A part of a recording cannot be read. It says which and why; everything else is
        returned.

    Example:
      >>> import tempfile
      >>> from tb_regplugin import Writer, load
      >>> log_dir = tempfile.mkdtemp()
      >>> with Writer(log_dir + "/train") as writer:
      ...     for step in range(3):
      ...         writer.write(step, data_loss=1.0, penalties={"dense/kernel": 0.25})
      >>> recording = load(log_dir)["train"]
      >>> [column.name for column in recording.columns]
      ['data', 'dense/kernel']
      >>> recording.values.sum(axis=1)
      array([1.25, 1.25, 1.25], dtype=float32)
    """
    path = check_directory(log_dir)
    store = Store()
    recordings: dict[str, Recording] = {}
    with open_log_directory(path) as source:
        for run, found in index_recordings(source.list()):
            if found != name:
                continue
            contents = store.contents(source, run, name)
            if contents is None:
                continue
            _warn_of(run, contents.problems)
            table = contents.table
            recordings[run] = Recording(
                table.steps, table.wall_times, table.values.T, list(table.columns)
            )
    return recordings


def check_directory(log_dir: str | os.PathLike[str]) -> str:
    """Returns a log directory's path, with ``~`` expanded.

    Raises:
      FileNotFoundError: There is no such directory.
    """
    path = os.path.expanduser(os.fspath(log_dir))
    if not _is_directory(path):
        raise FileNotFoundError(
            f"There is no directory {path!r}. Give the one that the training's logs were written "
            "to, or one above it."
        )
    return path


def _warn_of(run: str, problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        warnings.warn(
            f"Run {run!r}: the series {problem.tag!r} is left out. {problem.reason}", stacklevel=3
        )


def _is_directory(path: str) -> bool:
    if "://" not in path:
        return os.path.isdir(path)
    from tensorboard.compat import tf

    return bool(tf.io.gfile.isdir(path))
