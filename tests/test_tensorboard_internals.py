"""Every name of TensorBoard's that its plugin interface does not promise, called."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow
from tensorboard.compat.tensorflow_stub.io import gfile
from tensorboard.data import grpc_provider
from tensorboard.util import tensor_util

from tb_regplugin import tensorboard_internals

PACKAGE = Path(tensorboard_internals.__file__).parent


def test_the_checksum_is_the_same_in_c_and_in_python() -> None:
    """Known values, from RFC 3720, section B.4."""
    assert google_crc32c.value(bytes(32)) == pywrap_tensorflow.crc32c(bytes(32)) == 0x8A9136AA
    masked = tensorboard_internals.masked_crc(bytes(32))
    assert masked == pywrap_tensorflow.masked_crc32c(bytes(32))


@pytest.mark.parametrize("missing", ["google_crc32c", "tensorflow"])
def test_files_are_read_and_written_without_what_is_optional(tmp_path: Path, missing: str) -> None:
    """With TensorBoard's own checksum, and its own file system behind a path with a scheme."""
    script = f"""
import sys
sys.modules[{missing!r}] = None
from tb_regplugin import Writer, load
with Writer({str(tmp_path)!r}) as writer:
    writer.write(3, data_loss=1.0, penalties={{"w": 0.5}})
assert load({str(tmp_path)!r})["."].steps.tolist() == [3]
from tb_regplugin.tensorboard_internals import remote_files
files = remote_files("memory://")
assert files.isdir({str(tmp_path)!r}) and list(files.walk({str(tmp_path)!r}))
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_who_knows_a_scheme_serves_it() -> None:
    """TensorFlow knows no ``s3://`` without tensorflow-io; TensorBoard's file system does."""
    tf = pytest.importorskip("tensorflow")
    assert tensorboard_internals.remote_files("ram://logs") is tf.io.gfile
    assert tensorboard_internals.remote_files("s3://bucket/logs") is gfile
    assert tensorboard_internals.remote_files("C:/logs") is None


def test_a_tensor_becomes_an_array() -> None:
    """As TensorBoard's DataProvider makes it."""
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    array = tensorboard_internals.make_array(tensor_util.make_tensor_proto(values))
    np.testing.assert_array_equal(array, values)
    assert array.dtype == np.float32


def test_the_data_server_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TensorBoard has another name for it, nothing is nudged, and everything is read."""
    provider = grpc_provider.GrpcDataProvider("localhost:1", None)
    assert tensorboard_internals.is_data_server(provider)
    assert not tensorboard_internals.is_data_server(object())
    monkeypatch.delattr(grpc_provider, "GrpcDataProvider")
    assert not tensorboard_internals.is_data_server(provider)


def test_such_names_stand_in_one_module() -> None:
    """Beyond these, which TensorBoard's documentation and its own example of a plugin use."""
    for_plugins = re.compile(
        r"tensorboard import errors|tensorboard\.plugins import base_plugin"
        r"|tensorboard\.backend import http_util|tensorboard\.data import provider"
        r"|tensorboard\.data\.provider import|tensorboard\.compat\.proto import"
    )
    paths = [*PACKAGE.glob("*.py"), *(PACKAGE / "reading").glob("*.py")]
    imports = [
        (path.name, name)
        for path in paths
        for name in re.findall(r"(?:from|import) (tensorboard\b.+)", path.read_text("utf-8"))
    ]
    assert len(imports) > len(paths) / 4
    strange = {name for name, imported in imports if not for_plugins.match(imported)}
    assert strange == {"tensorboard_internals.py"}
