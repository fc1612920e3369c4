"""Recording from TF1 graphs, with Keras 3 and with tf_keras in a process of its own each."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent / "graph_capture"


@pytest.mark.parametrize("legacy", ["0", "1"], ids=["keras", "tf_keras"])
def test_recording_from_graphs(legacy: str) -> None:
    """Every test of tests/graph_capture passes with this version of Keras."""
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", str(_TESTS)],
        cwd=_TESTS.parent.parent,
        env={**os.environ, "TF_USE_LEGACY_KERAS": legacy, "TB_REGPLUGIN_GRAPH_TESTS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
