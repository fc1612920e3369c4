"""Each recorded value is the one that the training step used, and recording changes none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback
from tests.keras_backend.models import (
    BATCHES,
    NAMES,
    compiled_model,
    expected_rows,
    fit,
    recording,
    strategy_scope,
)

_BY_BACKEND: dict[str, dict[str, dict[str, Any]]] = {
    "tensorflow": {
        "eager": {"run_eagerly": True},
        "function": {},
        "xla": {"jit_compile": True},
        "three steps an execution": {"steps_per_execution": 3},
        "three steps an execution, xla": {"steps_per_execution": 3, "jit_compile": True},
        "two replicas": {},
    },
    "jax": {
        "default": {},
        "not compiled": {"jit_compile": False},
        "three steps an execution": {"steps_per_execution": 3},
    },
    "torch": {"default": {}},
}
_MODES = _BY_BACKEND[keras.config.backend()]


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """The losses of two epochs, computed in NumPy."""
    return expected_rows(2 * BATCHES)


class _Outcome(NamedTuple):
    """What a training comes to, to the last bit."""

    history: dict[str, list[float]]
    weights: list[bytes]
    files: list[dict[str, bytes]]


@pytest.fixture(scope="module", params=_MODES)
def mode(request: Any) -> str:
    """How the step is run."""
    return str(request.param)


@pytest.fixture(scope="module")
def train(mode: str, tmp_path_factory: Any) -> Callable[..., _Outcome]:
    """Trains a model that is saved on the way and at the end."""

    def train_(*callbacks: Any) -> _Outcome:
        directory = tmp_path_factory.mktemp("saved")
        with strategy_scope(mode):
            model = compiled_model(**_MODES[mode])
        saving = keras.callbacks.ModelCheckpoint(str(directory / "epoch.keras"), save_freq=3)
        history = fit(model, *callbacks, saving, epochs=2).history
        model.save(str(directory / "end.keras"))
        files = [_contents(directory / name) for name in ("epoch.keras", "end.keras")]
        return _Outcome(history, [w.tobytes() for w in model.get_weights()], files)

    return train_


@pytest.fixture(scope="module")
def recorded_training(train: Any, tmp_path_factory: Any) -> tuple[str, _Outcome]:
    """The log directory of a recorded training, and what the training came to."""
    log_dir = str(tmp_path_factory.mktemp("recorded") / "logs")
    return log_dir, train(RegularizationCallback(log_dir))


def test_every_step_is_recorded_once_with_the_values_of_the_step(
    recorded_training: Any, expected: Any
) -> None:
    """Whatever way the step is run, rows equal a computation of each term by its definition."""
    recorded = recording(recorded_training[0])
    assert [term.name for term in recorded.columns] == NAMES
    assert recorded.steps.tolist() == list(range(2 * BATCHES))
    np.testing.assert_allclose(recorded.values, expected, rtol=1e-5)
    residual = recorded.values[:, 0] - recorded.values[:, 1:].sum(1, dtype="float64")
    assert np.all(np.abs(residual) <= 1e-5 * recorded.values[:, 0])


def test_training_is_bit_equal_to_one_without_the_callback(
    mode: str, train: Any, recorded_training: Any
) -> None:
    """Weights, history and the saved model are the same to the last bit."""
    if keras.config.backend() == "jax" and mode == "not compiled":
        pytest.skip("JAX' uncompiled training differs from run to run by itself")
    assert train() == recorded_training[1]


def test_every_nth_step_is_recorded_when_asked(expected: np.ndarray, log_dir: str) -> None:
    """``every=3`` keeps the steps that three divides, with their own values."""
    fit(compiled_model(), RegularizationCallback(log_dir, every=3), epochs=2)
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == [0, 3, 6, 9, 12]
    np.testing.assert_allclose(recorded.values, expected[:13:3], rtol=1e-5)


def test_a_training_longer_than_the_ring_loses_no_row(log_dir: str) -> None:
    """Rows are taken from the device before they are overwritten."""
    model = compiled_model()
    fit(model, RegularizationCallback(log_dir, flush_secs=1e6), epochs=30)
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == list(range(30 * BATCHES))
    assert np.all(np.diff(recorded.wall_times) >= 0)


def _contents(path: Path) -> dict[str, bytes]:
    """What a ``.keras`` file holds, without the times in it."""
    import io
    import json
    import zipfile

    import h5py

    contents = {}
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        # The model's own name and its layers' registered names are numbered over the process.
        config = json.loads(archive.read("config.json"))
        contents["config"] = json.dumps(sorted(config)).encode()
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
            weights.visititems(
                lambda name, item: (
                    contents.update({name: item[()].tobytes()})
                    if isinstance(item, h5py.Dataset)
                    else contents.update({name: b""})
                )
            )
    return contents
