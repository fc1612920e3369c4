"""A model with several outputs has a data loss for each."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_regplugin import RegularizationCallback, Term, load
from tests.keras_backend.models import BATCH, BATCHES, X, Y, batches, column, recording

_WEIGHTS = {"left": 2.0, "right": 0.5}


def _two_heads(**options: Any) -> keras.Model:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((5,))
    x = layers.Dense(4, kernel_regularizer=keras.regularizers.L2(0.01), name="trunk")(inputs)
    heads = [layers.Dense(1, name="left")(x), layers.Dense(2, name="right")(x)]
    model = keras.Model(inputs, heads)
    losses = {"left": "mse", "right": "mae"}
    model.compile("sgd", losses, loss_weights=_WEIGHTS, **options)
    return model


def _expected(weights: Any, x: Any, y: Any) -> list[float]:
    trunk, trunk_bias, left, left_bias, right, right_bias = weights
    hidden = x @ trunk + trunk_bias
    left_loss = 2.0 * np.mean((hidden @ left + left_bias - y[:, :1]) ** 2)
    right_loss = 0.5 * np.mean(np.abs(hidden @ right + right_bias - y))
    penalty = 0.01 * np.sum(trunk**2)
    return [left_loss + right_loss + penalty, left_loss, right_loss, penalty]


def _fit(model: Any, *callbacks: Any) -> Any:
    return model.fit(
        X,
        [Y[:, :1], Y],
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
        validation_data=(X[:10], [Y[:10, :1], Y[:10]]),
    )


@pytest.mark.parametrize("again", [False, True])
def test_each_outputs_loss_is_a_column_as_it_enters_the_total(again: Any, log_dir: str) -> None:
    """Weights of the losses are applied, also in a model that has seen data before."""
    model = _two_heads()
    if again:
        model.train_on_batch(X[:BATCH] * 0, [Y[:BATCH, :1] * 0, Y[:BATCH] * 0])
    reference = _two_heads()
    reference.set_weights(model.get_weights())
    expected = []
    for x, y in batches(BATCHES):
        expected.append(_expected(reference.get_weights(), x, y))
        reference.train_on_batch(x, [y[:, :1], y])
    bare = _two_heads()
    bare.set_weights(model.get_weights())
    history = _fit(model, RegularizationCallback(log_dir)).history
    recordings = load(log_dir)
    recorded = recordings["train"]
    assert recorded.columns[:3] == [
        Term("total", role="total"),
        Term("left", role="data"),
        Term("right", role="data"),
    ]
    assert [term.name for term in recorded.columns[3:]] == ["trunk/kernel"]
    np.testing.assert_allclose(recorded.values, expected, rtol=2e-5)
    validation = recordings["validation"]
    assert validation.columns == recorded.columns
    np.testing.assert_allclose(
        validation.values[0], _expected(model.get_weights(), X[:10], Y[:10]), rtol=2e-5
    )
    np.testing.assert_allclose(validation.values[0, 0], history["val_loss"][0], rtol=1e-5)
    assert history == _fit(bare).history
    assert all(loss.loss.__class__.__name__ != "function" for loss in _losses(model))


def test_outputs_without_names_are_told_apart(log_dir: str) -> None:
    """A subclassed model's losses are called what Keras calls them, no name twice."""

    class Heads(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.heads = [layers.Dense(2), layers.Dense(2)]

        def call(self, x: Any) -> Any:
            return [head(x) for head in self.heads]

    model = Heads()
    model.compile("sgd", ["mse", "mse"])
    model.fit(X, [Y, Y], verbose=0, callbacks=[RegularizationCallback(log_dir)])
    recorded = recording(log_dir)
    assert [term.role for term in recorded.columns] == ["total", "data", "data"]
    np.testing.assert_allclose(column(recorded, "total"), recorded.values[:, 1:].sum(1), rtol=1e-6)


def _losses(model: Any) -> Any:
    return model._compile_loss._flat_losses
