"""Training steps of programs from outside: the recorded total and parts against NumPy.

Shapes, re-typed, of steps that never call ``compute_loss`` (https://keras.io/examples/vision/simsiam,
https://keras.io/examples/generative/vq_vae), of losses that are no scalars
(https://keras.io/examples/generative/ddim), of penalties written by hand
(https://github.com/stijani/elastic-weight-consolidation-tf2), of weights of a loss that follow the
step (https://keras.io/examples/vision/adamatch), of accumulation that applies in a branch
(https://stackoverflow.com/q/66472201), of an optimiser that changes gradients
(https://keras.io/examples/vision/gradient_centralization), and of several updates in one step
(https://keras.io/examples/vision/image_captioning, https://keras.io/examples/generative/wgan_gp),
and of gradients of each sample (https://github.com/tensorflow/privacy).
"""

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback, load
from tb_regplugin.command_line import main
from tests.keras_backend.models import X, Y

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="only TensorFlow has gradient tapes"
)
if keras.config.backend() == "tensorflow":
    import tensorflow as tf

BATCH, L2, RATE = 10, 0.1, 0.05
_MODES: dict[str, dict[str, Any]] = {
    "function": {},
    "xla": {"jit_compile": True},
    "eager": {"run_eagerly": True},
}
Columns = dict[tuple[str, str], Any]


class _Own(keras.Model):
    """Differentiates its ``objective`` and never calls ``compute_loss``."""

    def train_step(self, data: Any) -> Any:
        x, y, *_ = data
        with tf.GradientTape() as tape:
            loss = self.objective(x, y)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}

    def objective(self, x: Any, y: Any) -> Any:
        return tf.reduce_mean((self(x, training=True) - y) ** 2)


class _EachSample(_Own):
    def objective(self, x: Any, y: Any) -> Any:
        return tf.reduce_mean((self(x, training=True) - y) ** 2, axis=1) + sum(self.losses)


