"""What the data loss is for a model that guesses, where the compiled loss tells it."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, losses

from tb_regplugin import RegularizationCallback, Term, load
from tests.keras_backend.models import BATCH, X, recording

CLASSES = 4
_LABELS = np.random.RandomState(1).randint(0, CLASSES, len(X))
_ONE_HOT = np.eye(CLASSES, dtype="float32")[_LABELS]
_BITS = (_ONE_HOT + np.roll(_ONE_HOT, 1, 0) > 0).astype("float32")


def _guessing_model(**options: Any) -> keras.Model:
    """Returns a model that gives each class a logit of 0, and learns nothing."""
    output = layers.Dense(
        CLASSES, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(0.01)
    )
    model = keras.Sequential([keras.Input((5,)), output])
    model.compile(keras.optimizers.SGD(0.0), **options)
    return model


def _fit(model: keras.Model, log_dir: str, y: Any, **options: Any) -> None:
    model.fit(
        X, y, batch_size=BATCH, verbose=0, callbacks=[RegularizationCallback(log_dir)], **options
    )


def _levels(columns: list[Term]) -> list[float | None]:
    return [term.chance_level for term in columns if term.role == "data"]


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (losses.SparseCategoricalCrossentropy(from_logits=True), _LABELS),
        (losses.CategoricalCrossentropy(from_logits=True), _ONE_HOT),
        (losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2), _ONE_HOT),
        (losses.BinaryCrossentropy(from_logits=True), _BITS),
        (losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2), _BITS),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
@pytest.mark.parametrize("weight", [None, 0.5])
def test_the_level_is_what_a_model_that_guesses_pays(
    loss: Any, y: Any, weight: float | None, log_dir: str
) -> None:
    """As weighted in the total, in training and in validations, and for labels of any kind."""
    _fit(
        _guessing_model(loss=loss, loss_weights=weight),
        log_dir,
        y,
        validation_data=(X[:15], y[:15]),
    )
    for recorded in load(log_dir).values():
        (level,) = _levels(recorded.columns)
        assert level is not None
        np.testing.assert_allclose(recorded.values[:, 1], level, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "level"),
    [
        ("sparse_categorical_crossentropy", math.log(CLASSES)),
        ("categorical_crossentropy", math.log(CLASSES)),
        ("crossentropy", math.log(CLASSES)),
        ("binary_crossentropy", math.log(2)),
    ],
)
def test_a_loss_that_is_named_tells_it_as_well(loss: str, level: float, log_dir: str) -> None:
    """With probabilities."""
    inputs = keras.Input((5,))
    model = keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(inputs))
    model.compile("sgd", loss)
    _fit(model, log_dir, _LABELS if "sparse" in loss else _ONE_HOT)
    assert _levels(recording(log_dir).columns) == [level]


class _Halved(losses.CategoricalCrossentropy):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return 0.5 * super().call(y_true, y_pred)


def categorical_crossentropy(y_true: Any, y_pred: Any) -> Any:
    """A loss of the user's own that is called like one of Keras."""
    return 3.0 * keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("mse", _ONE_HOT),
        (losses.CategoricalFocalCrossentropy(from_logits=True), _ONE_HOT),
        (losses.BinaryFocalCrossentropy(from_logits=True), _BITS),
        (losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0), _LABELS),
        (losses.CategoricalCrossentropy(from_logits=True, reduction="sum"), _ONE_HOT),
        (_Halved(from_logits=True), _ONE_HOT),
        (categorical_crossentropy, _ONE_HOT),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_no_level_is_told_of_a_loss_that_has_another_one(loss: Any, y: Any, log_dir: str) -> None:
    """Or none at all."""
    _fit(_guessing_model(loss=loss), log_dir, y)
    assert _levels(recording(log_dir).columns) == [None]


@pytest.mark.parametrize("options", [{"class_weight": {0: 3.0}}, {"sample_weight": X[:, 0] ** 2}])
def test_no_level_is_told_where_examples_have_weights(
    options: dict[str, Any], log_dir: str
) -> None:
    """They are another one in each batch."""
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    _fit(_guessing_model(loss=loss), log_dir, _LABELS, **options)
    assert _levels(recording(log_dir).columns) == [None]


def test_each_output_has_a_level_of_its_own(log_dir: str) -> None:
    """As weighted; one that is not known leaves the others alone."""
    inputs = keras.Input((5,))
    heads = [layers.Dense(n, name=name)(inputs) for n, name in ((3, "kind"), (1, "size"))]
    model = keras.Model(inputs, heads)
    kind = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", {"kind": kind, "size": "mse"}, loss_weights={"kind": 2.0, "size": 1.0})
    _fit(model, log_dir, [_LABELS % 3, X[:, :1]])
    assert _levels(recording(log_dir).columns) == [2.0 * math.log(3), None]


class Pairs(keras.Model):
    """A model whose classes are the examples of its batch."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.01))

    def call(self, x: Any) -> Any:
        """Returns how near each example is to each other one."""
        embedded = self.dense(x)
        return embedded @ keras.ops.transpose(embedded)


@pytest.mark.parametrize("is_eager", [False, True])
def test_validations_with_batches_of_several_levels_have_none(is_eager: bool, log_dir: str) -> None:
    """Where the classes are the batch's examples, and the last batch is smaller."""
    model = Pairs()
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=is_eager)
    places = np.arange(len(X)) % BATCH
    _fit(model, log_dir, places, shuffle=False, validation_data=(X[:15], places[:15]))
    recordings = load(log_dir)
    assert len(recordings["validation"].steps) == 1
    assert _levels(recordings["validation"].columns) == [None]
    assert len(recordings["train"].steps) == len(X) // BATCH
