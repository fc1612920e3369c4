"""Decoupled weight decay is recorded as the loss that it stands for."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_regplugin import RegularizationCallback, Term
from tests.keras_backend.models import BATCH, BATCHES, batches, fit, recording


def _model(optimizer: Any) -> keras.Model:
    keras.utils.set_random_seed(5)
    inputs = keras.Input((5,))
    x = layers.Dense(3, name="a", kernel_regularizer="l2", bias_initializer="ones")(inputs)
    model = keras.Model(inputs, layers.Dense(2, name="b")(x))
    model.compile(optimizer, "mse")
    return model


def _decay_columns(log_dir: str) -> list[Term]:
    return [term for term in recording(log_dir).columns if term.role == "implicit"]


def _with_exclusion() -> keras.optimizers.Optimizer:
    optimizer = keras.optimizers.AdamW(0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize(
    ("make", "strength", "indices"),
    [
        (lambda: keras.optimizers.AdamW(0.1), 0.004, [0, 1, 2, 3]),
        (lambda: keras.optimizers.SGD(0.1, weight_decay=0.2), 0.2, [0, 1, 2, 3]),
        (_with_exclusion, 0.004, [0, 2]),
        (
            lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.AdamW(0.1)),
            0.004,
            [0, 1, 2, 3],
        ),
    ],
    ids=["AdamW", "SGD", "biases excluded", "scaled loss"],
)
def test_decay_is_half_its_strength_times_the_squared_weights(
    make: Any, strength: Any, indices: Any, log_dir: str
) -> None:
    """One column a variable that decays, with the weights of the loss, outside of the loss."""
    reference, expected = _model(make()), []
    for x, y in batches(BATCHES):
        weights = reference.get_weights()
        expected.append([strength / 2 * np.sum(np.square(weights[at])) for at in indices])
        reference.train_on_batch(x, y)
    model = _model(make())
    fit(model, RegularizationCallback(log_dir))
    recorded = recording(log_dir)
    assert [term.role for term in recorded.columns[:3]] == ["total", "data", "penalty"]
    np.testing.assert_allclose(recorded.values[:, 3:], expected, rtol=1e-5)
    np.testing.assert_allclose(
        recorded.values[:, 0], recorded.values[:, 1] + recorded.values[:, 2], rtol=1e-5
    )
    paths = [model.weights[at].path for at in indices]
    assert [term.name for term in recorded.columns[3:]] == [f"{p} (weight decay)" for p in paths]
    first = recorded.columns[3]
    assert first == Term(
        "a/kernel (weight decay)",
        role="implicit",
        kind="weight_decay",
        strength=strength,
        coefficient=strength / 2,
        variable="a/kernel",
        shape=(5, 3),
        size=15,
    )


def test_the_recorded_decay_is_what_the_optimiser_subtracts(log_dir: str) -> None:
    """With a gradient of zero, weights shrink by the learning rate times the decay's gradient."""
    inputs = keras.Input((5,))
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(inputs))
    model.compile(keras.optimizers.SGD(0.1, weight_decay=0.2), lambda y, out: 0.0 * out)
    before = model.get_weights()[0]
    model.fit(
        np.ones((BATCH, 5)),
        np.ones((BATCH, 2)),
        verbose=0,
        callbacks=[RegularizationCallback(log_dir)],
    )
    (column,) = _decay_columns(log_dir)
    np.testing.assert_allclose(
        before - model.get_weights()[0], 0.1 * 2 * column.coefficient * before, rtol=1e-4
    )


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.AdamW(weight_decay=0.0)])
def test_without_decay_there_is_no_column(optimizer: Any, log_dir: str) -> None:
    """Neither None nor zero is a penalty."""
    fit(_model(optimizer), RegularizationCallback(log_dir))
    assert _decay_columns(log_dir) == []
