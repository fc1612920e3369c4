"""Training TF1 models with the hook, and judging each recorded value by the weights of its step."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

import tb_regplugin

tf1 = tf.compat.v1

Weights = Mapping[str, np.ndarray]


class Expected(NamedTuple):
    """What a recorded term must say of itself, and its value by the weights and the batch."""

    kind: str
    strength: float | tuple[float, float] | None
    coefficient: float | None
    variable: str | None
    value: Callable[[Weights], float]


class Training(NamedTuple):
    """What a training was: the losses its own session.run returned, and the weights before."""

    losses: np.ndarray
    weights: list[Weights]
    recording: tb_regplugin.Recording


def l1(coefficient: float, variable: str) -> Callable[[Weights], float]:
    """Returns the formula of an L1 penalty."""
    return lambda weights: coefficient * np.abs(weights[variable].astype(np.float64)).sum()


def l2(coefficient: float, variable: str) -> Callable[[Weights], float]:
    """Returns the formula of an L2 penalty."""
    return lambda weights: coefficient * np.square(weights[variable].astype(np.float64)).sum()


def train(
    loss: tf.Tensor,
    log_dir: Path,
    feeds: Mapping[tf.Tensor, Callable[[], np.ndarray]],
    steps: int = 20,
) -> Training:
    """Trains with plain gradient descent, and reads the weights in a run before each step.

    That other run shows that the hook records training alone.
    """
    step = tf1.train.get_or_create_global_step()
    train_op = tf1.train.GradientDescentOptimizer(0.02).minimize(loss, global_step=step)
    variables = {variable.op.name: variable for variable in tf1.trainable_variables()}
    hook = tb_regplugin.RegularizationHook(log_dir, loss)
    losses: list[float] = []
    weights: list[Weights] = []
    with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
        for _ in range(steps):
            batch = {placeholder: make() for placeholder, make in feeds.items()}
            weights.append({**session.run(variables), **{t.op.name: v for t, v in batch.items()}})
            losses.append(session.run([train_op, loss], batch)[1])
    return Training(np.array(losses), weights, tb_regplugin.load(log_dir)["."])


def check(
    training: Training, data: Callable[[Weights], float], expected: Mapping[str, Expected]
) -> None:
    """Compares descriptions, and every value of every step with its formula."""
    recording = training.recording
    assert recording.steps.tolist() == list(range(len(training.losses)))
    columns = {column.name: column for column in recording.columns}
    values = {column.name: recording.values[:, i] for i, column in enumerate(recording.columns)}
    assert set(columns) == {"total", "data", *expected}
    np.testing.assert_array_equal(values["total"], training.losses)
    np.testing.assert_allclose(values["data"], [data(w) for w in training.weights], rtol=2e-5)
    in_loss = values["data"].astype(np.float64)
    for name, term in expected.items():
        column = columns[name]
        found = (column.kind, column.strength, column.coefficient, column.variable)
        assert found == term[:4], name
        by_formula = [term.value(weights) for weights in training.weights]
        np.testing.assert_allclose(values[name], by_formula, rtol=2e-5, err_msg=name)
        if column.role == "penalty":
            in_loss += values[name]
    np.testing.assert_allclose(in_loss, training.losses, rtol=1e-6)
