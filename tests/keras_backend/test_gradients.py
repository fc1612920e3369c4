"""How hard penalties pull, against gradients computed beside the training in NumPy."""

import warnings

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback, load
from tests.keras_backend.models import strategy_scope

BATCHES, BATCH = 12, 8
RATE = 0.1
L1, L2, BOTH = 0.01, 0.1, (0.02, 0.03)

_MODES = {
    "tensorflow": {
        "eager": {"run_eagerly": True},
        "function": {},
        "xla": {"jit_compile": True},
        "three steps an execution": {"steps_per_execution": 3},
        "scaled loss": {},
        "two replicas": {},
        "two replicas, scaled loss": {},
    },
    "jax": {},
    "torch": {"default": {}},
}[keras.config.backend()]

pytestmark = pytest.mark.skipif(not _MODES, reason="not recorded on JAX")


def model_of(mode: str) -> keras.Model:
    """Two layers: L2 on a kernel, L1 on its bias, both on the other kernel, none on a bias.

    As many parameters as the other tests' model has: strategies of one process number their
    collective operations alike, and TensorFlow wants those of one number to be of one size.
    """
    keras.utils.set_random_seed(0)
    with strategy_scope(mode):
        first = keras.layers.Dense(
            8,
            activation="tanh",
            kernel_regularizer=keras.regularizers.L2(L2),
            bias_regularizer=keras.regularizers.L1(L1),
            bias_initializer="ones",
        )
        last = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L1L2(*BOTH))
        model = keras.Sequential([keras.Input((6,)), first, last])
        optimizer = keras.optimizers.SGD(RATE)
        if "scaled" in mode:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1024.0)
        model.compile(optimizer, "mse", **_MODES[mode])
    return model


def data() -> tuple[np.ndarray, np.ndarray]:
    """Two functions of six numbers to learn."""
    x = np.random.default_rng(0).normal(size=(BATCHES * BATCH, 6)).astype("float32")
    return x, np.stack([(x**2).sum(1), x.sum(1)], axis=1)


def fit(model: keras.Model, *callbacks: keras.callbacks.Callback) -> None:
    """Trains for an epoch, in the order of the data."""
    model.fit(*data(), batch_size=BATCH, shuffle=False, verbose=0, callbacks=list(callbacks))


