"""RegularizationHook: which runs are recorded, under which steps, and what it leaves alone."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_slim

import tb_regplugin
from tests.graph_capture.training import tf1


class Model:
    """A linear model with a penalty, and one placeholder for its data."""

    def __init__(self, counts_steps: bool = True) -> None:
        self.x = tf1.placeholder(tf.float32, [None, 3])
        self.w = tf1.get_variable("w", [3, 1], regularizer=tf_slim.l2_regularizer(0.1))
        self.loss = tf.reduce_mean((self.x @ self.w - 1.0) ** 2)
        self.loss += tf1.losses.get_regularization_loss()
        self.step = tf1.train.get_or_create_global_step() if counts_steps else None
        optimizer = tf1.train.MomentumOptimizer(0.01, 0.9)
        self.train = optimizer.minimize(self.loss, global_step=self.step)

    def batch(self) -> dict[tf.Tensor, np.ndarray]:
        """Returns a random batch."""
        return {self.x: np.random.rand(8, 3).astype(np.float32)}


def recorded(log_dir: Path) -> tb_regplugin.Recording:
    """Reads back the only recording."""
    return tb_regplugin.load(log_dir)["."]


@pytest.mark.parametrize("counts_steps", [True, False], ids=["global_step", "no global_step"])
def test_2000_steps_agree_with_the_loss(tmp_path: Path, counts_steps: bool) -> None:
    """Every row is the loss of its own step, to the bit, and its parts add up to it."""
    model, losses = Model(counts_steps), []
    hook = tb_regplugin.RegularizationHook(tmp_path, model.loss)
    with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
        for _ in range(2000):
            losses.append(session.run([model.train, model.loss], model.batch())[1])
    rows = recorded(tmp_path)
    assert rows.steps.tolist() == list(range(2000))
    assert int((rows.values[:, 0] != np.array(losses)).sum()) == 0
    np.testing.assert_allclose(rows.values[:, 1:].sum(axis=1), losses, rtol=1e-6)


def test_runs_that_do_not_train_are_passed_over(tmp_path: Path) -> None:
    """They need no placeholders on the hook's account, and make no rows."""
    model = Model()
    hook = tb_regplugin.RegularizationHook(tmp_path, model.loss)
    with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
        for _ in range(5):
            session.run({"w": model.w, "nothing": []})
            session.run(model.loss, model.batch())
            session.run({"nested": (model.train,)}, model.batch())
    assert recorded(tmp_path).steps.tolist() == list(range(5))


def test_a_restored_training_continues_at_its_global_step(tmp_path: Path) -> None:
    """Rows of both lives have the number of updates before them."""
    for life in range(2):
        with tf.Graph().as_default():
            model = Model()
            hook = tb_regplugin.RegularizationHook(tmp_path / "logs", model.loss)
            with tf1.train.MonitoredTrainingSession(
                checkpoint_dir=str(tmp_path / "checkpoints"), hooks=[hook], log_step_count_steps=0
            ) as session:
                assert session.run(model.step) == 6 * life
                for _ in range(6):
                    session.run(model.train, model.batch())
    assert recorded(tmp_path / "logs").steps.tolist() == list(range(12))


def test_a_step_that_is_counted_in_a_branch_is_that_before_the_call(tmp_path: Path) -> None:
    """As by an optimiser that leaves out steps whose gradients are infinite."""
    model = Model(counts_steps=False)
    step = tf1.train.get_or_create_global_step()
    optimizer = tf1.train.GradientDescentOptimizer(0.01)
    gradients = optimizer.compute_gradients(model.loss)
    is_finite = tf.reduce_all(tf.math.is_finite(gradients[0][0]))
    train = tf.cond(is_finite, lambda: optimizer.apply_gradients(gradients, step), tf.no_op)
    hook = tb_regplugin.RegularizationHook(tmp_path, model.loss)
    with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
        for _ in range(500):
            session.run(train, model.batch())
        assert session.run(step) == 500
    assert recorded(tmp_path).steps.tolist() == list(range(500))


