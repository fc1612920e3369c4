"""A ``compute_loss`` of the user's own is recorded as what it adds up."""

from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback, Term, load
from tests.keras_backend.models import (
    BATCH,
    BATCHES,
    NAMES,
    X,
    Y,
    column,
    compiled_model,
    expected_losses,
    fit,
    recording,
)

_IS_TF = keras.config.backend() == "tensorflow"
_MODES = {
    "tensorflow": [{}, {"jit_compile": True}, {"steps_per_execution": 3}],
}.get(keras.config.backend(), [{}])
_PENALTIES = NAMES[2:]


class Own(keras.Model):
    """Adds everything up itself, half of the penalties, and one that is in no list."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: Any = True,
    ) -> Any:
        """Returns the loss."""
        kernel = self.trainable_variables[0]
        extra = 0.02 * keras.ops.sum(keras.ops.square(kernel))
        data = 2 * keras.ops.mean(keras.ops.square(y - y_pred))
        return data + 0.5 * sum(self.losses) + extra


class Scaled(keras.Model):
    """Takes a quarter of what Keras computes."""

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the loss."""
        return 0.25 * super().compute_loss(*args, **kwargs)


class Forgets(keras.Model):
    """Leaves the penalties out."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: Any = True,
    ) -> Any:
        """Returns the loss."""
        return keras.ops.mean(keras.ops.square(y - y_pred))


def _recordings(cls: Any, log_dir: str, **options: Any) -> Any:
    plain = compiled_model()
    model = cls(plain.inputs, plain.outputs)
    model.compile("sgd", "mse", **options)
    first = expected_losses(model.get_weights(), X[:10], Y[:10])
    fit(model, RegularizationCallback(log_dir), validation_data=(X[:20], Y[:20]))
    return load(log_dir), first


@pytest.mark.skipif(not _IS_TF, reason="only TensorFlow has a graph to walk")
@pytest.mark.parametrize("options", _MODES)
def test_its_parts_are_found_in_the_graph(options: Any, log_dir: str) -> None:
    """Data, each entry of model.losses with its factor, and what is in no list."""
    recordings, first = _recordings(Own, log_dir, **options)
    recorded = recordings["train"]
    names = ["total", "data", *_PENALTIES, "a/kernel (2)"]
    assert [term.name for term in recorded.columns] == names
    kernel = compiled_model().get_weights()[0]
    extra = 0.02 * np.sum(kernel**2)
    expected = [2 * first["data"], *(0.5 * first[name] for name in _PENALTIES), extra]
    np.testing.assert_allclose(recorded.values[0], [sum(expected), *expected], rtol=1e-5)
    np.testing.assert_allclose(
        recorded.values[:, 0], recorded.values[:, 1:].sum(1, dtype="float64"), rtol=1e-5
    )
    by_name = {term.name: term for term in recorded.columns}
    assert by_name["a/bias"] == Term("a/bias", "penalty", "l2", 0.1, 0.05, "a/bias", (6,), 6)
    assert by_name["a/kernel (2)"].kind == "l2"
    assert by_name["a/kernel (2)"].coefficient == pytest.approx(0.02)
    assert by_name["b/activity"].kind == "activity"
    assert recordings["validation"].columns == recorded.columns


@pytest.mark.skipif(not _IS_TF, reason="only TensorFlow has a graph to walk")
def test_a_factor_around_keras_own_loss_is_in_each_part(log_dir: str) -> None:
    """The parts add up to what the optimiser minimises."""
    recordings, first = _recordings(Scaled, log_dir)
    recorded = recordings["train"]
    assert [term.name for term in recorded.columns] == NAMES
    np.testing.assert_allclose(
        recorded.values[0], [0.25 * first[name] for name in NAMES], rtol=1e-5
    )


@pytest.mark.skipif(not _IS_TF, reason="only TensorFlow has a graph to walk")
def test_penalties_that_it_forgets_are_unused(log_dir: str) -> None:
    """They have their values, and a role that says they are not in the loss."""
    recordings, first = _recordings(Forgets, log_dir)
    recorded = recordings["train"]
    roles = {term.name: term.role for term in recorded.columns}
    assert roles == {"total": "total", "data": "data", **dict.fromkeys(_PENALTIES, "unused")}
    np.testing.assert_allclose(column(recorded, "total"), column(recorded, "data"))
    for name in _PENALTIES:
        np.testing.assert_allclose(column(recorded, name)[0], first[name], rtol=1e-5)


@pytest.mark.parametrize("options", [{"run_eagerly": True}] if _IS_TF else [{}])
def test_without_a_graph_the_entries_are_recorded_as_they_are(options: Any, log_dir: str) -> None:
    """The total is exact; what the entries don't explain is left to the viewer."""
    recordings, first = _recordings(Own, log_dir, **options)
    recorded = recordings["train"]
    assert [term.name for term in recorded.columns] == ["total", *_PENALTIES]
    for name in _PENALTIES:
        np.testing.assert_allclose(column(recorded, name)[0], first[name], rtol=1e-5)


class Uncertain(keras.Model):
    """A loss with a weight that is learned, as of https://arxiv.org/abs/1705.07115."""

    read: Any = None

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Returns the loss times a factor, and a summand that is a variable."""
        loss = super().compute_loss(x, y, y_pred, *args, **kwargs)
        return keras.ops.exp(-self.s) * loss + self.read(self.s)


_READS = {
    "the variable": lambda s: s,
    "half of it": lambda s: 0.5 * s,
    "its value": lambda s: s.value,
    "no gradient": keras.ops.stop_gradient,
}


@pytest.mark.skipif(not _IS_TF, reason="only TensorFlow has resource variables")
@pytest.mark.parametrize("options", [{}, {"jit_compile": True}, {"run_eagerly": True}])
@pytest.mark.parametrize("name", _READS)
def test_a_variable_in_the_loss_ends_no_training(name: str, options: Any, log_dir: str) -> None:
    """It is a number like any other; the weights are bit-equal."""

    def trained(*callbacks: Any) -> Any:
        keras.utils.set_random_seed(1)
        inputs = keras.Input((5,))
        model = Uncertain(inputs, keras.layers.Dense(2)(inputs))
        model.read = _READS[name]
        model.s = model.add_weight(shape=(), initializer=keras.initializers.Constant(0.3))
        model.compile(keras.optimizers.SGD(0.1), "mse", **options)
        start = [weight.astype("float64") for weight in model.get_weights()]
        fit(model, *callbacks)
        return start, [weight.tobytes() for weight in model.get_weights()]

    start, weights = trained(RegularizationCallback(log_dir))
    s, b, w = sorted(start, key=np.ndim)
    assert weights == trained()[1]
    data = np.mean((X[:BATCH] @ w + b - Y[:BATCH]) ** 2)
    expected = np.exp(-s) * data + (0.5 if name == "half of it" else 1.0) * s
    np.testing.assert_allclose(column(recording(log_dir), "total")[0], expected, rtol=2e-6)
    assert len(recording(log_dir).steps) == BATCHES
