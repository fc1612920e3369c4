"""What a Keras model's losses are called, and what they are said to be."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, regularizers

from tb_regplugin import RegularizationCallback, Term
from tb_regplugin.capture.keras.terms import describe_regularizer
from tests.keras_backend.models import activity_divisor, compiled_model, fit, recording


class _SubclassedL2(regularizers.L2):
    pass


class _OtherwiseL2(regularizers.L2):
    def __call__(self, x: Any) -> Any:
        return 3.0 * super().__call__(x)


def _own(weights: Any) -> Any:
    return keras.ops.sum(weights)


@pytest.mark.parametrize(
    ("regularizer", "form"),
    [
        (regularizers.L1(0.01), ("l1", 0.01, 0.01)),
        (regularizers.L2(0.001), ("l2", 0.001, 0.001)),
        (regularizers.L1L2(0.1, 0.2), ("l1_l2", (0.1, 0.2), None)),
        (regularizers.OrthogonalRegularizer(0.03), ("orthogonal", 0.03, None)),
        (_SubclassedL2(0.5), ("l2", 0.5, 0.5)),
        (_OtherwiseL2(0.5), ("custom", None, None)),
        (_own, ("custom", None, None)),
        (lambda weights: 0.0, ("custom", None, None)),
    ],
)
def test_a_regulariser_is_described_as_the_user_wrote_it(regularizer: Any, form: Any) -> None:
    """Strengths are those of the program, though Keras keeps some in float32."""
    assert tuple(describe_regularizer(regularizer)) == form


def _columns(model: Any, log_dir: str) -> list[Term]:
    model.compile("sgd", "mse")
    x = np.ones((4, 3), "float32")
    model.fit(x, x[:, :1], verbose=0, callbacks=[RegularizationCallback(log_dir)])
    return recording(log_dir).columns[2:]


def test_each_column_carries_kind_strength_variable_and_size(log_dir: str) -> None:
    """What a viewer needs to know is in the recording."""
    fit(compiled_model(), RegularizationCallback(log_dir))
    columns = recording(log_dir).columns
    assert columns == [
        Term("total", role="total"),
        Term("data", role="data"),
        Term("extra/add_loss", kind="add_loss"),
        Term("b/activity", kind="activity", strength=0.04),
        Term("a/kernel", "penalty", "l1", 0.01, 0.01, "a/kernel", (5, 6), 30),
        Term("a/bias", "penalty", "l2", 0.1, 0.1, "a/bias", (6,), 6),
        Term("b/kernel", "penalty", "l1_l2", (0.02, 0.03), None, "b/kernel", (6, 4), 24),
        Term("c/kernel", "penalty", "orthogonal", 0.05, None, "c/kernel", (4, 2), 8),
    ]


def test_the_models_own_name_is_left_out(log_dir: str) -> None:
    """Runs line up, though Keras numbers its Sequential models."""
    model = keras.Sequential(
        [
            layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1", name="first"),
            keras.Sequential(
                [layers.Dense(1, kernel_regularizer=_OtherwiseL2(0.1), name="last")], name="head"
            ),
        ]
    )
    columns = _columns(model, log_dir)
    assert [term.name for term in columns] == [
        "first/activity",
        "first/kernel",
        "head/last/kernel",
    ]
    assert columns[1].variable == f"{model.name}/first/kernel"
    assert columns[2].kind == "custom"


def test_a_layer_called_like_its_model_keeps_its_name(log_dir: str) -> None:
    """Only the model's own name is left out."""
    inputs = keras.Input((3,))
    layer = layers.Dense(1, kernel_regularizer="l2", name="same")
    model = keras.Model(inputs, layer(inputs), name="same")
    assert [term.name for term in _columns(model, log_dir)] == ["same/kernel"]


def test_terms_of_one_name_are_numbered(log_dir: str) -> None:
    """A layer that is called twice, or adds two losses, has distinct terms."""

    class AddsTwo(layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(keras.ops.sum(x))
            self.add_loss(2 * keras.ops.sum(x))
            return x

    inputs = keras.Input((3,))
    x = AddsTwo(name="two")(inputs)
    model = keras.Model(inputs, layers.Dense(1)(x))
    assert [term.name for term in _columns(model, log_dir)] == [
        "two/add_loss",
        "two/add_loss (2)",
    ]


def test_a_layer_with_both_kinds_of_loss_tells_them_apart(log_dir: str) -> None:
    """What ``call`` adds comes first, the activity term after it."""

    class AddsOne(layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(7 * keras.ops.mean(x))
            return x

    inputs = keras.Input((3,))
    x = AddsOne(activity_regularizer=regularizers.L1(0.5), name="both")(inputs)
    model = keras.Model(inputs, layers.Dense(1)(x))
    columns = _columns(model, log_dir)
    assert [(term.name, term.kind) for term in columns] == [
        ("both/add_loss", "add_loss"),
        ("both/activity", "activity"),
    ]
    expected = [7.0, 6.0 / activity_divisor(4)]
    np.testing.assert_allclose(recording(log_dir).values[0, 2:], expected, rtol=1e-6)


def test_a_subclassed_model_names_its_own_add_loss(log_dir: str) -> None:
    """What the model itself adds has no layer's name before it."""

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1, kernel_regularizer="l1", name="dense")

        def call(self, x: Any) -> Any:
            self.add_loss(keras.ops.mean(x))
            return self.dense(x)

    assert [term.name for term in _columns(Own(), log_dir)] == ["add_loss", "dense/kernel"]
