"""Training steps that others wrote, on TensorFlow, and what each trains on as NumPy has it.

Shapes of programs from outside, re-typed: penalties added beside ``compute_loss``
(tensorflow#43341, #33556, hunglc007/tensorflow-yolov4-tflite#369), an auxiliary loss
(https://keras.io/examples/vision/mnist_moe), gradient accumulation
(https://stackoverflow.com/q/66472201), two domains (https://keras.io/examples/vision/adamatch),
SAM (https://keras.io/examples/vision/sam), distillation
(https://keras.io/examples/vision/knowledge_distillation), gradient penalties and GANs
(https://keras.io/examples/generative/wgan_gp).
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from tests.keras_backend.models import X, Y, strategy_scope

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

BATCH = 12
L2, RHO, RATE = 0.1, 0.05, 0.05
MODES: dict[str, dict[str, Any]] = {
    "function": {},
    "xla": {"jit_compile": True},
    "three steps an execution": {"steps_per_execution": 3},
    "eager": {"run_eagerly": True},
}

Columns = dict[str, float]


class OwnStep(keras.Model):
    """A model whose ``train_step`` applies the gradient of its ``objective``."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        with tf.GradientTape() as tape:
            loss = self.objective(x, y)
        self.finish(tape.gradient(loss, self.trainable_variables))
        return {"loss": loss}

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return self.compute_loss(x, y, self(x, training=True))

    def finish(self, gradients: Any) -> None:
        """Uses the gradients."""
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))

    def gradients(self, x: Any, y: Any, factor: float = 1.0) -> Any:
        """Returns the gradients of one batch."""
        with tf.GradientTape() as tape:
            loss = factor * self.objective(x, y)
        return tape.gradient(loss, self.trainable_variables)


class Plain(keras.Model):
    """Keras' own step."""


class PenaltiesTwice(OwnStep):
    """``compute_loss`` holds them already."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return super().objective(x, y) + sum(self.losses)


class Auxiliary(OwnStep):
    """A second loss of the data, with a factor."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return super().objective(x, y) + 0.3 * tf.reduce_mean(tf.abs(self(x)))


class TwoBatches(OwnStep):
    """The batch's halves, as of two domains."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        half = BATCH // 2
        first = super().objective(x[:half], y[:half])
        return first + 0.5 * super().objective(x[half:], y[half:])


class Accumulates(OwnStep):
    """Gradients of four parts of the batch, added up."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        size, parts = BATCH // 4, []
        for first in range(0, BATCH, size):
            part = slice(first, first + size)
            parts.append(self.gradients(x[part], y[part]))
        self.finish(self.combined(parts))
        return {"loss": tf.zeros(())}

    def combined(self, parts: Any) -> Any:
        """Makes one of the gradients of the parts."""
        return [tf.add_n(each) for each in zip(*parts, strict=True)]


class AccumulatesMean(Accumulates):
    """Their mean."""

    def combined(self, parts: Any) -> Any:
        """Makes one of them."""
        return [tf.reduce_mean(tf.stack(each), axis=0) for each in zip(*parts, strict=True)]


class AccumulatesClipped(Accumulates):
    """Their mean, clipped by its norm."""

    def combined(self, parts: Any) -> Any:
        """Makes one of them."""
        mean = [sum(each) / len(parts) for each in zip(*parts, strict=True)]
        return tf.clip_by_global_norm(mean, 0.5)[0]


class Sam(OwnStep):
    """The gradient at weights that were moved towards a higher loss."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        gradients = self.gradients(x, y)
        norm = tf.linalg.global_norm(gradients)
        moves = [RHO * gradient / norm for gradient in gradients]
        for variable, move in zip(self.trainable_variables, moves, strict=True):
            variable.assign_add(move)
        gradients = self.gradients(x, y)
        for variable, move in zip(self.trainable_variables, moves, strict=True):
            variable.assign_sub(move)
        self.finish(gradients)
        return {"loss": tf.zeros(())}


class Distils(OwnStep):
    """A loss of one's own, without ``compute_loss``."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        answer = self(x, training=True)
        student = tf.reduce_mean(tf.square(y - answer))
        teacher = tf.reduce_mean(tf.square(answer - 0.5))
        return 0.4 * student + 0.6 * teacher + sum(self.losses)


class GradientPenalty(OwnStep):
    """An inner tape's gradient is a part of the loss."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            answer = self(x, training=True)
        slope = tape.gradient(answer, x)
        return super().objective(x, y) + 0.2 * tf.reduce_mean(tf.square(slope))


class TwoOptimisers(OwnStep):
    """One loss, and an optimiser for each variable."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        with tf.GradientTape(persistent=True) as tape:
            loss = self.objective(x, y)
        for optimizer, variable in zip(self.own_optimizers, self.trainable_variables, strict=True):
            optimizer.apply_gradients([(tape.gradient(loss, variable), variable)])
        return {"loss": loss}


class ByHand(OwnStep):
    """No optimiser."""

    def finish(self, gradients: Any) -> None:
        """Uses the gradients."""
        for variable, gradient in zip(self.trainable_variables, gradients, strict=True):
            variable.assign_sub(RATE * gradient)


class Gathers(OwnStep):
    """Gradients wait in variables, and are applied at every second step."""

    def finish(self, gradients: Any) -> None:
        """Uses the gradients."""
        for waiting, gradient in zip(self.waiting, gradients, strict=True):
            waiting.assign_add(gradient / 2)
        self.count.assign_add(1)

        def apply() -> None:
            super(Gathers, self).finish([tf.convert_to_tensor(each) for each in self.waiting])
            for waiting in self.waiting:
                waiting.assign(tf.zeros_like(waiting))

        tf.cond(self.count % 2 == 0, apply, lambda: None)


