"""The recorded total is what a step trained on, on PyTorch and JAX.

Shapes of training steps as in https://keras.io/guides/custom_train_step_in_torch and
https://keras.io/guides/custom_train_step_in_jax.
"""

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback, load
from tests.keras_backend.models import X, Y

_BACKEND = keras.config.backend()
on_torch = pytest.mark.skipif(_BACKEND != "torch", reason="calls of backward")
on_jax = pytest.mark.skipif(_BACKEND != "jax", reason="functions that are differentiated")
BATCH, L2, RATE = 10, 0.1, 0.05


class Own(keras.Model):
    """A step that differentiates what ``compute_loss`` returns."""

    def train_step(self, data: Any) -> Any:
        """Does a step."""
        x, y, *_ = data
        self.zero_grad()
        loss = self.differentiate(x, y)
        self.finish()
        return {"loss": loss}

    def differentiate(self, x: Any, y: Any) -> Any:
        """Calls backward."""
        loss = self.compute_loss(x, y, self(x, training=True))
        loss.backward()
        return loss

    def finish(self) -> None:
        """Applies the gradients."""
        import torch

        with torch.no_grad():
            variables = self.trainable_variables
            self.optimizer.apply([variable.value.grad for variable in variables], variables)


class Twice(Own):
    """Penalties are added to what holds them."""

    def differentiate(self, x: Any, y: Any) -> Any:
        """Calls backward."""
        loss = self.compute_loss(x, y, self(x, training=True)) + sum(self.losses)
        loss.backward()
        return loss


class Unseen(Own):
    """Never calls ``compute_loss``, and leaves the penalty out."""

    def differentiate(self, x: Any, y: Any) -> Any:
        """Calls backward."""
        loss = keras.losses.MeanSquaredError()(y, self(x, training=True))
        loss.backward()
        return loss


class Accumulates(Own):
    """Four calls add up."""

    def differentiate(self, x: Any, y: Any) -> Any:
        """Calls backward."""
        for part in (slice(0, 5), slice(5, 10)):
            loss = super().compute_loss(x[part], y[part], self(x[part], training=True)) / 2
            loss.backward()
        return loss


class Sam(Own):
    """The gradients of a first pass are thrown away."""

    def differentiate(self, x: Any, y: Any) -> Any:
        """Calls backward."""
        (3 * self.compute_loss(x, y, self(x, training=True))).backward()
        self.zero_grad()
        return super().differentiate(x, y)


class Gan(Own):
    """Two losses, each applied."""

    def differentiate(self, x: Any, y: Any) -> Any:
        """Calls backward."""
        (-self.compute_loss(x, y, self(x, training=True))).backward()
        self.finish()
        self.zero_grad()
        return super().differentiate(x, y)


class Transformed(keras.Model):
    """A step on JAX."""

    factor = 1.0

    def train_step(self, state: Any, data: Any) -> Any:
        """Does a step."""
        import jax

        trainable, others, optimizer, metrics = state
        x, y, *_ = data

        def objective(*args: Any) -> Any:
            loss, aux = self.compute_loss_and_updates(
                *args, training=True, optimizer_variables=optimizer
            )
            return (loss if self.factor == 1.0 else self.factor * loss), aux

        differentiated = jax.value_and_grad(objective, has_aux=True)
        (loss, aux), gradients = differentiated(trainable, others, metrics, x, y, None)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        return {"loss": loss}, (trainable, others, optimizer, aux[3])


class Doubled(Transformed):
    """Differentiates another loss."""

    factor = 2.0


def _model(cls: Any) -> Any:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((5,))
    layer = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(L2), name="d")
    model = cls(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(RATE), "mse")
    return model


def _fit(model: Any, *callbacks: Any) -> list[bytes]:
    model.fit(X, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=list(callbacks))
    return [np.asarray(weight).tobytes() for weight in model.get_weights()]


def _recorded(cls: Any, log_dir: str) -> tuple[Any, list[str], float, float]:
    """Returns what was recorded, what was said, and the first step's data loss and penalty."""
    model = _model(cls)
    kernel, bias = model.get_weights()
    data = np.mean((X[:BATCH] @ kernel + bias - Y[:BATCH]) ** 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weights = _fit(model, RegularizationCallback(log_dir))
    assert weights == _fit(_model(cls))
    messages = [str(each.message) for each in caught if "tb_regplugin" in str(each.message)]
    return load(log_dir)["train"], messages, data, L2 * np.sum(kernel**2)


_TOTALS: dict[Any, Callable[[float, float], float]] = {
    Own: lambda data, penalty: data + penalty,
    Twice: lambda data, penalty: data + 2 * penalty,
    Accumulates: lambda data, penalty: data + penalty,
    Sam: lambda data, penalty: data + penalty,
}


@on_torch
@pytest.mark.parametrize("cls", _TOTALS)
def test_the_total_is_what_backward_was_called_on(cls: Any, log_dir: str) -> None:
    """To six digits of NumPy, with bit-equal weights."""
    recorded, messages, data, penalty = _recorded(cls, log_dir)
    assert not messages
    assert recorded.columns[0].role == "total"
    np.testing.assert_allclose(recorded.values[0, 0], _TOTALS[cls](data, penalty), rtol=2e-6)
    np.testing.assert_allclose(recorded.values[0, -1], penalty, rtol=2e-6)


@on_torch
def test_penalties_beside_a_known_total_are_recorded_at_every_step(log_dir: str) -> None:
    """Whether they are in it is not known: they are no parts of it."""
    recorded, messages, data, penalty = _recorded(Unseen, log_dir)
    assert not messages
    columns = [(term.role, term.name) for term in recorded.columns]
    assert columns == [("total", "total"), ("inside", "d/kernel")]
    np.testing.assert_allclose(recorded.values[0], [data, penalty], rtol=2e-6)
    assert np.isfinite(recorded.values).all()


@on_torch
def test_two_losses_have_no_total(log_dir: str) -> None:
    """One warning says so."""
    recorded, messages, _, penalty = _recorded(Gan, log_dir)
    assert [term.name for term in recorded.columns] == ["d/kernel"]
    (message,) = messages
    assert "can't tell what" in message
    np.testing.assert_allclose(recorded.values[0], [penalty], rtol=2e-6)


@on_jax
def test_a_known_loss_is_the_total(log_dir: str) -> None:
    """As in a step of Keras' own."""
    recorded, messages, data, penalty = _recorded(Transformed, log_dir)
    assert not messages
    assert [term.role for term in recorded.columns] == ["total", "data", "penalty"]
    np.testing.assert_allclose(recorded.values[0], [data + penalty, data, penalty], rtol=2e-6)


@on_jax
def test_another_loss_is_no_total(log_dir: str) -> None:
    """What compute_loss returned is recorded as that; one warning says so."""
    recorded, messages, data, penalty = _recorded(Doubled, log_dir)
    roles = [(term.role, term.name) for term in recorded.columns]
    assert roles == [("inside", "compute_loss"), ("inside", "data"), ("penalty", "d/kernel")]
    (message,) = messages
    assert "something other than what compute_loss returns" in message
    np.testing.assert_allclose(recorded.values[0], [data + penalty, data, penalty], rtol=2e-6)