def expected(model: keras.Model) -> np.ndarray:
    """The norms and cosines of each step, by the chain rule in float64."""
    w1, b1, w2, b2 = (np.float64(weight) for weight in model.get_weights())
    rows = []
    for x, y in zip(*(np.split(np.float64(part), BATCHES) for part in data()), strict=True):
        hidden = np.tanh(x @ w1 + b1)
        error = 2 * (hidden @ w2 + b2 - y) / y.size
        back = (error @ w2.T) * (1 - hidden**2)
        of_data = [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
        of_penalty = [2 * L2 * w1, L1 * np.sign(b1), BOTH[0] * np.sign(w2) + 2 * BOTH[1] * w2]
        row = []
        for penalty, rest in zip(of_penalty, of_data[:3], strict=True):
            norms = np.linalg.norm(penalty), np.linalg.norm(rest)
            row += [*norms, (penalty * rest).sum() / norms[0] / norms[1]]
        rows.append(row)
        w1, b1, w2 = (
            weight - RATE * (penalty + rest)
            for weight, penalty, rest in zip((w1, b1, w2), of_penalty, of_data[:3], strict=True)
        )
        b2 = b2 - RATE * of_data[3]
    return np.array(rows)


@pytest.mark.parametrize("mode", _MODES)
def test_norms_and_cosines_are_those_of_the_step(mode: str, log_dir: str) -> None:
    """Of every step, whatever way it is run, for each L1 and L2 penalty."""
    model = model_of(mode)
    rows = expected(model)
    fit(model, RegularizationCallback(log_dir, gradients_every=1))
    recorded = load(log_dir, name="losses.gradients")["train"]
    assert recorded.steps.tolist() == list(range(BATCHES))
    assert [(term.role, term.kind) for term in recorded.columns] == [
        (role, kind)
        for kind in ("l2", "l1", "l1_l2")
        for role in ("gradient", "data_gradient", "gradient_cosine")
    ]
    losses = load(log_dir)["train"].columns
    penalties = {term.name: term.variable for term in losses if term.role == "penalty"}
    assert {term.name: term.variable for term in recorded.columns} == penalties
    np.testing.assert_allclose(recorded.values, rows, rtol=1e-5, atol=1e-5)


def test_one_of_five_recorded_steps_has_gradients_when_asked(log_dir: str) -> None:
    """The other steps compute none."""
    model = model_of(next(iter(_MODES)))
    rows = expected(model)
    fit(model, RegularizationCallback(log_dir, every=2, gradients_every=2))
    recorded = load(log_dir, name="losses.gradients")["train"]
    assert recorded.steps.tolist() == [0, 4, 8]
    np.testing.assert_allclose(recorded.values, rows[::4], rtol=1e-5, atol=1e-5)
    assert load(log_dir)["train"].steps.tolist() == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize("mode", _MODES)
def test_training_and_losses_are_bit_equal_with_and_without_gradients(
    mode: str, tmp_path: object
) -> None:
    """Looking at gradients changes nothing."""
    outcomes = []
    for gradients in (None, 1):
        model = model_of(mode)
        fit(model, RegularizationCallback(f"{tmp_path}/{gradients}", gradients_every=gradients))
        recorded = load(f"{tmp_path}/{gradients}")["train"]
        weights = [weight.tobytes() for weight in model.get_weights()]
        outcomes.append((weights, recorded.values.tobytes()))
    assert outcomes[0] == outcomes[1]
    assert not load(f"{tmp_path}/None", name="losses.gradients")


def test_a_second_training_goes_on(log_dir: str) -> None:
    """With the numbers of the steps of all of the model's life."""
    model = model_of(next(iter(_MODES)))
    for _ in range(2):
        fit(model, RegularizationCallback(log_dir, gradients_every=1))
    recorded = load(log_dir, name="losses.gradients")["train"]
    assert recorded.steps.tolist() == list(range(2 * BATCHES))


def test_a_model_that_is_built_by_its_first_step(log_dir: str) -> None:
    """Of twenty layers nobody can know how many variables they will have: that step has no row."""
    regularizer = keras.regularizers.L2(L2)
    layers = [keras.layers.Dense(4, kernel_regularizer=regularizer) for _ in range(20)]
    model = keras.Sequential([*layers, keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(1e-4), "mse")
    fit(model, RegularizationCallback(log_dir, gradients_every=1))
    recorded = load(log_dir, name="losses.gradients")["train"]
    assert len(recorded.columns) == 60
    assert recorded.steps.tolist() == list(range(BATCHES))[-len(recorded.steps) :]
    assert len(recorded.steps) >= BATCHES - 1
    assert len(load(log_dir)["train"].steps) == BATCHES


def test_a_model_without_such_penalties_has_no_gradients(log_dir: str) -> None:
    """And no warning: there is nothing to record."""
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        fit(model, RegularizationCallback(log_dir, gradients_every=1))
    assert not load(log_dir, name="losses.gradients")
    assert len(load(log_dir)["train"].steps) == BATCHES


def test_a_failure_of_gradients_leaves_losses_and_training_alone(log_dir: str) -> None:
    """One warning says so."""
    model = model_of(next(iter(_MODES)))
    model.optimizer.scale_loss = lambda loss: 1 / 0 if isinstance(loss, float) else loss
    with pytest.warns(RuntimeWarning, match="stopped recording gradients"):
        fit(model, RegularizationCallback(log_dir, gradients_every=1))
    assert len(load(log_dir)["train"].steps) == BATCHES


def test_a_number_below_one_is_refused(log_dir: str) -> None:
    """Before any training."""
    with pytest.raises(ValueError, match="gradients_every must be 1 or more, not 0"):
        RegularizationCallback(log_dir, gradients_every=0)
