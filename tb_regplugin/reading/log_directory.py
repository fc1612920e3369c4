"""A log directory, read once and completely by one of TensorBoard's own readers."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import grpc
from tensorboard.context import RequestContext
from tensorboard.data import grpc_provider
from tensorboard.util import grpc_util

from tb_regplugin.log_format import PLUGIN_NAME
from tb_regplugin.reading.source import Source

_logger = logging.getLogger(__name__)

# What the server logs when it has read everything. Before that, its replies can be partial.
_LOADED = "Finished load cycle"
# Should it not say so any more: it is done without after so long. It reads some 200 MB a second.
_SECONDS_TO_LOAD = 60.0
_SLOWEST_BYTES_PER_SECOND = 10e6
_MAX_REPLY_BYTES = 256 * 2**20  # As TensorBoard itself sets it.
_SECONDS_TO_STOP = 5.0
_SECONDS_TO_BIND = 10.0


class DataServerError(RuntimeError):
    """The data server does not run here, or not on this directory."""


@contextlib.contextmanager
def open_log_directory(path: str) -> Iterator[Source]:
    """Reads a log directory with the data server, or with the Python loader where there is none.

    Args:
      path: The directory, which may be remote.

    Yields:
      All of its series.
    """
    with contextlib.ExitStack() as stack:
        try:
            source = stack.enter_context(_data_server(path))
        except DataServerError as error:
            _logger.info("Reading %s with TensorBoard's Python loader: %s", path, error)
            source = _python_loader(path)
        yield source


@contextlib.contextmanager
def _data_server(path: str) -> Iterator[Source]:
    if "://" in path:
        raise DataServerError("It reads local directories only.")
    try:
        import tensorboard_data_server
    except ImportError as error:
        raise DataServerError("tensorboard_data_server is not installed.") from error
    binary = tensorboard_data_server.server_binary()
    if binary is None:
        raise DataServerError("tensorboard_data_server does not support this platform.")
    with (
        tempfile.TemporaryDirectory(prefix="tb_regplugin_") as scratch,
        _process(binary, path, Path(scratch)) as port,
    ):
        credentials, options = grpc_util.ChannelCredsType.LOCAL.channel_config()
        options = [
            *options,
            ("grpc.max_receive_message_length", _MAX_REPLY_BYTES),
            # A proxy of the environment is not for this machine.
            ("grpc.enable_http_proxy", 0),
        ]
        address = f"localhost:{port}"
        with grpc.secure_channel(address, credentials, options=options) as channel:
            provider = grpc_provider.GrpcDataProvider(address, grpc_provider.make_stub(channel))
            try:
                provider.experiment_metadata(RequestContext(), experiment_id="")
            except grpc.RpcError as error:
                raise DataServerError(f"It does not answer: {error}") from error
            yield Source(provider, RequestContext())


@contextlib.contextmanager
def _process(binary: str, path: str, scratch: Path) -> Iterator[int]:
    """Runs the server while it is needed; yields its port once it has read everything."""
    port_file, error_file = scratch / "port", scratch / "error"
    command = [
        binary,
        f"--logdir={path}",
        "--reload=once",
        f"--samples-per-plugin={PLUGIN_NAME}=all",
        "--port=0",
        f"--port-file={port_file}",
        f"--error-file={error_file}",
        "--die-after-stdin",
        "--verbose",
    ]
    # It would replace the log level that --verbose asks for.
    environment = {key: value for key, value in os.environ.items() if key != "RUST_LOG"}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise DataServerError(f"It cannot be started: {error}") from error
    assert process.stderr is not None
    settled = threading.Event()
    log: list[str] = []
    reader = threading.Thread(target=_follow, args=(process.stderr, log, settled), daemon=True)
    reader.start()
    try:
        if not settled.wait(_seconds_to_load(path)):
            raise DataServerError("It does not say whether it has read everything.")
        if not log or _LOADED not in log[-1]:
            reason = error_file.read_text() if error_file.exists() else "".join(log[-3:])
            raise DataServerError(f"It ended with: {reason.strip()}")
        yield _read_port(port_file)
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(_SECONDS_TO_STOP)
        if not reader.is_alive():
            process.stderr.close()
        if process.stdin is not None:
            process.stdin.close()


def _seconds_to_load(path: str) -> float:
    """Returns how long reading a directory may take at the longest."""
    size = 0
    for directory, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.stat(os.path.join(directory, name)).st_size
    return _SECONDS_TO_LOAD + size / _SLOWEST_BYTES_PER_SECOND


def _follow(stream: IO[str], log: list[str], settled: threading.Event) -> None:
    """Reads the server's log to its end, lest it waits for a full pipe to be emptied."""
    for line in stream:
        if not settled.is_set():
            log.append(line)
            if _LOADED in line:
                settled.set()
    settled.set()


def _read_port(port_file: Path) -> int:
    deadline = time.monotonic() + _SECONDS_TO_BIND
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            text = port_file.read_text()
            if text.endswith("\n"):
                return int(text)
        time.sleep(0.005)
    raise DataServerError("It does not say on which port it listens.")


def _python_loader(path: str) -> Source:
    # Slow to import: it takes TensorFlow with it where that is installed.
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer

    multiplexer: Any = plugin_event_multiplexer.EventMultiplexer(
        tensor_size_guidance={PLUGIN_NAME: 0},
        # The log format has its own rule for restarts.
        purge_orphaned_data=False,
    )
    multiplexer.AddRunsFromDirectory(path)
    multiplexer.Reload()
    return Source(data_provider.MultiplexerDataProvider(multiplexer, path), RequestContext())
