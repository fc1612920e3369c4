"""A real TensorBoard, for tests."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

_SECONDS_TO_START = 120.0
_SECONDS_TO_LOAD = 120.0
_WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
from tensorboard.main import run_main
run_main()
"""
_WITHOUT_PLUGINS = """
from tensorboard import default
default.get_dynamic_plugins = list
"""
_ADDRESS = re.compile(r"TensorBoard \S+ at (http://\S+)")


@contextlib.contextmanager
def start_tensorboard(
    log_dir: Path | str,
    *arguments: str,
    with_tensorflow: bool = False,
    python: Path | None = None,
    env: Mapping[str, str] | None = None,
    dynamic_plugins: bool = True,
) -> Iterator[str]:
    """Runs TensorBoard while the context lasts.

    Args:
      log_dir: Its log directory.
      *arguments: Further command line arguments.
      with_tensorflow: Whether it finds TensorFlow, whose import takes most of the start.
      python: Another Python, as it is, in place of this one.
      env: Its environment, where that is not this process' own.
      dynamic_plugins: Whether it finds plugins that are installed beside it.

    Yields:
      Its address, with a slash at the end. It may still be loading: see ``wait_until``.
    """
    is_plain = with_tensorflow or python is not None
    program = ["-m", "tensorboard.main"] if is_plain else ["-c", _WITHOUT_TENSORFLOW]
    if not dynamic_plugins:
        program[-1] = _WITHOUT_PLUGINS + program[-1]
    command = [str(python or sys.executable), *program, "--logdir", str(log_dir)]
    # The system picks a free port.
    command += ["--host=localhost", "--port=0", "--reload_interval=1", *arguments]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=env,
    )
    assert process.stderr is not None
    log: list[str] = []
    started = threading.Event()
    reader = threading.Thread(target=_follow, args=(process.stderr, log, started), daemon=True)
    reader.start()
    try:
        started.wait(_SECONDS_TO_START)
        match = _ADDRESS.search("".join(log))
        if match is None:
            raise RuntimeError("TensorBoard did not start:\n" + "".join(log))
        yield match[1]
    finally:
        process.terminate()
        process.wait()
        reader.join(5)
        process.stderr.close()


def get(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Asks for an address; returns the status, the headers in lower case, and the body."""
    request = urllib.request.Request(url, method=method, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, _lower(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _lower(error.headers), error.read()


def get_json(url: str) -> Any:
    """Asks for an address that answers JSON; fails where it answers with an error."""
    status, _, body = get(url)
    assert status == 200, body.decode(errors="replace")
    return json.loads(body)


def wait_until(condition: Callable[[], bool]) -> None:
    """Waits until TensorBoard has loaded what a test needs."""
    deadline = time.monotonic() + _SECONDS_TO_LOAD
    while not condition():
        assert time.monotonic() < deadline, "TensorBoard did not load it."
        time.sleep(0.1)


def _follow(stream: IO[str], log: list[str], started: threading.Event) -> None:
    with contextlib.suppress(ValueError):  # Closed while it is read.
        for line in stream:
            log.append(line)
            if _ADDRESS.search(line):
                started.set()
    started.set()


def _lower(headers: Any) -> dict[str, str]:
    return {key.lower(): value for key, value in headers.items()}
