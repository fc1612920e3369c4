"""Reading the recordings of a log directory back into NumPy, straight from its event files."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tb_regplugin.notices import warn_at_users_line
from tb_regplugin.reading.aggregates import Digests
from tb_regplugin.reading.decode import index_recordings, natural_key
from tb_regplugin.reading.event_files import EventFiles, find_runs, is_directory
from tb_regplugin.reading.store import Contents, Store
from tb_regplugin.reading.table import Table
from tb_regplugin.terms import Term


class Recording:
    """What one run recorded: S steps of C columns. Notebooks show it as a figure.

    Args:
      table: Its rows, as ``load`` reads them.

    Attributes:
      steps: int64 ``[S]``, strictly increasing.
      wall_times: float64 ``[S]``, in seconds since the epoch.
      values: float32 ``[S, C]``; NaN also where a column was not recorded at a step.
      columns: What each of the C columns is.

    Example:
      >>> import tempfile
      >>> from tb_regplugin import Writer, load
      >>> log_dir = tempfile.mkdtemp()
      >>> with Writer(log_dir + "/train") as writer:
      ...     writer.write(7, data_loss=1.0, penalties={"dense/kernel": 0.25})
      >>> recording = load(log_dir)["train"]
      >>> recording.steps, recording.values.shape
      (array([7]), (1, 2))
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self.steps: npt.NDArray[np.int64] = table.steps
        self.wall_times: npt.NDArray[np.float64] = table.wall_times
        self.values: npt.NDArray[np.float32] = table.values.T
        self.columns: list[Term] = list(table.columns)

    def __repr__(self) -> str:
        size = f"{len(self.steps):,} steps of {len(self.columns):,} columns"
        return f"<Recording: {size}>"

    def _repr_html_(self) -> str:
        # Who only reads needs no figures.
        from tb_regplugin.notebook import recording_html

        return recording_html(self)

    def contents(self) -> Contents:
        """Returns it as the package's own reading has it, where a gap is told from a NaN."""
        return Contents(self._table, Digests(), (), "")


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
      FileNotFoundError: There is no such directory, or it is a file.

    Warns:
      UserWarning: A file, or a part of a recording, cannot be read. It says which and why;
        everything else is returned. Or there is no recording of this name.

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
    recordings: dict[str, Recording] = {}
    for files in read_runs(log_dir):
        for file_problem in files.problems:
            warn_at_users_line(str(file_problem))
        for _, contents in read_recordings(files, name):
            for problem in contents.problems:
                warn_at_users_line(f"Run {files.run!r}: {problem}")
            recordings[files.run] = Recording(contents.table)
    if not recordings:
        warn_at_users_line(none_found(log_dir, name))
    return recordings


def none_found(log_dir: str | os.PathLike[str], name: str | None = None) -> str:
    """Says that there are no recordings, or none of a name, and what to do next."""
    named, next_command = "", "doctor shows what is there"
    if name is not None:
        named, next_command = f" named {name!r}", "summary lists those there are"
    return (
        f"There are no recordings{named} in {os.fspath(log_dir)!r}. RegularizationCallback, "
        f"RegularizationHook, Recorder and Writer write them; tb-regplugin {next_command}."
    )


def read_runs(
    log_dir: str | os.PathLike[str], scalar: str | None = None, *, with_scalars: bool = False
) -> Iterator[EventFiles]:
    """Reads the runs of a log directory one after the other, sorted with numbers by value.

    The scalars of a tag are kept besides, or those of all tags.

    Raises:
      FileNotFoundError: There is no such directory.
    """
    path = os.path.expanduser(os.fspath(log_dir))
    if os.path.isfile(path):
        raise FileNotFoundError(f"{path!r} is a file. Give the directory that it is in.")
    if not is_directory(path):
        raise FileNotFoundError(
            f"There is no directory {path!r}. Give the one that the training's logs were written "
            "to, or one above it."
        )
    runs = find_runs(path)
    for run in sorted(runs, key=natural_key):
        yield EventFiles(run, runs[run], scalar, with_scalars=with_scalars)


def read_recordings(files: EventFiles, name: str | None = None) -> Iterator[tuple[str, Contents]]:
    """Yields name and contents of a run's recordings: sorted by name, or only the one named."""
    for run, found in index_recordings(files.list()):
        if name in (None, found):
            # A store of its own for each: no more than one recording is in memory at a time.
            contents = Store().contents(files, run, found)
            if contents is not None:
                yield found, contents