class Scaled(OwnStep):
    """Penalties twice, with a scaled loss."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        with tf.GradientTape() as tape:
            loss = self.objective(x, y) + sum(self.losses)
            scaled = self.optimizer.scale_loss(loss)
        self.finish(tape.gradient(scaled, self.trainable_variables))
        return {"loss": loss}


class InTurn(OwnStep):
    """Two losses, one after the other, for the same variables."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        for factor in (1.0, -0.5):
            self.finish(self.gradients(x, y, factor))
        return {"loss": tf.zeros(())}


def mse(weights: Any, x: Any, y: Any) -> Any:
    """Returns the mean squared error."""
    return np.mean((x @ weights[0] + weights[1] - y) ** 2)


def penalty_of(weights: Any) -> Any:
    """Returns the penalty of the kernel."""
    return L2 * np.sum(weights[0] ** 2)


def _plain(weights: Any, x: Any, y: Any) -> Columns:
    return {"data": mse(weights, x, y), "d/kernel": penalty_of(weights)}


def twice(weights: Any, x: Any, y: Any) -> Columns:
    """The penalty counts twice."""
    return {"data": mse(weights, x, y), "d/kernel": 2 * penalty_of(weights)}


def _auxiliary(weights: Any, x: Any, y: Any) -> Columns:
    extra = 0.3 * np.mean(np.abs(x @ weights[0] + weights[1]))
    return _plain(weights, x, y) | {"Mean": extra}


def _two_batches(weights: Any, x: Any, y: Any) -> Columns:
    half = BATCH // 2
    data = mse(weights, x[:half], y[:half]) + 0.5 * mse(weights, x[half:], y[half:])
    return {"data": data, "d/kernel": 1.5 * penalty_of(weights)}


def _sum_of_four(weights: Any, x: Any, y: Any) -> Columns:
    # Four means of equal parts.
    return {name: 4 * value for name, value in _plain(weights, x, y).items()}


def _moved(weights: Any, x: Any, y: Any) -> Columns:
    error = 2 * (x @ weights[0] + weights[1] - y) / y.size
    gradients = [x.T @ error + 2 * L2 * weights[0], error.sum(0)]
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
    moved = [w + RHO * g / norm for w, g in zip(weights, gradients, strict=True)]
    return _plain(moved, x, y)


def _distilled(weights: Any, x: Any, y: Any) -> Columns:
    return {
        "Mean": 0.4 * mse(weights, x, y),
        "Mean_1": 0.6 * mse(weights, x, np.full_like(y, 0.5)),
        "d/kernel": penalty_of(weights),
    }


def _with_slope(weights: Any, x: Any, y: Any) -> Columns:
    # A linear model's slope is one of its weights alone.
    return _plain(weights, x, y) | {"d/kernel (2)": 0.2 * np.mean(weights[0].sum(1) ** 2)}


PROGRAMS: Mapping[Any, Callable[[Any, Any, Any], Columns]] = {
    Plain: _plain,
    OwnStep: _plain,
    PenaltiesTwice: twice,
    Auxiliary: _auxiliary,
    TwoBatches: _two_batches,
    Accumulates: _sum_of_four,
    AccumulatesMean: _plain,
    AccumulatesClipped: _plain,
    Sam: _moved,
    Distils: _distilled,
    GradientPenalty: _with_slope,
    TwoOptimisers: _plain,
    ByHand: _plain,
    Gathers: _plain,
    Scaled: twice,
}
UNKNOWN_EAGERLY = (Accumulates, AccumulatesMean, AccumulatesClipped)


def compiled_model(
    cls: Any, mode: str = "function", scope: str = "one replica", dtype: str = "float32"
) -> keras.Model:
    """Returns a linear model of a class, ready to train."""
    keras.utils.set_random_seed(3)
    with strategy_scope(scope):
        inputs = keras.Input((5,))
        outputs = keras.layers.Dense(
            2,
            kernel_regularizer=keras.regularizers.L2(L2),
            bias_initializer="ones",
            name="d",
            dtype=dtype,
        )(inputs)
        model = cls(inputs, outputs)
        optimizer: Any = keras.optimizers.SGD(RATE)
        if dtype != "float32" or cls is Scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1024.0)
        model.compile(optimizer, "mse", **MODES[mode])
        model.own_optimizers = [keras.optimizers.SGD(RATE), keras.optimizers.Adam(RATE)]
        model.waiting = [tf.Variable(tf.zeros(v.shape)) for v in model.trainable_variables]
        model.count = tf.Variable(0)
    return model


def batches() -> Any:
    """The batches of an epoch."""
    for first in range(0, len(X) - BATCH + 1, BATCH):
        yield X[first : first + BATCH], Y[first : first + BATCH]


def fit(model: Any, *callbacks: Any) -> Any:
    """Trains an epoch; returns all bits of the weights."""
    whole = len(X) // BATCH * BATCH
    model.fit(
        X[:whole],
        Y[:whole],
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )
    return [weight.tobytes() for weight in model.get_weights()]


@functools.cache
def expected_rows(cls: Any, scope: str = "one replica") -> list[Columns]:
    """Trains batch by batch, and computes in NumPy what each step trains on."""
    model = compiled_model(cls, scope=scope)
    rows = []
    for x, y in batches():
        weights = [weight.astype("float64") for weight in model.get_weights()[:2]]
        rows.append(PROGRAMS[cls](weights, x, y))
        model.train_on_batch(x, y)
    return rows
