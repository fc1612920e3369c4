"""A ``train_step`` of the user's own that never calls ``compute_loss``."""

import warnings
from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback
from tb_regplugin.command_line import main
from tests.keras_backend.models import BATCHES, compiled_model, expected_losses, fit, recording

_WEIGHT_TERMS = ["a/kernel", "a/bias", "b/kernel", "c/kernel"]


class _Shrinks(keras.Model):
    """Takes a tenth from each weight at each step."""

    def train_step(self, *args: Any) -> Any:
        logs = {"loss": keras.ops.zeros(())}
        if keras.config.backend() == "jax":
            (trainable, *others), _ = args
            return logs, ([0.9 * value for value in trainable], *others)
        for variable in self.trainable_variables:
            variable.assign(0.9 * variable)
        return logs


def _model(cls: Any, **options: Any) -> keras.Model:
    plain = compiled_model()
    model = cls(plain.inputs, plain.outputs)
    model.compile("sgd", "mse", **options)
    return model


_BY_BACKEND: dict[str, list[dict[str, Any]]] = {
    "tensorflow": [{}, {"run_eagerly": True}, {"steps_per_execution": 3}],
    "jax": [{}],
    "torch": [{}],
}
_OPTIONS = _BY_BACKEND[keras.config.backend()]


@pytest.mark.parametrize("options", _OPTIONS)
def test_its_weights_penalties_are_recorded_and_that_is_said_once(
    options: Any, log_dir: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are those of the weights that each step began with, marked as calculated beside it."""
    model = _model(_Shrinks, **options)
    weights, x = model.get_weights(), np.zeros((1, 5))
    expected = []
    for step in range(4 * BATCHES):
        losses = expected_losses([0.9**step * w for w in weights], x, np.zeros((1, 2)))
        expected.append([losses[name] for name in _WEIGHT_TERMS])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, RegularizationCallback(log_dir), epochs=2)
        fit(model, RegularizationCallback(log_dir), epochs=2)
    (message,) = [str(w.message) for w in caught if "tb_regplugin" in str(w.message)]
    assert "does not call compute_loss" in message
    # Recorder is TensorFlow's.
    assert ("Recorder" if keras.config.backend() == "tensorflow" else "Writer in a") in message
    recorded = recording(log_dir)
    assert [term.name for term in recorded.columns] == _WEIGHT_TERMS
    assert all("beside the training step" in str(term.note) for term in recorded.columns)
    assert recorded.steps.tolist() == list(range(4 * BATCHES))
    np.testing.assert_allclose(recorded.values, expected, rtol=1e-5)
    # What else the loss has, nobody knows: nothing is said of shares, nor of a data loss.
    assert main(["summary", log_dir]) == 0
    assert "%" not in capsys.readouterr().out
    options = ["--threshold", "min_rows=10", "--fail-on", "info"]
    assert main(["check", log_dir, *options]) == 0, capsys.readouterr().out


def test_without_any_penalty_there_is_nothing_to_record(log_dir: str) -> None:
    """Which is said once, and training goes on."""
    inputs = keras.Input((5,))
    model = _Shrinks(inputs, keras.layers.Dense(2)(inputs))
    model.compile("sgd", "mse")
    with pytest.warns(RuntimeWarning, match="does not call compute_loss") as caught:
        fit(model, RegularizationCallback(log_dir), epochs=2)
    assert len([warning for warning in caught if "tb_regplugin" in str(warning.message)]) == 1


def test_where_warnings_are_errors_it_is_recorded_all_the_same(
    log_dir: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What would be a warning is said on the error output."""
    model = _model(_Shrinks)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=RuntimeWarning, message=".*tb_regplugin")
        fit(model, RegularizationCallback(log_dir), epochs=1)
    assert len(recording(log_dir).steps) == BATCHES
    assert capsys.readouterr().err.count("does not call compute_loss") == 1
