"""One event file: TFRecord framing with checksums in C, on local and remote paths."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
import threading
import time
from typing import IO, Any

from tensorboard.compat.proto import event_pb2

from tb_regplugin.tensorboard_internals import masked_crc, remote_files

# TensorBoard takes every file with "tfevents" in its name.
SUFFIX = ".regularization"

_FILE_NUMBERS = itertools.count()
_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")


class EventFile:
    """An event file of one or several writers: the first to open it makes it, the last closes it.

    TensorBoard's own loader follows one file a run, so the writers of a run share one. Its
    directory is made if it is missing. Paths with a scheme (``gs://``, ``s3://``, …) go through
    TensorFlow's file system where it is installed, otherwise through TensorBoard's.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._remote: Any = None
        self._path = ""
        self._file: IO[bytes] | Any = None
        self._users = 0
        self._lock = threading.RLock()

    def open(self, after_ns: int = 0) -> EventFile:
        """Adds a user, and returns the file.

        Args:
          after_ns: Its name comes after those of files made at this time, in nanoseconds since
            the epoch, whatever the clock says: TensorBoard reads files in this order.

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
        self._path = os.path.join(self._directory, name)
        self._remote = remote_files(self._directory)
        if self._remote is None:
            os.makedirs(self._directory, exist_ok=True)
            self._file = open(self._path, "wb")  # noqa: SIM115 - closed by close()
        else:
            self._remote.makedirs(self._directory)
            self._file = self._remote.GFile(self._path, "wb")
        try:
            self.write(event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2"))
        except Exception:
            file, self._file = self._file, None
            # What could not be written fails once more on closing.
            with contextlib.suppress(Exception):
                file.close()
            raise

    def write(self, event: event_pb2.Event) -> None:
        """Appends an event and hands it to the operating system.

        Raises:
          OSError: The disk is full, or somebody removed the file.
        """
        data = event.SerializeToString()
        length = _LENGTH.pack(len(data))
        checksums = (_CHECKSUM.pack(masked_crc(part)) for part in (length, data))
        with self._lock:
            self._file.write(b"".join((length, next(checksums), data, next(checksums))))
            self._file.flush()
            # A removed file takes writes without a word, and loses them.
            is_local = self._remote is None and os.name == "posix"
            if is_local and not os.fstat(self._file.fileno()).st_nlink:
                raise FileNotFoundError(f"{self._path} was removed")

    def close(self) -> None:
        """Takes a user away."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                file, self._file = self._file, None
                file.close()
