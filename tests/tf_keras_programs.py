"""Training steps of tf_keras models, and what they train on, computed in NumPy.

Shapes of programs from outside, re-typed: ``compiled_loss`` without ``compute_loss``
(tensorflow/tensorflow#43341, hunglc007/tensorflow-yolov4-tflite#369), a loss function alone
(tensorflow/tensorflow#33556), gradient accumulation (https://stackoverflow.com/q/66472201), and
those of ``tests/keras_backend/own_steps.py``.
"""

import functools
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

BATCH, HALF = 12, 6
L2, RATE = 0.1, 0.05
_random = np.random.RandomState(0)
X = _random.randn(5 * BATCH, 5).astype("float32")
Y = _random.randn(5 * BATCH, 2).astype("float32")
MODES: dict[str, dict[str, Any]] = {
    "function": {},
    "xla": {"jit_compile": True},
    "three steps an execution": {"steps_per_execution": 3},
    "eager": {"run_eagerly": True},
}

Columns = dict[str, float]


class OwnStep(tf_keras.Model):
    """A model whose ``train_step`` applies the gradient of its ``objective``."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        self.finish(self.gradients(x, y))
        return {"loss": tf.zeros(())}

    def gradients(self, x: Any, y: Any) -> Any:
        """Returns the gradients of a batch."""
        with tf.GradientTape() as tape:
            loss = self.objective(x, y)
        return tape.gradient(loss, self.trainable_variables)

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return self.compute_loss(x, y, self(x, training=True))

    def finish(self, gradients: Any) -> None:
        """Uses the gradients."""
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))


class Plain(tf_keras.Model):
    """Keras' own step."""


class PenaltiesTwice(OwnStep):
    """``compute_loss`` holds them already."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return super().objective(x, y) + tf.add_n(self.losses)


class PenaltiesTwiceByHand(OwnStep):
    """So does ``compiled_loss``, of which this asks for them."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        losses = self.losses
        answer = self(x, training=True)
        return self.compiled_loss(y, answer, regularization_losses=losses) + sum(losses)


class AsksForAll(OwnStep):
    """The step of TensorFlow's guides before 2.9."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        answer = self(x, training=True)
        return self.compiled_loss(y, answer, None, self.losses)


class AsksForData(OwnStep):
    """The penalties are added by hand."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return self.compiled_loss(y, self(x, training=True)) + tf.add_n(self.losses)


class Forgets(OwnStep):
    """The penalties are not in the loss."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return tf_keras.losses.MeanSquaredError()(y, self(x, training=True))


class ForgetsToo(OwnStep):
    """And not in this one."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return self.compiled_loss(y, self(x, training=True))


class Auxiliary(OwnStep):
    """A second loss of the data, with a factor."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return super().objective(x, y) + 0.3 * tf.reduce_mean(tf.abs(self(x)))


class OwnComputeLoss(tf_keras.Model):
    """Half of what Keras has, and the penalties whole."""

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the loss."""
        return 0.5 * super().compute_loss(*args, **kwargs) + 0.5 * sum(self.losses)


class TwoBatches(OwnStep):
    """The batch's halves, as of two domains."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        first = super().objective(x[:HALF], y[:HALF])
        return first + 0.5 * super().objective(x[HALF:], y[HALF:])


class Accumulates(OwnStep):
    """Gradients of both halves of the batch, added up."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        parts = [self.gradients(x[part], y[part]) for part in (slice(HALF), slice(HALF, None))]
        self.finish([tf.add_n(each) for each in zip(*parts, strict=True)])
        return {"loss": tf.zeros(())}


class Scaled(OwnStep):
    """Penalties twice, with a scaled loss."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        with tf.GradientTape() as tape:
            loss = self.objective(x, y) + sum(self.losses)
            scaled = self.optimizer.get_scaled_loss(loss)
        gradients = tape.gradient(scaled, self.trainable_variables)
        self.finish(self.optimizer.get_unscaled_gradients(gradients))
        return {"loss": loss}


class Minimises(OwnStep):
    """A function is minimised; its loss is scaled, too."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        self.optimizer.minimize(lambda: self.objective(x, y), self.trainable_variables)
        return {"loss": tf.zeros(())}


