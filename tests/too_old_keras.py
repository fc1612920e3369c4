"""What a Keras older than the oldest allowed gives: run by tests/matrix.py."""

from importlib.metadata import requires
from pathlib import Path

import keras
import pytest

import tb_regplugin


def test_the_callback_is_refused_with_what_to_do() -> None:
    """When it is made, not in the middle of a training."""
    (needed,) = (each for each in requires("tb_regplugin") or () if each.startswith("keras>="))
    oldest = needed.partition(";")[0].removeprefix("keras>=").strip()
    message = rf"needs Keras {oldest} or later, and this is Keras {keras.__version__}: pip install"
    with pytest.raises(ImportError, match=message):
        tb_regplugin.RegularizationCallback("logs")


def test_writing_and_loading_need_no_keras(tmp_path: Path) -> None:
    """All else works beside it."""
    with tb_regplugin.Writer(tmp_path) as writer:
        writer.write(0, 1.0, {"kernel": 0.5})
    assert tb_regplugin.load(tmp_path)["."].values.tolist() == [[1.0, 0.5]]
