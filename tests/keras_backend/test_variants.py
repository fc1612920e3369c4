"""Ways of training in which a loss is not simply data plus penalties of plain layers."""

import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, regularizers

from tb_regplugin import RegularizationCallback
from tests.keras_backend.models import (
    BATCH,
    BATCHES,
    KERAS,
    X,
    Y,
    activity_divisor,
    column,
    recording,
    two_replicas,
)

_IS_TF = keras.config.backend() == "tensorflow"


def _linear(**options: Any) -> keras.Model:
    """Returns a linear model, whose loss is simple."""
    keras.utils.set_random_seed(11)
    inputs = keras.Input((5,))
    outputs = layers.Dense(
        2, kernel_regularizer=regularizers.L2(0.1), bias_initializer="ones", name="d"
    )(inputs)
    model = keras.Model(inputs, outputs)
    model.compile(**{"optimizer": "sgd", "loss": "mse", **options})
    return model


def _errors(weights: Any, x: Any, y: Any) -> np.ndarray:
    kernel, bias = (w.astype("float64") for w in weights)
    return np.asarray(np.mean((x @ kernel + bias - y) ** 2, axis=1))


def _rows() -> list[slice]:
    return [slice(first, first + BATCH) for first in range(0, BATCH * BATCHES, BATCH)]


def _fit(model: Any, log_dir: str, **options: Any) -> Any:
    callback = RegularizationCallback(log_dir)
    return model.fit(
        X, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[callback], **options
    )


def _assert_data_and_penalty(log_dir: str, data: Any, penalty: Any, rtol: Any = 1e-5) -> None:
    recorded = recording(log_dir)
    assert [term.name for term in recorded.columns] == ["total", "data", "d/kernel"]
    np.testing.assert_allclose(column(recorded, "data"), data, rtol=rtol)
    np.testing.assert_allclose(column(recorded, "d/kernel"), penalty, rtol=rtol)
    np.testing.assert_allclose(column(recorded, "total"), np.add(data, penalty), rtol=rtol)


def test_sample_weights_scale_the_data_loss_alone(log_dir: str) -> None:
    """The penalty does not know of them."""
    sample_weight = np.linspace(0, 2, len(X)).astype("float32")
    reference, data, penalty = _linear(), [], []
    for rows in _rows():
        weights = reference.get_weights()
        data.append(np.mean(sample_weight[rows] * _errors(weights, X[rows], Y[rows])))
        penalty.append(0.1 * np.sum(weights[0] ** 2))
        reference.train_on_batch(X[rows], Y[rows], sample_weight=sample_weight[rows])
    _fit(_linear(), log_dir, sample_weight=sample_weight)
    _assert_data_and_penalty(log_dir, data, penalty)


