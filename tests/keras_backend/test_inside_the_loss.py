"""Three answers about a penalty: a summand of the loss, not in it, or in it but no summand.

Shapes of programs from outside, re-typed: flooding (arXiv 2002.08709), guards against NaN and
large losses, uncertainty weighting (arXiv 1705.07115), KL annealing (arXiv 1511.06349).
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from tb_regplugin import RegularizationCallback
from tb_regplugin.command_line import main
from tests.keras_backend.models import X, Y, column, recording

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="only TensorFlow has a graph to walk"
)
if keras.config.backend() == "tensorflow":
    import tensorflow as tf

L2 = 0.1


class Changed(keras.Model):
    """Minimises a function of what Keras computes."""

    change: Any = None

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the loss."""
        return self.change(super().compute_loss(*args, **kwargs))


class Annealed(keras.Model):
    """Adds the penalties with a factor that grows."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: Any = True,
    ) -> Any:
        """Returns the loss."""
        data = ops.mean(ops.square(y - y_pred))
        return data + self.schedule() * sum(self.losses)


class ByIterations(Annealed):
    """By the optimiser's steps."""

    def schedule(self) -> Any:
        """Returns the factor."""
        return ops.minimum(ops.cast(self.optimizer.iterations, "float32") / 4.0, 1.0)


class ByVariable(Annealed):
    """By a variable that Keras does not know."""

    def schedule(self) -> Any:
        """Returns the factor, and lets it grow."""
        factor = self.holder[0].read_value()
        self.holder[0].assign_add(0.25)
        return tf.minimum(factor, 1.0)


def _model(cls: Any) -> Any:
    keras.utils.set_random_seed(5)
    inputs = keras.Input((5,))
    layer = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(L2), name="o")
    model = cls(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def _fit(model: Any, log_dir: str) -> list[str]:
    """Trains, records, and returns what the columns are."""
    model.fit(
        X, Y, batch_size=10, shuffle=False, verbose=0, callbacks=[RegularizationCallback(log_dir)]
    )
    return [f"{term.role} {term.name}" for term in recording(log_dir).columns]


def _parts(weights: Any) -> tuple[Any, Any]:
    kernel, bias = weights
    return np.mean((X[:10] @ kernel + bias - Y[:10]) ** 2), L2 * np.sum(kernel**2)


_CHANGES: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "where": (lambda x: ops.where(ops.isfinite(x), x, 0.0), lambda x: x),
    "clip": (lambda x: ops.clip(x, 0.0, 100.0), lambda x: x),
    "minimum": (lambda x: ops.minimum(x, 100.0), lambda x: x),
    "log": (ops.log, np.log),
    "sqrt": (ops.sqrt, np.sqrt),
    "flooding": (lambda x: ops.abs(x - 0.2) + 0.2, lambda x: abs(x - 0.2) + 0.2),
}  # fmt: skip


@pytest.mark.parametrize("name", _CHANGES)
def test_a_penalty_within_a_function_is_in_the_loss_and_no_summand(
    name: str, log_dir: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is recorded as it is, the total is the function's, and no finding says it is missing."""
    change, expected = _CHANGES[name]
    model = _model(Changed)
    model.change = change
    data, penalty = _parts(model.get_weights())
    roles = _fit(model, log_dir)
    assert roles[0] == "total total"
    assert roles[1].startswith("data ")
    assert roles[2:] == ["inside data", "inside o/kernel"]
    recorded = recording(log_dir)
    total = expected(data + penalty)
    np.testing.assert_allclose(recorded.values[0], [total, total, data, penalty], rtol=2e-6)
    main(["check", log_dir])
    assert "not_in_loss" not in capsys.readouterr().out


@pytest.mark.parametrize("cls", [ByIterations, ByVariable])
def test_a_schedule_is_a_factor_whosever_variable_it_is(cls: Any, log_dir: str) -> None:
    """The penalty has the value that it adds at each step, and there is no other column."""
    model = _model(cls)
    model.holder = (tf.Variable(0.0, trainable=False),)
    _, penalty = _parts(model.get_weights())
    assert _fit(model, log_dir) == ["total total", "data data", "penalty o/kernel"]
    recorded = recording(log_dir)
    np.testing.assert_allclose(
        column(recorded, "total"), column(recorded, "data") + column(recorded, "o/kernel")
    )
    values = column(recorded, "o/kernel")
    assert values[0] == 0.0
    assert 0.2 * penalty < values[1] < 0.25 * penalty
    assert recorded.columns[2].coefficient is None
