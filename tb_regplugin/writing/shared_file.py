"""One event file of several writers: TensorBoard's own loader follows one file a run."""

from __future__ import annotations

import threading

from tensorboard.compat.proto import event_pb2

from tb_regplugin.writing.event_file import EventFile


class SharedFile:
    """An event file that is made by the first of its users and closed by the last one.

    Args:
      directory: Where to put it.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._file: EventFile | None = None
        self._users = 0
        self._lock = threading.Lock()

    def open(self) -> None:
        """Adds a user.

        Raises:
          OSError: The file can't be made.
        """
        with self._lock:
            if self._file is None:
                self._file = EventFile(self._directory)
            self._users += 1

    def write(self, event: event_pb2.Event) -> None:
        """Appends an event, as ``EventFile`` does."""
        with self._lock:
            assert self._file is not None
            self._file.write(event)

    def close(self) -> None:
        """Takes a user away."""
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._file is not None:
                file, self._file = self._file, None
                file.close()
