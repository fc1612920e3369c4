"""The binary form of curves: a JSON header and little-endian arrays (see ``docs/http_api.md``)."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# Browsers can only view an array that begins at a multiple of its items' size.
_ALIGNMENT = 8
_LENGTH = struct.Struct("<I")


def encode(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Puts arrays behind a header that says what they are.

    Args:
      header: What else to say. A list ``arrays`` is added.
      arrays: By name; those of the largest items first, which keeps all of them aligned.
    """
    described = []
    chunks = []
    offset = 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        described.append(
            {
                "name": name,
                "dtype": array.dtype.name,
                "shape": list(array.shape),
                "offset": offset,
            }
        )
        chunks.append(data)
        offset += len(data)
    text = json.dumps({**header, "arrays": described}, allow_nan=False).encode()
    text += b" " * (-(_LENGTH.size + len(text)) % _ALIGNMENT)
    return b"".join([_LENGTH.pack(len(text)), text, *chunks])