class _Commitment(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        self.add_loss(0.3 * keras.ops.mean(keras.ops.abs(x)))
        return x


class _AddsLoss(_Own):
    commitment = True

    def objective(self, x: Any, y: Any) -> Any:
        return super().objective(x, y) / 0.7 + sum(self.losses)


class _ByHand(_Own):
    """The loss that ``compute_loss`` returns, and a penalty by hand: no squares, no batch."""

    def objective(self, x: Any, y: Any) -> Any:
        kernel, _ = self.trainable_variables
        groups = tf.reduce_sum(tf.sqrt(tf.reduce_sum(kernel.value**2, axis=1)))
        return self.compute_loss(x, y, self(x, training=True)) + 0.2 * groups


class _Grows(_Own):
    def objective(self, x: Any, y: Any) -> Any:
        weight = tf.cast(self.count, tf.float32) / 7.0
        self.count.assign_add(1)
        return super().objective(x, y) + weight * tf.reduce_mean(tf.abs(self(x))) + self.losses[0]


class _AppliesInBranch(keras.Model):
    def train_step(self, data: Any) -> Any:
        x, y, *_ = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        for waiting, gradient in zip(self.waiting, gradients, strict=True):
            waiting.assign_add(gradient)
        self.count.assign_add(1)
        tf.cond(self.count % 3 == 0, self.apply_waiting, lambda: None)
        return {"loss": loss}

    def apply_waiting(self) -> None:
        self.optimizer.apply_gradients(zip(self.waiting, self.trainable_variables, strict=True))
        for waiting in self.waiting:
            waiting.assign(tf.zeros_like(waiting))


class Centralized(keras.optimizers.SGD):
    """Takes their mean from gradients."""

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Applies what it makes of them."""
        centred = [g - tf.reduce_mean(g, axis=0, keepdims=True) for g in grads]
        return super().apply(centred, trainable_variables)


class _Centred(keras.Model):
    own_optimizer = True


class _UpdatesTwice(_Own):
    """One optimiser, several losses, one after the other."""

    def train_step(self, data: Any) -> Any:
        x, y, *_ = data
        super().train_step((x[:5], y[:5]))
        return super().train_step((x[5:], y[5:]))


class _Private(_Own):
    """Gradients of each sample, each cut to a length."""

    def train_step(self, data: Any) -> Any:
        x, y, *_ = data
        with tf.GradientTape() as tape:
            losses = tf.reduce_mean((self(x, training=True) - y) ** 2, axis=1)
        gradients = tape.jacobian(losses, self.trainable_variables)
        squares = [tf.reduce_sum(tf.reshape(g, [BATCH, -1]) ** 2, axis=1) for g in gradients]
        factors = 1.0 / tf.maximum(tf.sqrt(tf.add_n(squares)), 1.0)
        gradients = [tf.tensordot(factors, g, 1) / BATCH for g in gradients]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": tf.reduce_mean(losses)}


def _mse(weights: Any, x: Any, y: Any) -> Any:
    return np.mean((x @ weights[0] + weights[1] - y) ** 2)


def _penalty(weights: Any) -> Any:
    return L2 * np.sum(weights[0] ** 2)


def _absolute(weights: Any, x: Any) -> Any:
    return np.mean(np.abs(x @ weights[0] + weights[1]))


def _plain(weights: Any, x: Any, y: Any, step: int) -> Columns:
    return {("data", "data"): _mse(weights, x, y), ("penalty", "d/kernel"): _penalty(weights)}


def _without(weights: Any, x: Any, y: Any, step: int) -> Columns:
    return {("data", "data"): _mse(weights, x, y), ("unused", "d/kernel"): _penalty(weights)}


def _summed(weights: Any, x: Any, y: Any, step: int) -> Columns:
    # Of each sample's loss, nothing can be told apart; what is differentiated is their sum.
    loss = _mse(weights, x, y) + _penalty(weights)
    return {("data", "data"): BATCH * loss, ("inside", "d/kernel"): _penalty(weights)}


def _committed(weights: Any, x: Any, y: Any, step: int) -> Columns:
    columns = _plain(weights, x, y, step)
    columns["data", "data"] /= 0.7
    return columns | {("data", "c/add_loss"): 0.3 * _absolute(weights, x)}


def _grouped(weights: Any, x: Any, y: Any, step: int) -> Columns:
    groups = 0.2 * np.sum(np.sqrt(np.sum(weights[0] ** 2, 1)))
    return _plain(weights, x, y, step) | {("penalty", "d/kernel (2)"): groups}


def _growing(weights: Any, x: Any, y: Any, step: int) -> Columns:
    return {
        ("data", "Mean"): _mse(weights, x, y),
        ("data", "Mean_1"): step / 7 * _absolute(weights, x),
        ("penalty", "d/kernel"): _penalty(weights),
    }


_PROGRAMS: Mapping[Any, Callable[[Any, Any, Any, int], Columns]] = {
    _Own: _without,
    _EachSample: _summed,
    _AddsLoss: _committed,
    _ByHand: _grouped,
    _Grows: _growing,
    _AppliesInBranch: _plain,
    _Centred: _plain,
}


def _model(cls: Any, mode: str = "function") -> Any:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((5,))
    regularizer = keras.regularizers.L2(L2)
    x = keras.layers.Dense(2, kernel_regularizer=regularizer, bias_initializer="ones", name="d")(
        inputs
    )
    if hasattr(cls, "commitment"):
        x = _Commitment(name="c")(x)
    model = cls(inputs, x, name="m")
    optimizer = Centralized if hasattr(cls, "own_optimizer") else keras.optimizers.SGD
    # Models whose step has no use for a compiled loss have none, as in their sources.
    loss = None if cls in (_Own, _EachSample, _AddsLoss, _Grows) else "mse"
    model.compile(optimizer(RATE), loss, **_MODES[mode])
    model.optimizer.build(model.trainable_variables)
    model.waiting = [tf.Variable(tf.zeros(v.shape)) for v in model.trainable_variables]
    model.count = tf.Variable(0)
    return model


def _fit(model: Any, *callbacks: Any) -> list[bytes]:
    options: Any = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    model.fit(X, Y, callbacks=list(callbacks), **options)
    return [weight.tobytes() for weight in model.get_weights()]


@functools.cache
def _expected(cls: Any) -> list[Columns]:
    """Trains batch by batch, and computes in NumPy what each step trains on."""
    model = _model(cls)
    rows = []
    for step, first in enumerate(range(0, len(X), BATCH)):
        x, y = X[first : first + BATCH], Y[first : first + BATCH]
        weights = [weight.astype("float64") for weight in model.get_weights()[:2]]
        rows.append(_PROGRAMS[cls](weights, x, y, step))
        model.train_on_batch(x, y)
    return rows


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("cls", _PROGRAMS)
def test_total_parts_and_findings(
    cls: Any, mode: str, log_dir: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """To six digits at every step; weights are bit-equal; no finding says what is not so."""
    plain = _fit(_model(cls, mode))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*can't tell.*")
        assert _fit(_model(cls, mode), RegularizationCallback(log_dir)) == plain
    recorded = load(log_dir)["train"]
    columns = [(term.role, term.name) for term in recorded.columns]
    values = dict(zip(columns, recorded.values.T, strict=True))
    expected = _expected(cls)
    parts = {key: [row[key] for row in expected] for key in expected[0]}
    total = np.sum([parts[key] for key in parts if key[0] in ("data", "penalty")], axis=0)
    np.testing.assert_allclose(values.pop(("total", "total")), total, rtol=5e-6)
    if mode == "eager":
        # Without a graph, whether and how often the loss holds a term is not known.
        parts = parts | {("inside", name): column for (_, name), column in parts.items()}
        assert values
    else:
        assert set(values) == set(parts)
    for key, column in values.items():
        np.testing.assert_allclose(column, parts[key], rtol=5e-6)
    main(["check", log_dir])
    text = capsys.readouterr().out
    expected_rules = {
        (_Own, "function"): "not_in_loss:",
        (_Own, "xla"): "not_in_loss:",
        # A part that is no entry of the model is seen as what is left.
        (_ByHand, "eager"): "does_not_add_up:",
    }
    assert expected_rules.get((cls, mode), "No findings") in text


@pytest.mark.parametrize("mode", ["function", "eager"])
@pytest.mark.parametrize("cls", [_UpdatesTwice, _Private])
def test_several_losses_have_no_total(cls: Any, mode: str, log_dir: str) -> None:
    """One warning says so, and the penalty is that of the weights with which steps begin."""
    with pytest.warns(RuntimeWarning, match=r"can't tell.*Recorder") as caught:
        weights = _fit(_model(cls, mode), RegularizationCallback(log_dir))
    assert len([each for each in caught if "tb_regplugin" in str(each.message)]) == 1
    model = _model(cls, mode)
    expected = []
    for first in range(0, len(X), BATCH):
        expected.append([_penalty(model.get_weights())])
        model.train_on_batch(X[first : first + BATCH], Y[first : first + BATCH])
    assert [weight.tobytes() for weight in model.get_weights()] == weights
    recorded = load(log_dir)["train"]
    assert [(term.role, term.name) for term in recorded.columns] == [("penalty", "d/kernel")]
    np.testing.assert_allclose(recorded.values, expected, rtol=5e-6)
