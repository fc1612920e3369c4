"""What several replicas train on is the sum of what each of them does."""

from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback, load
from tests.keras_backend.models import X, Y
from tests.keras_backend.own_steps import (
    BATCH,
    L2,
    OwnStep,
    PenaltiesTwice,
    Plain,
    compiled_model,
    fit,
    mse,
    penalty_of,
)

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="a strategy is TensorFlow's"
)


def test_two_replicas_add_up(log_dir: str) -> None:
    """A loss of the user's own that is not divided by the replicas has its penalties of each."""
    model = compiled_model(PenaltiesTwice, scope="two replicas")
    fit(model, RegularizationCallback(log_dir))
    weights = compiled_model(PenaltiesTwice).get_weights()
    recorded = load(log_dir)["train"]
    expected = [mse(weights, X[:BATCH], Y[:BATCH]), 3 * penalty_of(weights)]
    assert [term.name for term in recorded.columns] == ["total", "data", "d/kernel"]
    np.testing.assert_allclose(recorded.values[0], [sum(expected), *expected], rtol=2e-6)
    assert fit(compiled_model(PenaltiesTwice, scope="two replicas")) == [
        weight.tobytes() for weight in model.get_weights()
    ]


class Forgets(OwnStep):
    """The penalties are not in its loss."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return keras.losses.MeanSquaredError()(y, self(x, training=True))


class Logarithm(OwnStep):
    """They are in it, and are no summands."""

    def objective(self, x: Any, y: Any) -> Any:
        """Returns what is differentiated."""
        return keras.ops.log(super().objective(x, y))


class HalfOfKeras(keras.Model):
    """A ``compute_loss`` of its own."""

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Returns half of what Keras adds up, and so half of each penalty."""
        return 0.5 * super().compute_loss(*args, **kwargs)


@pytest.mark.parametrize(
    ("cls", "roles", "factor", "coefficient"),
    [
        (Forgets, {"data", "unused"}, 1, None),
        (Logarithm, {"data", "inside"}, 1, None),
        (HalfOfKeras, {"data", "penalty"}, 0.5, 0.5 * L2),
        (Plain, {"data", "penalty"}, 1, L2),
    ],
)
def test_terms_of_two_replicas_are_those_of_one_model(
    cls: Any, roles: set[str], factor: float, coefficient: float | None, log_dir: str
) -> None:
    """Values and coefficients are not multiplied by the replicas, in the loss or not."""
    model = compiled_model(cls, scope="two replicas")
    weights = model.get_weights()
    fit(model, RegularizationCallback(log_dir))
    recorded = load(log_dir)["train"]
    total, *terms = recorded.columns
    assert total.role == "total"
    assert {term.role for term in terms} == roles
    kernel = terms[-1]
    assert kernel.name == "d/kernel"
    if coefficient is not None:
        assert kernel.coefficient == pytest.approx(coefficient)
    expected = [factor * mse(weights, X[:BATCH], Y[:BATCH]), factor * penalty_of(weights)]
    np.testing.assert_allclose(recorded.values[0, -2:], expected, rtol=2e-6)
