"""Recording from Keras, on each of its backends in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent / "keras_backend"


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_recording_on_the_backend(backend: str) -> None:
    """Every test of tests/keras_backend passes on this backend."""
    if importlib.util.find_spec(backend) is None:
        reason = f"{backend} is not installed"
        if os.environ.get("TB_REGPLUGIN_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", str(_TESTS)],
        cwd=_TESTS.parent.parent,
        env={**os.environ, "KERAS_BACKEND": backend, "TB_REGPLUGIN_KERAS_TESTS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
