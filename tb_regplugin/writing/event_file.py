"""One event file: TFRecord framing with checksums in C, on local and remote paths."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import socket
import struct
import threading
import time
from typing import IO, Any

from tensorboard.compat.proto import event_pb2

try:
    from google_crc32c import value as _crc32c
except ImportError:
    # Works everywhere, at 3.5 MB/s.
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c as _crc32c

_FILE_NUMBERS = itertools.count()
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_FILE_VERSION = "brain.Event:2"


class EventFile:
    """An event file of one or several writers: the first to open it makes it, the last closes it.

    TensorBoard's own loader follows one file a run, so the writers of a run share one. Paths with
    a scheme (``gs://``, ``s3://``, …) go through TensorFlow's file system where it is installed,
    otherwise through TensorBoard's.

    Args:
      directory: Where to put it; made if it is missing.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._is_local = not _HAS_SCHEME.match(directory)
        self._path = ""
        self._file: IO[bytes] | Any = None
        self._users = 0
        self._lock = threading.RLock()

    def open(self) -> EventFile:
        """Adds a user, and returns the file.

        Raises:
          OSError: It can't be made. Remote file systems may raise errors of their own.
        """
        with self._lock:
            if self._file is None:
                self._make()
            self._users += 1
        return self

    def _make(self) -> None:
        # TensorBoard takes every file with "tfevents" in its name.
        name = (
            f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}."
            f"{next(_FILE_NUMBERS)}.regularization"
        )
        self._path = os.path.join(self._directory, name)
        if self._is_local:
            os.makedirs(self._directory, exist_ok=True)
            self._file = open(self._path, "wb")  # noqa: SIM115 - closed by close()
        else:
            from tensorboard.compat import tf

            tf.io.gfile.makedirs(self._directory)
            self._file = tf.io.gfile.GFile(self._path, "wb")
        try:
            self.write(event_pb2.Event(wall_time=time.time(), file_version=_FILE_VERSION))
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
        header = struct.pack("<Q", len(data))
        with self._lock:
            self._file.write(b"".join((header, _masked_crc(header), data, _masked_crc(data))))
            self._file.flush()
            # A removed file takes writes without a word, and loses them.
            if self._is_local and os.name == "posix" and not os.fstat(self._file.fileno()).st_nlink:
                raise FileNotFoundError(f"{self._path} was removed")

    def close(self) -> None:
        """Takes a user away."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                file, self._file = self._file, None
                file.close()


def _masked_crc(data: bytes) -> bytes:
    """Returns the checksum of the TFRecord format.

    Source: tensorflow/core/lib/hash/crc32c.h, "Mask".
    """
    crc = _crc32c(data)
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", masked)
