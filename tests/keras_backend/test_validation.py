"""What ``fit`` does with validation data is a recording of its own."""

from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback, load
from tests.keras_backend.models import (
    BATCHES,
    NAMES,
    X,
    Y,
    compiled_model,
    expected_losses,
    fit,
    fits_again,
    strategy_scope,
)

_MODES = {
    "tensorflow": ["function", "eager", "xla", "three steps an execution", "two replicas"],
    "jax": ["default", "three steps an execution"],
    "torch": ["default"],
}[keras.config.backend()]
_OPTIONS = {
    "eager": {"run_eagerly": True},
    "xla": {"jit_compile": True},
    "three steps an execution": {"steps_per_execution": 3},
}
# Batches of 8, 8 and 4 samples, whose mean is not the mean of the batches' means.
_HELD_OUT = (X[:20], 3 * Y[:20])


class _Weights(keras.callbacks.Callback):
    """Notes the weights at the end of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.weights.append(self.model.get_weights())


def _validated(model: Any, *callbacks: Any, **options: Any) -> Any:
    return fit(model, *callbacks, validation_data=_HELD_OUT, validation_batch_size=8, **options)


@pytest.mark.parametrize("mode", _MODES)
def test_each_validation_is_a_row_that_adds_up_to_val_loss(mode: str, log_dir: str) -> None:
    """The means equal those computed in NumPy, under the names that training has."""
    with strategy_scope(mode):
        model = compiled_model(**_OPTIONS.get(mode, {}))
    weights = _Weights()
    history = _validated(model, RegularizationCallback(log_dir), weights, epochs=3).history
    recordings = load(log_dir)
    validation = recordings["validation"]
    assert validation.steps.tolist() == [BATCHES, 2 * BATCHES, 3 * BATCHES]
    assert validation.columns == recordings["train"].columns
    np.testing.assert_allclose(validation.values[:, 0], history["val_loss"], rtol=1e-5)
    np.testing.assert_allclose(validation.values[:, 1:].sum(1), history["val_loss"], rtol=1e-5)
    x, y = _HELD_OUT
    for row, at in zip(validation.values, weights.weights, strict=True):
        batches = [
            expected_losses(at, x[first : first + 8], y[first : first + 8]) for first in (0, 8, 16)
        ]
        means = [np.average([b[name] for b in batches], weights=[8, 8, 4]) for name in NAMES]
        np.testing.assert_allclose(row, means, rtol=1e-5)


def test_the_penalties_are_those_of_the_training_step_that_comes_next(log_dir: str) -> None:
    """A validation's step is that of the training step with the same weights."""
    _validated(compiled_model(), RegularizationCallback(log_dir), epochs=3)
    recordings = load(log_dir)
    shared = recordings["validation"].values[:2, NAMES.index("a/kernel") :]
    of_training = recordings["train"].values[[BATCHES, 2 * BATCHES], NAMES.index("a/kernel") :]
    np.testing.assert_allclose(shared, of_training, rtol=1e-6)


def test_a_validation_of_many_batches_is_whole(log_dir: str) -> None:
    """Batches are taken from the device before they are overwritten."""
    history = fit(
        compiled_model(),
        RegularizationCallback(log_dir),
        validation_data=(np.tile(X, (3, 1)), np.tile(Y, (3, 1))),
        validation_batch_size=1,
    ).history
    recorded = load(log_dir)["validation"].values
    np.testing.assert_allclose(recorded[:, 0], history["val_loss"], rtol=1e-5)


class _Raises(keras.callbacks.Callback):
    """Raises once, in the second batch of the first validation."""

    def __init__(self, moment: str) -> None:
        super().__init__()
        self._moment = moment

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._raise("begin", batch)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._raise("end", batch)

    def _raise(self, moment: str, batch: int) -> None:
        if moment == self._moment and batch == 1:
            self._moment = ""
            raise KeyboardInterrupt


@fits_again
@pytest.mark.parametrize("moment", ["begin", "end"])
def test_an_exception_in_a_validation_leaves_nothing(moment: str, log_dir: str) -> None:
    """The model is as it was, and the next validation holds its own batches only."""
    model = compiled_model()
    fit(model, validation_data=_HELD_OUT, validation_batch_size=8)
    functions = (model.train_function, model.test_function)
    attributes = set(model.__dict__)
    raises, callback = _Raises(moment), RegularizationCallback(log_dir)
    with pytest.raises(KeyboardInterrupt):
        _validated(model, callback, raises)
    model.evaluate(*_HELD_OUT, verbose=0)
    assert (model.train_function, model.test_function) == functions
    assert set(model.__dict__) - attributes <= {"_eval_epoch_iterator"}
    history = _validated(model, callback, raises).history
    recorded = load(log_dir)["validation"]
    assert recorded.steps.tolist() == [3 * BATCHES]
    np.testing.assert_allclose(recorded.values[:, 0], history["val_loss"], rtol=1e-5)


def test_a_test_step_without_compute_loss_is_said_once(log_dir: str) -> None:
    """The training is recorded all the same."""

    class Silent(keras.Model):
        def test_step(self, *args: Any) -> Any:
            logs = {"loss": keras.ops.zeros(())}
            return (logs, args[0]) if keras.config.backend() == "jax" else logs

    plain = compiled_model()
    model = Silent(plain.inputs, plain.outputs)
    model.compile("sgd", "mse")
    with pytest.warns(RuntimeWarning, match="recording validation: .*test_step") as caught:
        _validated(model, RegularizationCallback(log_dir), epochs=2)
    assert len([warning for warning in caught if "tb_regplugin" in str(warning.message)]) == 1
    assert len(load(log_dir)["train"].steps) == 2 * BATCHES