def test_every_keeps_the_steps_it_divides(tmp_path: Path) -> None:
    """The others are not fetched."""
    model = Model()
    hook = tb_regplugin.RegularizationHook(tmp_path, model.loss, every=4)
    with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
        for _ in range(10):
            session.run(model.train, model.batch())
    assert recorded(tmp_path).steps.tolist() == [0, 4, 8]


@pytest.mark.parametrize(
    ("task", "records"), [(("chief", 0), True), (("worker", 0), False), (("worker", 1), False)]
)
def test_only_the_chief_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: tuple[str, int], records: bool
) -> None:
    """Of the workers of a cluster, one writes."""
    kind, index = task
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    config = {"cluster": cluster, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    model = Model()
    hook = tb_regplugin.RegularizationHook(tmp_path / "logs", model.loss)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="tb_regplugin")
        with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
            session.run(model.train, model.batch())
    assert (tmp_path / "logs").exists() == records


def test_training_is_the_same_with_the_hook(tmp_path: Path) -> None:
    """The weights are equal to the bit."""
    weights = []
    for with_hook in (False, True):
        np.random.seed(1)
        with tf.Graph().as_default():
            tf1.set_random_seed(1)
            model = Model()
            hook = tb_regplugin.RegularizationHook(tmp_path, model.loss)
            hooks = [hook] if with_hook else []
            with tf1.train.SingularMonitoredSession(hooks=hooks) as session:
                for _ in range(50):
                    session.run(model.train, model.batch())
                weights.append(session.run(model.w))
    np.testing.assert_array_equal(*weights)


def test_a_failure_to_record_is_one_warning(tmp_path: Path) -> None:
    """A log directory that cannot be made, or a loss that is none, stops no training."""
    (tmp_path / "file").write_text("")
    for log_dir, loss in ((tmp_path / "file", None), (tmp_path / "logs", "no tensor")):
        with tf.Graph().as_default():
            model = Model()
            hook = tb_regplugin.RegularizationHook(log_dir, model.loss if loss is None else loss)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
                    for _ in range(1000):
                        session.run(model.train, model.batch())
            ours = [str(entry.message) for entry in caught if "tb_regplugin" in str(entry.message)]
            assert len(ours) == 1
            assert "stopped recording" in ours[0]


@pytest.mark.parametrize("options", [{"name": ""}, {"every": 0}, {"flush_secs": 0}])
def test_bad_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    """What cannot be meant is an error at once."""
    with pytest.raises(ValueError, match="must be"):
        tb_regplugin.RegularizationHook(tmp_path, None, **options)


@pytest.mark.parametrize("is_first", [True, False])
def test_the_step_that_ends_a_training_is_recorded_in_any_order_of_hooks(
    tmp_path: Path, is_first: bool
) -> None:
    """Its loss is what one looks for; the hook before this one raises once it is there."""
    tf1.train.get_or_create_global_step()
    w = tf1.get_variable("w", [3], initializer=tf1.ones_initializer())
    x = tf1.placeholder(tf.float32, [])
    loss = x * tf.reduce_sum(w) + 0.1 * tf.nn.l2_loss(w)
    train = tf1.train.GradientDescentOptimizer(0.1).minimize(loss, tf1.train.get_global_step())
    hooks = [
        tb_regplugin.RegularizationHook(tmp_path, loss),
        tf1.train.NanTensorHook(loss, fail_on_nan_loss=True),
    ]
    with tf1.train.SingularMonitoredSession(hooks if is_first else hooks[::-1]) as session:
        for _ in range(4):
            session.run(train, {x: 1.0})
        with pytest.raises(tf1.train.NanLossDuringTrainingError):
            session.run(train, {x: np.nan})
    assert recorded(tmp_path).steps.tolist() == [0, 1, 2, 3, 4]
    assert np.isnan(recorded(tmp_path).values[:, 0]).tolist() == [False] * 4 + [True]