def test_class_weights_scale_the_data_loss_alone(log_dir: str) -> None:
    """A class that counts thrice makes the data loss, not the penalty."""
    classes, class_weight = (X[:, 0] > 0).astype("int32"), {0: 1.0, 1: 3.0}

    def model() -> Any:
        return _linear(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    reference, data, penalty = model(), [], []
    for rows in _rows():
        kernel, bias = reference.get_weights()
        logits = X[rows] @ kernel + bias
        labels = classes[rows]
        log_p = logits[np.arange(BATCH), labels] - np.log(np.exp(logits).sum(1))
        data.append(np.mean(np.where(labels == 1, 3.0, 1.0) * -log_p))
        penalty.append(0.1 * np.sum(kernel**2))
        reference.train_on_batch(X[rows], labels, class_weight=class_weight)
    model().fit(
        X,
        classes,
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
        class_weight=class_weight,
        callbacks=[RegularizationCallback(log_dir)],
    )
    _assert_data_and_penalty(log_dir, data, penalty)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_recorded_unscaled(policy: Any, log_dir: str) -> None:
    """The loss before it is scaled, and penalties of the float32 weights."""
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        reference, model = _linear(optimizer="adam"), _linear(optimizer="adam")
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    if policy == "mixed_float16":
        assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    data, penalty = [], []
    for rows in _rows():
        weights = reference.get_weights()
        data.append(np.mean(_errors(weights, X[rows], Y[rows])))
        penalty.append(0.1 * np.sum(weights[0] ** 2))
        reference.train_on_batch(X[rows], Y[rows])
    _fit(model, log_dir)
    _assert_data_and_penalty(log_dir, data, penalty, rtol=0.02)
    recorded = recording(log_dir)
    np.testing.assert_allclose(column(recorded, "d/kernel"), penalty, rtol=1e-5)
    residual = recorded.values[:, 0] - recorded.values[:, 1:].sum(1)
    np.testing.assert_allclose(residual, 0, atol=1e-6)


def test_gradient_accumulation_records_each_batch(log_dir: str) -> None:
    """Weights, and so penalties, change with every third batch."""

    def model() -> Any:
        return _linear(optimizer=keras.optimizers.SGD(0.1, gradient_accumulation_steps=3))

    reference, data, penalty = model(), [], []
    for rows in _rows():
        weights = reference.get_weights()
        data.append(np.mean(_errors(weights, X[rows], Y[rows])))
        penalty.append(0.1 * np.sum(weights[0] ** 2))
        reference.train_on_batch(X[rows], Y[rows])
    _fit(model(), log_dir)
    _assert_data_and_penalty(log_dir, data, penalty)
    recorded = recording(log_dir)
    assert recorded.steps.tolist() == list(range(BATCHES))
    changes = np.flatnonzero(np.diff(column(recorded, "d/kernel"))) + 1
    assert changes.tolist() == [3, 6]


def test_frozen_nested_and_shared_layers_have_the_terms_that_keras_adds(log_dir: str) -> None:
    """None for a frozen layer, one a variable for a shared one, one a call for its activity."""
    keras.utils.set_random_seed(13)
    inner_inputs = keras.Input((4,))
    shared = layers.Dense(
        4,
        kernel_regularizer=regularizers.L1(0.1),
        activity_regularizer=regularizers.L2(0.2),
        name="shared",
    )
    inner = keras.Model(inner_inputs, shared(inner_inputs), name="inner")
    inputs = keras.Input((5,))
    first = layers.Dense(4, kernel_regularizer="l2", trainable=False, name="frozen")(inputs)
    outputs = layers.Dense(2, name="out")(inner(inner(first)))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    kernel, bias = shared.get_weights()
    frozen, frozen_bias = model.get_layer("frozen").get_weights()
    model.fit(X[:BATCH], Y[:BATCH], verbose=0, callbacks=[RegularizationCallback(log_dir)])
    once = (X[:BATCH] @ frozen + frozen_bias) @ kernel + bias
    twice = once @ kernel + bias
    calls = [once, twice]
    if keras.config.backend() == "jax":
        # There, Keras' own loss lacks the first call's.
        calls = [twice]
    activities = [0.2 * np.sum(output**2) / activity_divisor(BATCH) for output in calls]
    recorded = recording(log_dir)
    assert [(term.name, term.kind, term.strength) for term in recorded.columns[2:-1]] == [
        ("shared/activity", "activity", 0.2),
        ("shared/activity (2)", "activity", 0.2),
    ][: len(calls)]
    assert recorded.columns[-1].name == "shared/kernel"
    np.testing.assert_allclose(
        recorded.values[0, 2:], [*activities, 0.1 * np.abs(kernel).sum()], rtol=1e-5
    )
    np.testing.assert_allclose(recorded.values[0, 0], recorded.values[0, 1:].sum(), rtol=1e-5)


# In a process of its own: bare TensorFlow mixes up the collectives of two strategies in one.
_DECAY_ON_TWO_REPLICAS = """
import sys
import keras, numpy as np, tensorflow as tf
from tb_regplugin import RegularizationCallback
from tests.keras_backend.models import BATCH, X, Y
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, name="d")])
    model.compile(keras.optimizers.AdamW(0.1), "mse")
print(np.sum(model.get_weights()[0] ** 2))
callback = RegularizationCallback(sys.argv[1])
model.fit(X, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[callback])
"""


@pytest.mark.skipif(not _IS_TF or KERAS < (3, 10), reason="a strategy is TensorFlow's")
def test_decay_on_two_replicas_is_counted_once(log_dir: str) -> None:
    """Rows are summed over the replicas, the weights are one."""
    result = subprocess.run(
        [sys.executable, "-c", _DECAY_ON_TWO_REPLICAS, log_dir],
        check=True,
        capture_output=True,
        text=True,
    )
    squared_norm = float(result.stdout.split()[-1])
    recorded = column(recording(log_dir), "d/kernel (weight decay)")[0]
    np.testing.assert_allclose(recorded, 0.002 * squared_norm, rtol=1e-5)


@pytest.mark.skipif(not _IS_TF or KERAS >= (3, 10), reason="these are recorded")
def test_several_replicas_are_refused_before_keras_3_10(log_dir: str) -> None:
    """Once, with the version that is needed; training goes on."""
    with two_replicas().scope():
        model = _linear()
    with pytest.warns(RuntimeWarning, match=r"from Keras 3\.10 on"):
        _fit(model, log_dir)
