"""Several trainings of a model make one recording."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback
from tests.keras_backend.models import (
    BATCHES,
    NAMES,
    batches,
    column,
    compiled_model,
    expected_rows,
    fit,
    recording,
)


def test_fit_called_again_continues(log_dir: str) -> None:
    """A second fit goes on where the first ended, and compiles nothing anew."""
    model = compiled_model()
    callback = RegularizationCallback(log_dir)
    fit(model, callback)
    fit(model, callback)
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == list(range(2 * BATCHES))
    np.testing.assert_allclose(recorded.values, expected_rows(2 * BATCHES), rtol=1e-5)


def test_a_new_callback_continues(log_dir: str) -> None:
    """The steps are the model's, not the callback's."""
    model = compiled_model()
    for _ in range(3):
        fit(model, RegularizationCallback(log_dir))
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == list(range(3 * BATCHES))
    np.testing.assert_allclose(recorded.values, expected_rows(3 * BATCHES), rtol=1e-5)


def test_what_was_trained_without_the_callback_is_a_gap(log_dir: str) -> None:
    """Steps that were not recorded count."""
    model = compiled_model()
    fit(model, RegularizationCallback(log_dir))
    fit(model)
    fit(model, RegularizationCallback(log_dir))
    steps = recording(log_dir).steps.tolist()
    assert steps == [*range(BATCHES), *range(2 * BATCHES, 3 * BATCHES)]


def test_a_restored_checkpoint_goes_back(log_dir: str, tmp_path: Path) -> None:
    """Training resumed from an earlier state records its steps again, over the old ones."""
    model = compiled_model()
    callback = RegularizationCallback(log_dir)
    fit(model, callback)
    model.save_weights(str(tmp_path / "early.weights.h5"))
    fit(model, callback)
    model.load_weights(str(tmp_path / "early.weights.h5"))
    for weight in model.weights:
        if weight.path.endswith("a/bias"):
            weight.assign(weight * 0)
    fit(model, callback)
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == list(range(2 * BATCHES))
    assert column(recorded, "a/bias")[BATCHES - 1] > 0
    assert column(recorded, "a/bias")[BATCHES] == 0


def test_a_loaded_model_continues_at_its_step(log_dir: str, tmp_path: Path) -> None:
    """A model read from a file goes on where it was saved."""
    inputs = keras.Input((5,))
    model = keras.Model(inputs, keras.layers.Dense(2, kernel_regularizer="l2")(inputs))
    model.compile("adam", "mse")
    fit(model, RegularizationCallback(log_dir))
    model.save(str(tmp_path / "model.keras"))
    loaded = keras.models.load_model(str(tmp_path / "model.keras"))
    fit(loaded, RegularizationCallback(log_dir))
    assert recording(log_dir).steps.tolist() == list(range(2 * BATCHES))


def test_backup_and_restore_continues_after_a_crash(log_dir: str, tmp_path: Path) -> None:
    """The step is read after Keras restored its backup."""

    class Crash(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                raise RuntimeError("crash")

    backup = str(tmp_path / "backup")
    with pytest.raises(RuntimeError, match="crash"):
        fit(
            compiled_model(),
            RegularizationCallback(log_dir),
            keras.callbacks.BackupAndRestore(backup),
            Crash(),
            epochs=3,
        )
    fit(
        compiled_model(),
        RegularizationCallback(log_dir),
        keras.callbacks.BackupAndRestore(backup),
        epochs=3,
    )
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == list(range(3 * BATCHES))
    np.testing.assert_allclose(recorded.values, expected_rows(3 * BATCHES), rtol=1e-5)


def test_a_layer_frozen_between_fits_leaves_the_terms(log_dir: str) -> None:
    """The term set changes with the model; the other terms go on."""
    model = compiled_model()
    callback = RegularizationCallback(log_dir)
    fit(model, callback)
    model.get_layer("b").trainable = False
    model.compile(model.optimizer.__class__(0.05), "mse")
    fit(model, callback)
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == list(range(2 * BATCHES))
    assert np.isfinite(column(recorded, "b/kernel")[:BATCHES]).all()
    assert np.isnan(column(recorded, "b/kernel")[BATCHES:]).all()
    for name in set(NAMES) - {"b/kernel"}:
        assert np.isfinite(column(recorded, name)).all()


def test_a_model_compiled_again_continues(log_dir: str) -> None:
    """A new optimiser starts at zero, the recording doesn't."""
    model = compiled_model()
    callback = RegularizationCallback(log_dir)
    fit(model, callback)
    model.compile("adam", "mae")
    fit(model, callback)
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == list(range(2 * BATCHES))
    np.testing.assert_allclose(recorded.values[:BATCHES], expected_rows(BATCHES), rtol=1e-5)


def test_terms_that_come_and_go_within_a_training_are_right(log_dir: str) -> None:
    """A step whose layers add other losses is recorded under other columns."""

    class Sometimes(keras.layers.Layer):
        def compute_output_shape(self, shape: Any) -> Any:
            return shape

        def call(self, x: Any) -> Any:
            for _ in range((x.shape[0] or 0) - 1):
                self.add_loss(0 * keras.ops.sum(x) + 1.0)
            return x

    inputs = keras.Input((1,))
    outputs = keras.layers.Dense(1, kernel_regularizer="l2", name="d")(
        Sometimes(name="some")(inputs)
    )
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", run_eagerly=keras.config.backend() == "tensorflow")
    # Batches of 3, 3 and 1 rows: two extra losses, two, none. Batches of 40 need a wider ring.
    x = np.ones((7, 1))
    callback = RegularizationCallback(log_dir)
    model.fit(x, x, batch_size=3, shuffle=False, verbose=0, callbacks=[callback])
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == [0, 1, 2]
    assert column(recorded, "some/add_loss").tolist()[:2] == [1, 1]
    assert column(recorded, "some/add_loss (2)").tolist()[:2] == [1, 1]
    assert np.isnan(column(recorded, "some/add_loss")[2])
    assert np.isfinite(column(recorded, "d/kernel")).all()

    x = np.ones((80, 1))
    model.fit(x, x, batch_size=40, shuffle=False, verbose=0, callbacks=[callback])
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == [0, 1, 2, 3, 4]
    assert column(recorded, "some/add_loss (39)")[4] == 1
    np.testing.assert_allclose(
        recorded.values[:, 0], np.nansum(recorded.values[:, 1:], axis=1), rtol=1e-5
    )


def test_a_loop_of_ones_own_that_calls_the_callbacks_is_recorded(log_dir: str) -> None:
    """As with ``train_on_batch`` and the ``CallbackList`` that ``fit`` has."""
    model = compiled_model()
    callbacks = keras.callbacks.CallbackList([RegularizationCallback(log_dir)], model=model)
    callbacks.on_train_begin()
    for number, (x, y) in enumerate(batches(BATCHES)):
        callbacks.on_train_batch_begin(number)
        logs = model.train_on_batch(x, y, return_dict=True)
        callbacks.on_train_batch_end(number, logs)
    callbacks.on_train_end()
    np.testing.assert_allclose(recording(log_dir).values, expected_rows(BATCHES), rtol=1e-5)
