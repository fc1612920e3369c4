"""The records of event files: TFRecords, each with checksums of its length and of its data."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from typing import IO, Any

from tb_regplugin.tensorboard_internals import masked_crc, remote_files

_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
_HEADER_BYTES = _LENGTH.size + _CHECKSUM.size
# What a record takes beside its data.
FRAME_BYTES = _HEADER_BYTES + _CHECKSUM.size
# Protocol buffers have at most 2 GiB. A record that claims more would only be asked memory for.
_MAX_BYTES = 2**31


class CorruptRecordError(Exception):
    """A record's checksum is not that of its bytes."""


def open_records(path: str) -> Any:
    """Opens a file of records, local or remote, as a context that gives the file.

    Raises:
      OSError: It can't be opened, or is a pipe: reading one waits for who writes into it.
    """
    remote = remote_files(path)
    if remote:
        return remote.GFile(path, "rb")
    if stat.S_ISFIFO(os.stat(path).st_mode):
        raise OSError("It is a pipe, not a file.")
    return open(path, "rb")


def framed(data: bytes) -> bytes:
    """Returns data as a record.

    Example:
      >>> import io
      >>> list(records(io.BytesIO(framed(b"one") + framed(b"two"))))
      [b'one', b'two']
    """
    length = _LENGTH.pack(len(data))
    return b"".join((length, _checksum(length), data, _checksum(data)))


def records(file: IO[bytes], *, is_checked: bool = True) -> Iterator[bytes]:
    """Yields the data of each whole record; to check it takes time.

    A record that the file ends in is one that is being written: it ends the records.

    Raises:
      CorruptRecordError: That is the end of what can be read, since where the next record begins
        is not known for sure.
    """
    while len(header := file.read(_HEADER_BYTES)) == _HEADER_BYTES:
        (length,) = _LENGTH.unpack_from(header)
        if is_checked and header[_LENGTH.size :] != _checksum(header[: _LENGTH.size]):
            raise CorruptRecordError("The checksum of the record's length is wrong.")
        if length > _MAX_BYTES:
            raise CorruptRecordError(f"The record claims to have {length:,} bytes.")
        data, checksum = file.read(length), file.read(_CHECKSUM.size)
        if len(checksum) < _CHECKSUM.size:
            return
        if is_checked and checksum != _checksum(data):
            raise CorruptRecordError("The checksum of the record is wrong.")
        yield data


def _checksum(data: bytes) -> bytes:
    return _CHECKSUM.pack(masked_crc(data))
