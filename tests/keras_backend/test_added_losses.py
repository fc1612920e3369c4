"""Models whose data loss is what their layers add: ``compile(optimizer)`` without a loss."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tb_regplugin import RegularizationCallback
from tb_regplugin.command_line import main
from tests.keras_backend.models import recording

_BACKEND = keras.config.backend()
_random = np.random.RandomState(0)
X = _random.randn(40, 5).astype("float32")
Y = _random.randn(40, 1).astype("float32")


class _Endpoint(layers.Layer):
    """Takes the labels as an input, and adds the loss: CTC and CRF layers are written so.

    https://keras.io/examples/vision/captcha_ocr/ (``CTCLayer``).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, labels: Any, predicted: Any) -> Any:
        self.add_loss(ops.mean(ops.square(labels - predicted)))
        # Of a weight alone, which a graph tells.
        self.add_loss(0.25 * ops.square(ops.convert_to_tensor(self.scale)))
        return predicted


def _model(**options: Any) -> Any:
    keras.utils.set_random_seed(3)
    inputs, labels = keras.Input((5,)), keras.Input((1,))
    hidden = layers.Dense(4, kernel_regularizer="l2", activity_regularizer="l2", name="a")(inputs)
    predicted = layers.Dense(1, name="b")(hidden)
    model = keras.Model([inputs, labels], _Endpoint(name="endpoint")(labels, predicted))
    model.compile(keras.optimizers.SGD(0.02), **options)
    return model


@pytest.mark.parametrize("eagerly", [False, True] if _BACKEND == "tensorflow" else [False])
def test_what_layers_add_is_the_data_loss_where_there_is_no_other(
    eagerly: bool, log_dir: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Values are those of NumPy, and no rule takes it for a penalty."""
    model = _model(run_eagerly=eagerly)
    first = [np.asarray(w, "float64") for w in model.get_weights()]
    model.fit([X, Y], batch_size=10, epochs=50, shuffle=False, verbose=0,
              callbacks=[RegularizationCallback(log_dir)])  # fmt: skip
    recorded = recording(log_dir)
    terms = {term.name: term for term in recorded.columns}
    assert terms["endpoint/add_loss"].role == "data"
    tells = _BACKEND == "tensorflow" and not eagerly
    assert terms["endpoint/add_loss (2)"].role == ("penalty" if tells else "data")
    assert (terms["a/kernel"].role, terms["a/activity"].role) == ("penalty", "penalty")
    kernel, bias, out, out_bias = first[:4]
    data = np.mean((Y[:10] - ((X[:10] @ kernel + bias) @ out + out_bias)) ** 2)
    names = [term.name for term in recorded.columns]
    row = dict(zip(names, recorded.values[0].tolist(), strict=True))
    assert row["endpoint/add_loss"] == pytest.approx(data, rel=1e-6)
    assert row["endpoint/add_loss (2)"] == 0.25
    assert row["total"] == pytest.approx(sum(row.values()) - row["total"], rel=1e-6)
    assert main(["check", log_dir, "--fail-on", "warning"]) == 0, capsys.readouterr().out


def test_beside_a_compiled_loss_they_are_penalties(log_dir: str) -> None:
    """As everywhere."""
    model = _model(loss="mse")
    model.fit([X, Y], Y, batch_size=10, verbose=0, callbacks=[RegularizationCallback(log_dir)])
    roles = {term.name: term.role for term in recording(log_dir).columns}
    assert [name for name, role in roles.items() if role == "data"] == ["data"]
    assert roles["endpoint/add_loss"] == "penalty"


def test_beside_a_compute_loss_of_ones_own_they_are_penalties(log_dir: str) -> None:
    """Which has the data loss."""

    class Own(keras.Model):
        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any
        ) -> Any:
            return ops.mean(ops.square(y_pred)) + sum(self.losses)

    plain = _model()
    model = Own(plain.inputs, plain.outputs)
    model.compile(keras.optimizers.SGD(0.02))
    model.fit([X, Y], batch_size=10, verbose=0, callbacks=[RegularizationCallback(log_dir)])
    roles = {term.name: term.role for term in recording(log_dir).columns}
    assert roles["endpoint/add_loss"] == "penalty"
