"""A model with every kind of penalty, and its losses computed in NumPy."""

import functools
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, regularizers

from tb_regplugin import Recording, load

KERAS = tuple(map(int, keras.__version__.split(".")[:2]))
fits_again = pytest.mark.skipif(
    keras.config.backend() == "jax" and KERAS < (3, 10),
    reason="by itself, this Keras can't fit a model again after an exception in fit",
)
BATCH, BATCHES = 10, 7
NAMES = [
    "total",
    "data",
    "extra/add_loss",
    "b/activity",
    "a/kernel",
    "a/bias",
    "b/kernel",
    "c/kernel",
]

_random = np.random.RandomState(0)
X = _random.randn(BATCH * BATCHES, 5).astype("float32")
Y = _random.randn(BATCH * BATCHES, 2).astype("float32")


def activity_divisor(batch: int) -> int:
    """Returns what Keras divides an activity penalty by: the batch's size from 3.14 on."""
    return batch if KERAS >= (3, 14) else 1


def strategy_scope(mode: str) -> AbstractContextManager[object]:
    """Returns where to make the model: on two replicas, where the mode's name begins so."""
    if not mode.startswith("two replicas"):
        return nullcontext()
    if KERAS < (3, 10):
        pytest.skip("several replicas are recorded from Keras 3.10 on")
    scope: AbstractContextManager[object] = two_replicas().scope()
    return scope


@functools.cache
def two_replicas() -> Any:
    """Returns the one strategy of this process over two replicas.

    Bare TensorFlow numbers the collectives of each strategy anew, and mixes up those of two.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


class AddsLoss(layers.Layer):
    """Passes its input on and adds a loss."""

    def call(self, x: Any) -> Any:
        """Returns its input."""
        self.add_loss(0.05 * keras.ops.mean(keras.ops.square(x)))
        return x


def penalised_model() -> keras.Model:
    """Returns a model with l1, l2, l1_l2, orthogonal, activity and add_loss terms."""
    keras.utils.set_random_seed(7)
    inputs = keras.Input((5,))
    x = layers.Dense(
        6,
        activation="tanh",
        kernel_regularizer=regularizers.L1(0.01),
        bias_initializer="ones",
        bias_regularizer=regularizers.L2(0.1),
        name="a",
    )(inputs)
    x = AddsLoss(name="extra")(x)
    x = layers.Dense(
        4,
        activation="tanh",
        kernel_regularizer=regularizers.L1L2(0.02, 0.03),
        activity_regularizer=regularizers.L2(0.04),
        name="b",
    )(x)
    outputs = layers.Dense(
        2, kernel_regularizer=regularizers.OrthogonalRegularizer(0.05), name="c"
    )(x)
    return keras.Model(inputs, outputs)


def compiled_model(**options: Any) -> keras.Model:
    """Returns that model, ready to train."""
    model = penalised_model()
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), "mse", **options)
    return model


def expected_losses(weights: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Computes each loss by its definition, in NumPy and float64."""
    a_kernel, a_bias, b_kernel, b_bias, c_kernel, c_bias = (w.astype("float64") for w in weights)
    a = np.tanh(x @ a_kernel + a_bias)
    b = np.tanh(a @ b_kernel + b_bias)
    out = b @ c_kernel + c_bias
    rows = c_kernel / np.linalg.norm(c_kernel, axis=1, keepdims=True)
    products = rows @ rows.T
    pairs = len(rows) * (len(rows) - 1) / 2
    losses = {
        "data": np.mean((out - y) ** 2),
        "b/activity": 0.04 * np.sum(b**2) / activity_divisor(len(x)),
        "extra/add_loss": 0.05 * np.mean(a**2),
        "a/kernel": 0.01 * np.abs(a_kernel).sum(),
        "a/bias": 0.1 * np.sum(a_bias**2),
        "b/kernel": 0.02 * np.abs(b_kernel).sum() + 0.03 * np.sum(b_kernel**2),
        "c/kernel": 0.05 * 0.5 * np.abs(products - np.diag(np.diag(products))).sum() / pairs,
    }
    return {"total": sum(losses.values()), **losses}


def expected_rows(steps: int) -> np.ndarray:
    """Trains the model batch by batch, and computes the losses before each update."""
    model = compiled_model()
    rows = []
    for x, y in batches(steps):
        losses = expected_losses(model.get_weights(), x, y)
        rows.append([losses[name] for name in NAMES])
        model.train_on_batch(x, y)
    return np.array(rows)


def batches(steps: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches of so many steps, epoch after epoch."""
    for step in range(steps):
        rows = slice(step % BATCHES * BATCH, (step % BATCHES + 1) * BATCH)
        yield X[rows], Y[rows]


def fit(model: Any, *callbacks: Any, epochs: Any = 1, **options: Any) -> Any:
    """Fits a model to the data, in its order."""
    return model.fit(
        X,
        Y,
        batch_size=BATCH,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
        **options,
    )


def recording(log_dir: str) -> Recording:
    """Returns what was recorded."""
    return load(log_dir)["train"]


def column(recorded: Recording, name: str) -> np.ndarray:
    """Returns the values of a column."""
    return recorded.values[:, [term.name for term in recorded.columns].index(name)]
