"""What is used of TensorBoard beyond its interface for plugins: each name stands here only.

Every function says what for, and what happens with a TensorBoard that lacks the name.
"""

from __future__ import annotations

import contextlib
import functools
import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto import tensor_pb2

# The plugin whose data tells hyperparameters.
HPARAMS = "hparams"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def background_context() -> Any:
    """Returns what stands for a request where none is: the context that providers are asked with.

    Without the name, scalars are not looked at, with a notice in TensorBoard's log.
    """
    from tensorboard.context import RequestContext

    return RequestContext()


def masked_crc(data: bytes) -> int:
    """Returns the checksum of the TFRecord format.

    TensorBoard's own CRC32C works everywhere, at 3.5 MB/s; google-crc32c takes its place where it
    is installed. Without either, an ``ImportError`` says what to install.

    Source: tensorflow/core/lib/hash/crc32c.h, "Mask".
    """
    crc: int = _crc32c()(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def remote_files(path: str) -> Any:
    """Returns the file system of a path with a scheme, such as ``gs://``; None for a local path.

    It is TensorFlow's ``tf.io.gfile`` where that is installed and knows the scheme, otherwise
    TensorBoard's, which knows ``s3://`` by boto3 and what fsspec knows. Without it, such paths
    raise an ``ImportError`` or ``AttributeError``.
    """
    scheme = _SCHEME.match(path)
    if scheme is None:
        return None
    from tensorboard.compat import tf
    from tensorboard.compat.tensorflow_stub.io import gfile

    schemes: list[str] = getattr(tf.io.gfile, "get_registered_schemes", list)()
    return tf.io.gfile if scheme[1] in schemes else gfile


def make_array(tensor: tensor_pb2.TensorProto) -> npt.NDArray[Any]:
    """Returns a tensor as an array, as TensorBoard's DataProvider does.

    For tensors in event files. Without it, ``load`` and the command line read nothing; the plugin
    does not need it.

    Raises:
      ValueError, TypeError, KeyError or OverflowError: The tensor's parts contradict each other.
    """
    from tensorboard.util import tensor_util

    return np.asarray(tensor_util.make_ndarray(tensor))


def hyperparameters(content: bytes) -> dict[str, float]:
    """Returns the numbers that began a session of the plugin "hparams", by name.

    Of what the plugin lays in a run's metadata, anything else has none. Without the names, no run
    has any.
    """
    try:
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
    except ImportError:
        return {}
    try:
        hparams = HParamsPluginData.FromString(content).session_start_info.hparams
    except Exception:  # noqa: BLE001 - what one run has broken hides no other
        return {}
    return {
        name: value.number_value
        for name, value in sorted(hparams.items())
        if value.HasField("number_value") and math.isfinite(value.number_value)
    }


def is_data_server(provider: object) -> bool:
    """Whether a DataProvider asks TensorBoard's data server, whose replies need a nudge.

    Without the name, none does as far as one knows: an answer takes some 40 ms longer.
    """
    try:
        from tensorboard.data.grpc_provider import GrpcDataProvider
    except ImportError:
        return False
    return isinstance(provider, GrpcDataProvider)


def is_python_loader(provider: object) -> bool:
    """Whether a DataProvider is that of TensorBoard's Python loader, which is in this process.

    Without the name, none is as far as one knows: scalars of many runs take longer to read.
    """
    try:
        from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    except ImportError:
        return False
    return isinstance(provider, MultiplexerDataProvider)


def has_data_server() -> bool:
    """Whether TensorBoard's data server is installed, which it loads local logs by if it can.

    Without the name, it is not as far as one knows.
    """
    try:
        from tensorboard_data_server import server_binary
    except ImportError:
        return False
    return server_binary() is not None


@functools.cache
def _crc32c() -> Any:
    with contextlib.suppress(ImportError):
        from google_crc32c import value

        return value
    try:
        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import crc32c
    except ImportError as error:
        reason = "Event files need google-crc32c: pip install 'tb_regplugin[recording]'."
        raise ImportError(reason) from error
    return crc32c
