"""Regularisers that are set on a layer and reach no loss, and those that only look so."""

import warnings
from typing import Any

import keras
import numpy as np
from keras import layers, regularizers

from tb_regplugin import RegularizationCallback
from tb_regplugin.command_line import main
from tests.keras_backend.models import KERAS, column, recording

_RANDOM = np.random.RandomState(0)
X = _RANDOM.randn(8, 4, 3).astype("float32")
Y = _RANDOM.randn(8, 1).astype("float32")


def _warnings(model: Any, log_dir: str, fits: int = 1) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(fits):
            callbacks = [RegularizationCallback(log_dir)]
            model.fit(X, Y, batch_size=4, verbose=0, callbacks=callbacks)
    return [str(w.message) for w in caught if "tb_regplugin" in str(w.message)]


def _compiled(model: Any) -> Any:
    model.compile("sgd", "mse")
    return model


def test_a_regulariser_set_after_building_is_told_once_and_the_fix_works(
    log_dir: str, tmp_path: Any, capsys: Any
) -> None:
    """As with pretrained models (https://github.com/tensorflow/tensorflow/issues/37511)."""
    base = keras.Sequential(
        [
            keras.Input((4, 3)),
            layers.DepthwiseConv1D(2, name="conv"),
            layers.Flatten(),
            layers.Dense(1, bias_regularizer="l2", name="top"),
        ]
    )
    base.get_layer("conv").depthwise_regularizer = regularizers.L2(0.1)
    base.get_layer("top").kernel_regularizer = regularizers.L1(0.5)
    base.get_layer("top").bias_regularizer = regularizers.L2(0.5)
    (message,) = _warnings(_compiled(base), log_dir, fits=2)
    told = "depthwise_regularizer of conv, kernel_regularizer of top and bias_regularizer of top"
    assert told in message
    assert "keras.models.clone_model" in message
    assert main(["check", log_dir, "--fail-on", "warning"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "regularizer_without_effect" in printed
    clone = keras.models.clone_model(base)
    clone.set_weights(base.get_weights())
    fixed = str(tmp_path / "fixed")
    expected = 0.5 * np.abs(clone.get_layer("top").get_weights()[0].astype("float64")).sum()
    assert _warnings(_compiled(clone), fixed) == []
    np.testing.assert_allclose(column(recording(fixed), "top/kernel")[0], expected, rtol=1e-6)


def test_an_activity_regulariser_that_a_wrapper_drops_is_told(log_dir: str) -> None:
    """Keras' TimeDistributed calls its layer where no loss is collected."""
    dense = layers.Dense(2, activity_regularizer="l2", name="inner")
    model = keras.Sequential([keras.Input((4, 3)), layers.TimeDistributed(dense), layers.Flatten()])
    model.add(layers.Dense(1))
    messages = _warnings(_compiled(model), log_dir)
    recorded = [term.name for term in recording(log_dir).columns if term.kind == "activity"]
    dropped = ["activity_regularizer of inner" in text for text in messages]
    assert dropped == ([] if recorded else [True])
    assert recorded == [] or KERAS < (3, 15)


class _Own(layers.Layer):
    """Applies its regulariser by itself; what others of its kind do, nobody knows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.kernel_regularizer = regularizers.L2(0.1)

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], 1))

    def call(self, x: Any) -> Any:
        self.add_loss(self.kernel_regularizer(self.kernel))
        return keras.ops.matmul(x, self.kernel)


def test_regularisers_that_have_an_effect_are_not_told(log_dir: str) -> None:
    """Of weights that are frozen or absent, within wrappers and cells, or set on the variable."""
    inputs = keras.Input((4, 3))
    l2: Any = {"kernel_regularizer": "l2", "activity_regularizer": "l2", "bias_regularizer": "l1"}
    x = layers.Dense(3, use_bias=False, name="without_bias", **l2)(inputs)
    frozen = layers.Dense(3, name="frozen", kernel_regularizer="l2")
    frozen.trainable = False
    x = layers.SeparableConv1D(3, 2, depthwise_regularizer="l2", pointwise_regularizer="l1")(x)
    x = layers.BatchNormalization(gamma_regularizer="l2", scale=False)(frozen(x))
    x = layers.MultiHeadAttention(1, 2, **l2)(x, x)
    x = layers.Bidirectional(layers.LSTM(2, return_sequences=True, **l2))(x)
    late = layers.Dense(2, name="late")
    x = layers.GRU(2, recurrent_regularizer="l2", activity_regularizer="l1")(late(x))
    late.kernel_regularizer = regularizers.L2(0.1)
    late.kernel.regularizer = regularizers.L2(0.1)
    x = layers.SpectralNormalization(layers.Dense(2, **l2))(x)
    model = _compiled(keras.Model(inputs, _Own(name="own")(x)))
    assert _warnings(model, log_dir) == []
    assert column(recording(log_dir), "late/kernel")[0] > 0
