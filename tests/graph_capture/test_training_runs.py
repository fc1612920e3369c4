"""Programs with several kinds of session calls: each row is the loss of a call that trained it.

All losses are calculated again, in NumPy, from the weights before the call and its batch.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import tb_regplugin
from tests.graph_capture.programs import (
    PROGRAMS,
    Call,
    Networks,
    Program,
    Regression,
    regression_loss,
    run,
)
from tests.graph_capture.training import Weights, tf1


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_row_is_the_loss_that_a_call_trained(tmp_path: Path, name: str) -> None:
    """No row is missing and none is of another call; the weights are the same without a hook."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="tb_regplugin")
        true, weights = run(PROGRAMS[name], tmp_path)
    for loss, expected in true.items():
        recording = tb_regplugin.load(tmp_path)[loss]
        assert recording.steps.tolist() == list(range(len(expected)))
        np.testing.assert_allclose(recording.values[:, 0], expected, rtol=2e-6, atol=1e-7)
        # Nothing is called unused that belongs to another loss.
        parts = recording.values[:, 1:].sum(axis=1)
        np.testing.assert_allclose(recording.values[:, 0], parts, rtol=2e-6, atol=1e-7)
    _, without = run(PROGRAMS[name], None)
    for variable, value in without.items():
        np.testing.assert_array_equal(weights[variable], value, err_msg=variable)


def test_steps_are_the_global_step_where_other_calls_move_it_too(tmp_path: Path) -> None:
    """The calls of the other network are counted by what they add."""
    n = Networks()
    d_loss, g_loss = n.fakes - n.reals + n.of_critic, n.of_generator - n.fakes
    step = tf1.train.get_or_create_global_step()
    optimizer = tf1.train.AdamOptimizer()
    d_train = optimizer.minimize(d_loss, step, [n.critic])
    g_train = optimizer.minimize(g_loss, step, [n.generator])
    hook = tb_regplugin.RegularizationHook(tmp_path, d_loss)
    feeds = {n.x: np.ones((1, 3)), n.z: np.ones((1, 2))}
    with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
        for _ in range(3):
            for train in (d_train, d_train, g_train):
                session.run(train, feeds)
    assert tb_regplugin.load(tmp_path)["."].steps.tolist() == [0, 1, 3, 4, 6, 7]


def said_by(run: Callable[[], object]) -> list[str]:
    """Returns what was said in warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    return [str(entry.message) for entry in caught if "tb_regplugin" in str(entry.message)]


def test_what_a_call_does_not_run_is_not_asked_for(tmp_path: Path) -> None:
    """A loss with a part that no gradient needs is recorded where that is run, and said once."""

    def build() -> Program:
        r = Regression()
        offset = tf1.placeholder_with_default(0.0, [])
        level = tf1.placeholder(tf.float32, [None, 2])
        loss = r.loss + tf.reduce_mean(level) + offset
        train = r.optimizer.minimize(loss)

        def formula(w: Weights, batch: Mapping[str, np.ndarray]) -> float:
            return regression_loss(w, batch) + float(np.mean(batch["z"]))

        calls = [
            Call(train, (), r.feeds),
            Call(train, (), r.feeds),
            Call([train, loss], ("loss",), {**r.feeds, "z": level}),
        ]
        return Program({"loss": (loss, formula)}, calls)

    results: list[Any] = []
    (sentence,) = said_by(lambda: results.append(run(build, tmp_path, rounds=1)))
    assert "runs without Placeholder_2, which the loss needs" in sentence
    recording = tb_regplugin.load(tmp_path)["loss"]
    assert recording.steps.tolist() == [2]
    np.testing.assert_allclose(recording.values[:, 0], results[0][0]["loss"], rtol=2e-6)


@pytest.mark.parametrize("trains", [True, False])
def test_what_only_loads_and_evaluates_is_silent(tmp_path: Path, trains: bool) -> None:
    """A global step that calls count, by whatever means they train, is not."""

    def build() -> Program:
        r = Regression()
        step = tf1.train.get_or_create_global_step()
        loading = [r.w.assign(r.w * 0.5), step.assign(7)]
        outside = tf1.py_func(lambda w: w, [r.w], tf.float32)
        calls = [Call(loading), Call([r.loss, outside], (), r.feeds)]
        if trains:
            calls.append(Call([outside, step.assign_add(1)]))
        return Program(r.losses, calls)

    said = said_by(lambda: run(build, tmp_path))
    assert ["nothing was recorded" in sentence for sentence in said] == [True] * trains
    assert not (tmp_path / "loss").exists()


def test_reference_variables_are_said_once(tmp_path: Path) -> None:
    """Rows may be off by an update, and the training is the same."""

    def build() -> Program:
        with tf1.variable_scope("", use_resource=False):
            r = Regression()
        return Program(r.losses, [Call(r.optimizer.minimize(r.loss), ("loss",), r.feeds)])

    results: list[Any] = []
    (sentence,) = said_by(lambda: results.append(run(build, tmp_path)))
    assert "off by up to one update" in sentence
    columns = tb_regplugin.load(tmp_path)["loss"].columns
    assert all(column.note is not None for column in columns)
    _, without = run(build, None)
    np.testing.assert_array_equal(results[0][1]["w"], without["w"])


def test_a_training_that_nothing_tells_is_said_once(tmp_path: Path) -> None:
    """Updates by hand have no gradients that could be told from loaded weights."""

    def build() -> Program:
        r = Regression()
        return Program(r.losses, [Call(r.w.assign_sub(r.w * 0.1))])

    (sentence,) = said_by(lambda: run(build, tmp_path))
    assert "nothing was recorded" in sentence
    assert "train_op=" in sentence
    assert not (tmp_path / "loss").exists()
