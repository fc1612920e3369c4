"""All recordings of a log directory, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tb_regplugin.reading.contents import Contents
from tb_regplugin.reading.index import index_recordings
from tb_regplugin.reading.log_directory import open_log_directory
from tb_regplugin.reading.recording import check_directory
from tb_regplugin.reading.store import Store


def read_recordings(log_dir: str | os.PathLike[str]) -> Iterator[tuple[str, str, Contents]]:
    """Reads every recording of a log directory, whatever its name.

    Args:
      log_dir: The directory, as for ``tensorboard --logdir``.

    Yields:
      Run, name and what the recording holds, sorted by run and name.

    Raises:
      FileNotFoundError: There is no such directory.
    """
    with open_log_directory(check_directory(log_dir)) as source:
        for run, name in index_recordings(source.list()):
            # A store of its own for each: no more than one recording is in memory at a time.
            contents = Store().contents(source, run, name)
            if contents is not None:
                yield run, name, contents
