"""Taking the binary answer of the curves route apart, as ``docs/http_api.md`` describes it."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt


def decode_curves(body: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Returns the header and the arrays by name."""
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length].decode())
    begin = 4 + length
    assert begin % 8 == 0
    arrays = {}
    end = begin
    for described in header["arrays"]:
        dtype = np.dtype(described["dtype"]).newbyteorder("<")
        assert described["offset"] % dtype.itemsize == 0
        count = int(np.prod(described["shape"]))
        array = np.frombuffer(body, dtype, count, begin + described["offset"])
        arrays[described["name"]] = array.reshape(described["shape"])
        end = begin + described["offset"] + array.nbytes
    assert end == len(body)
    return header, arrays
