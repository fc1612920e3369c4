"""Copies of what records: unused ones of the same arguments."""

import copy
import inspect
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tb_regplugin import Recorder, RegularizationHook, Writer, load
from tb_regplugin.capture.tf_keras import RegularizationCallback

tf1 = tf.compat.v1


def pickled(recorder: Any) -> Any:
    """Returns a copy as another process gets it."""
    return pickle.loads(pickle.dumps(recorder))


_COPIES = [copy.copy, copy.deepcopy, pickled]


@pytest.mark.parametrize("make_copy", _COPIES)
@pytest.mark.parametrize("recorder", [Writer, Recorder])
def test_a_copy_is_an_unused_recorder(
    recorder: Any, make_copy: Callable[[Any], Any], tmp_path: Path
) -> None:
    """Of the same arguments, before it is used and after it was closed."""
    original = recorder(tmp_path, name="mine", flush_secs=60)
    unused = make_copy(original)
    with original:
        original.write(0, 1.0)
    for step, copied in enumerate([unused, make_copy(original)], start=1):
        with copied:
            copied.write(step, 2.0)
    assert load(tmp_path, name="mine")["."].steps.tolist() == [0, 1, 2]


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_hook_records_the_same_loss(
    make_copy: Callable[[Any], Any], tmp_path: Path
) -> None:
    """The graph is not copied: each session has a hook of its own, as with ``Estimator``."""
    with tf.Graph().as_default():
        w = tf1.get_variable("w", [3], initializer=tf1.ones_initializer(), use_resource=True)
        loss = tf.reduce_sum(tf.square(w)) + 0.5 * tf.nn.l2_loss(w)
        train = tf1.train.GradientDescentOptimizer(0.5).minimize(loss)
        hook = make_copy(RegularizationHook(tmp_path, loss))
        with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
            session.run(train)
        assert make_copy(hook) is not hook
    recorded = load(tmp_path)["."]
    np.testing.assert_array_equal(recorded.values[0], [3.75, 3.0, 0.75])


@pytest.mark.parametrize("make_copy", _COPIES)
def test_a_copy_of_the_callback_for_tf_keras_is_an_unused_one(
    make_copy: Callable[[Any], Any], tmp_path: Path
) -> None:
    """Before it is used and after."""
    for log_dir in (str(tmp_path / "same"), _Numbered(tmp_path)):
        original = RegularizationCallback(log_dir, every=2)
        unused = make_copy(original)
        for callback in (original, unused, make_copy(original)):
            model = tf_keras.Sequential([tf_keras.layers.Dense(1, kernel_regularizer="l2")])
            model.compile("sgd", "mse")
            model.fit(
                np.ones((8, 2)), np.ones((8, 1)), batch_size=2, verbose=0, callbacks=[callback]
            )
    runs = load(tmp_path)
    assert {name: run.steps.tolist() for name, run in runs.items()} == {
        f"{name}/train": [0, 2] for name in ("numbered_0", "numbered_1", "numbered_2", "same")
    }


class _Numbered:
    """A log directory for each model, told by what is there: so it can be pickled."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent

    def __call__(self) -> Path:
        return self._parent / f"numbered_{len(list(self._parent.glob('numbered_*')))}"


def test_what_a_recorder_takes_can_be_read_off_its_class() -> None:
    """By ``help`` and editors."""
    assert list(inspect.signature(Writer).parameters) == ["log_dir", "name", "flush_secs", "terms"]