class InTurn(OwnStep):
    """Two losses, one after the other, for all variables."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        for part in (slice(0, 4), slice(4, None)):
            self.finish(self.gradients(x[part], y[part]))
        return {"loss": tf.zeros(())}


class Gan(OwnStep):
    """Two losses, each for one of the layers."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        kernel, bias = self.trainable_variables
        for optimizer, variable, factor in zip(
            self.own_optimizers, (kernel, bias), (1, -1), strict=True
        ):
            with tf.GradientTape() as tape:
                loss = factor * self.objective(x, y)
            optimizer.apply_gradients([(tape.gradient(loss, variable), variable)])
        return {"loss": loss}


def mse(weights: Any, x: Any, y: Any) -> Any:
    """Returns the data loss."""
    return np.mean((x @ weights[0] + weights[1] - y) ** 2)


def penalty_of(weights: Any) -> Any:
    """Returns the penalty, once."""
    return L2 * np.sum(weights[0] ** 2)


def _times(data: float, penalty: float, weights: Any, x: Any, y: Any) -> Columns:
    return {"data": data * mse(weights, x, y), "d/kernel": penalty * penalty_of(weights)}


def _auxiliary(weights: Any, x: Any, y: Any) -> Columns:
    extra = 0.3 * np.mean(np.abs(x @ weights[0] + weights[1]))
    return _times(1, 1, weights, x, y) | {"Mean": extra}


def _two_batches(second: float, weights: Any, x: Any, y: Any) -> Columns:
    data = mse(weights, x[:HALF], y[:HALF]) + second * mse(weights, x[HALF:], y[HALF:])
    return {"data": data, "d/kernel": (1 + second) * penalty_of(weights)}


_plain = functools.partial(_times, 1, 1)
twice = functools.partial(_times, 1, 2)
forgotten = functools.partial(_times, 1, 0)
PROGRAMS: Mapping[Any, Callable[[Any, Any, Any], Columns]] = {
    Plain: _plain,
    OwnStep: _plain,
    PenaltiesTwice: twice,
    PenaltiesTwiceByHand: twice,
    AsksForAll: _plain,
    AsksForData: _plain,
    Forgets: forgotten,
    ForgetsToo: forgotten,
    Auxiliary: _auxiliary,
    OwnComputeLoss: functools.partial(_times, 0.5, 1),
    TwoBatches: functools.partial(_two_batches, 0.5),
    Accumulates: functools.partial(_two_batches, 1.0),
    Scaled: twice,
    Minimises: _plain,
}


class Shrinks(OwnStep):
    """No loss that could be seen."""

    def train_step(self, data: Any) -> Any:
        """Does a step without gradients."""
        for variable in self.trainable_variables:
            variable.assign(0.9 * variable)
        return {"loss": tf.zeros(())}


class Branches(PenaltiesTwice):
    """AutoGraph makes operations of its Python."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        loss = super().objective(x, y)
        if tf.reduce_sum(x) > 1e6:
            loss = 2 * loss
        return loss


def compiled_model(
    cls: Any, mode: str = "function", legacy: bool = False, scope: Any = None, dtype: Any = None
) -> Any:
    """Returns a linear model of a class, ready to train."""
    tf_keras.utils.set_random_seed(3)
    with scope or nullcontext():
        inputs = tf_keras.Input((5,))
        outputs = tf_keras.layers.Dense(
            2,
            kernel_regularizer=tf_keras.regularizers.L2(L2),
            bias_initializer="ones",
            name="d",
            dtype=dtype,
        )(inputs)
        model = cls(inputs, outputs)
        optimizers = tf_keras.optimizers
        make = optimizers.legacy.SGD if legacy else optimizers.SGD
        optimizer = make(RATE)
        if cls in (Scaled, Minimises) or dtype is not None:
            scaled = tf_keras.mixed_precision.LossScaleOptimizer
            optimizer = scaled(optimizer, initial_scale=1024.0)
        model.compile(optimizer, "mse", **MODES[mode])
        model.own_optimizers = [make(RATE), make(RATE)]
    return model


def fit(model: Any, *callbacks: Any) -> Any:
    """Trains, and returns the history and the weights."""
    history = model.fit(X, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[*callbacks])
    return history.history, [weight.tobytes() for weight in model.get_weights()]


@functools.cache
def expected_rows(cls: Any) -> list[Columns]:
    """Trains batch by batch, and computes in NumPy what each step trains on."""
    model, rows = compiled_model(cls), []
    for first in range(0, len(X), BATCH):
        x, y = X[first : first + BATCH], Y[first : first + BATCH]
        weights = [weight.astype("float64") for weight in model.get_weights()]
        rows.append(PROGRAMS[cls](weights, x, y))
        model.train_on_batch(x, y)
    return rows
