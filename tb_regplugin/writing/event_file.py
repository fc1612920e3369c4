"""One event file, on local and remote paths."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time
from typing import IO, Any

from tensorboard.compat.proto import event_pb2

from tb_regplugin.records import framed
from tb_regplugin.tensorboard_internals import remote_files

# TensorBoard takes every file with "tfevents" in its name.
SUFFIX = ".regularization"

# How often an object of a remote path is put, and from which size on no more.
MAX_PUTS = 4
MAX_OBJECT_BYTES = 4 * 2**20

# How long a put that failed waits to be tried again, in seconds: servers fail for a moment.
_PAUSES = (1.0, 4.0)

_FILE_NUMBERS = itertools.count()


class EventFile:
    """An event file of one or several writers: the first to open it makes it, the last closes it.

    TensorBoard's own loader follows one file a run, so the writers of a run share one. Its
    directory is made if it is missing. On paths with a scheme (``gs://``, ``s3://``, …) it is
    several objects, see ``_Objects``.

    Attributes:
      directory: Where it is.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._path = ""
        self._file: IO[bytes] | _Objects | None = None
        self._users = 0
        self._lock = threading.RLock()

    @property
    def waits(self) -> bool:
        """Whether events wait for ``flush``, as they do on remote paths."""
        file = self._file
        return isinstance(file, _Objects) and file.waits

    def open(self, after_ns: int = 0) -> EventFile:
        """Adds a user, and returns the file.

        Its name comes after those of files made at ``after_ns``, in nanoseconds since the epoch,
        whatever the clock says: TensorBoard reads files in this order.

        Raises:
          OSError: It can't be made. Remote file systems may raise errors of their own.
        """
        with self._lock:
            if self._file is None:
                self._make(max(time.time(), after_ns / 1e9 + 1))
            self._users += 1
        return self

    def _make(self, seconds: float) -> None:
        name = (
            f"events.out.tfevents.{int(seconds):010d}.{socket.gethostname()}.{os.getpid()}."
            f"{next(_FILE_NUMBERS)}{SUFFIX}"
        )
        self._path = os.path.join(self.directory, name)
        event = event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2")
        version = framed(event.SerializeToString())
        remote = remote_files(self.directory)
        if remote is not None:
            remote.makedirs(self.directory)
            self._file = _Objects(remote, self._path, version)
            return
        os.makedirs(self.directory, exist_ok=True)
        self._file = open(self._path, "wb")  # noqa: SIM115 - closed by close()
        try:
            self._append(version)
        except Exception:
            file, self._file = self._file, None
            # What could not be written fails once more on closing.
            with contextlib.suppress(Exception):
                file.close()
            raise

    def write(self, event: event_pb2.Event) -> None:
        """Appends an event and hands it to the operating system; on remote paths, see ``flush``.

        Raises:
          OSError: The disk is full, or somebody removed the file.
        """
        with self._lock:
            self._append(framed(event.SerializeToString()))

    def _append(self, record: bytes) -> None:
        assert self._file is not None
        self._file.write(record)
        if isinstance(self._file, _Objects):
            return
        self._file.flush()
        # A removed file takes writes without a word, and loses them.
        if os.name == "posix" and not os.fstat(self._file.fileno()).st_nlink:
            raise FileNotFoundError(f"{self._path} was removed")

    def flush(self) -> None:
        """Puts what waits on a remote path, whose file system may raise errors of its own."""
        with self._lock:
            if self._file is not None:
                self._file.flush()

    def close(self) -> None:
        """Takes a user away."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                file, self._file = self._file, None
                if file is not None:
                    file.close()


class _Objects:
    """What takes the place of an event file on a remote path: objects that are put as a whole.

    Object stores append nothing, so each flush puts the last object again, longer. After so many
    times, or from so many bytes on, the next one begins: a byte travels ``MAX_PUTS`` times at most,
    and their number stays small. By their names they come one after the other.

    ``waits`` tells whether something was written since the last flush.
    """

    def __init__(self, remote: Any, path: str, beginning: bytes) -> None:
        self.waits = False
        self._remote = remote
        self._paths = (f"{path}.{number:06d}" if number else path for number in itertools.count())
        self._beginning = beginning
        self._begin()

    def _begin(self) -> None:
        self._path, self._puts, self._bytes = next(self._paths), 0, bytearray(self._beginning)

    def write(self, data: bytes) -> None:
        self._bytes += data
        self.waits = True
        if len(self._bytes) >= MAX_OBJECT_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self.waits:
            return
        for pause in (*_PAUSES, None):
            try:
                with self._remote.GFile(self._path, "wb") as file:
                    file.write(bytes(self._bytes))
                break
            except Exception:
                if pause is None:
                    raise
                time.sleep(pause)
        self.waits = False
        self._puts += 1
        if self._puts == MAX_PUTS or len(self._bytes) >= MAX_OBJECT_BYTES:
            self._begin()

    def close(self) -> None:
        self.flush()
