"""Warnings name the line of the user's program that led to them, whatever lies between."""

import linecache
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import tb_regplugin
from tb_regplugin.capture.tf_keras import RegularizationCallback as TfKerasCallback
from tests.graph_capture.training import tf1

KERASES = {
    "Keras 3": (keras, tb_regplugin.RegularizationCallback),
    "Keras 2": (tf_keras, TfKerasCallback),
}


@contextmanager
def one_warning_at(line: str) -> Iterator[None]:
    """Expects one warning of the package, at a line of this file that holds a text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    (warning,) = [w for w in caught if issubclass(w.category, (UserWarning, RuntimeWarning))]
    assert warning.filename == __file__, warning
    assert line in linecache.getline(__file__, warning.lineno)


@pytest.fixture
def no_directory(tmp_path: Path) -> Path:
    """Returns a path where nothing can be written."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "run"


def fit(package: Any, callback: Any, epochs: int = 2, run_eagerly: bool = False) -> None:
    """Trains a model."""
    model = package.Sequential([package.layers.Dense(1, kernel_regularizer="l2")])
    model.compile("sgd", "mse", run_eagerly=run_eagerly)
    x, y = np.ones((8, 2)), np.ones((8, 1))
    model.fit(x, y, epochs=epochs, callbacks=[callback], verbose=0)


@pytest.mark.parametrize(("package", "callback"), KERASES.values(), ids=KERASES)
@pytest.mark.parametrize("run_eagerly", [False, True], ids=["compiled", "eager"])
def test_a_fit_that_cannot_be_written_is_named(
    package: Any, callback: Any, run_eagerly: bool, no_directory: Path
) -> None:
    """Of a failure that shows in a callback, while Keras trains."""
    with one_warning_at("model.fit("):
        fit(package, callback(no_directory), run_eagerly=run_eagerly)


def test_a_fit_that_records_nothing_is_named(tmp_path: Path) -> None:
    """Of what is said at the end of a training."""
    with one_warning_at("model.fit("):
        fit(keras, tb_regplugin.RegularizationCallback(tmp_path), epochs=0)


def test_a_mistake_in_the_model_is_told_at_its_fit(tmp_path: Path) -> None:
    """A regulariser that comes after its layer was built."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="top")])
    model.layers[0].kernel_regularizer = keras.regularizers.L2(0.1)
    model.compile("sgd", "mse")
    callback = tb_regplugin.RegularizationCallback(tmp_path)
    with one_warning_at("model.fit("):
        model.fit(np.ones((8, 2)), np.ones((8, 1)), callbacks=[callback], verbose=0)


def test_the_call_of_a_compiled_step_is_named(tmp_path: Path) -> None:
    """TensorFlow traces a copy of the step, in which nobody would find the line."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with tb_regplugin.Recorder(tmp_path) as recorder, strategy.scope():

        @tf.function
        def train_step(x: tf.Tensor) -> None:
            if tf.reduce_sum(x) > 0:
                recorder.write(data_loss=x)

        with one_warning_at("train_step(tf.constant("):
            train_step(tf.constant(1.0))


@pytest.mark.parametrize("in_thread", [False, True], ids=["main", "thread"])
def test_the_line_that_writes_is_named(in_thread: bool, no_directory: Path) -> None:
    """Also in a thread of the user's."""

    def train() -> None:
        with tb_regplugin.Writer(no_directory) as writer:
            writer.write(0, 1.0)
            writer.flush()

    with one_warning_at("writer."):
        if in_thread:
            thread = threading.Thread(target=train)
            thread.start()
            thread.join()
        else:
            train()


def test_the_run_of_a_session_is_named(no_directory: Path) -> None:
    """TensorFlow's sessions call hooks."""
    with tf.Graph().as_default():
        w = tf1.get_variable("w", [3])
        loss = tf.reduce_sum(w**2)
        train = tf1.train.GradientDescentOptimizer(0.1).minimize(loss)
        hook = tb_regplugin.RegularizationHook(no_directory, loss, flush_secs=1e-3)
        sessions = tf1.train.SingularMonitoredSession(hooks=[hook])
        with one_warning_at("session"), sessions as session:
            for _ in range(3):
                session.run(train)


def test_the_line_that_loads_is_named(tmp_path: Path) -> None:
    """Where it finds nothing of that name."""
    with tb_regplugin.Writer(tmp_path) as writer:
        writer.write(0, 1.0)
    with one_warning_at("load("):
        tb_regplugin.load(tmp_path, name="other")


def test_a_thread_of_the_package_names_no_line(tmp_path: Path) -> None:
    """Rather than one that has nothing to do with it."""
    w = tf.Variable(1.0)
    with tb_regplugin.Recorder(tmp_path, ring_rows=8) as recorder:

        @tf.function
        def steps() -> None:
            for _ in tf.range(1000):
                recorder.write(data_loss=w)

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            steps()
            recorder.flush()
    (lost,) = [w for w in caught if "lost" in str(w.message)]
    # Who empties the ring first is the thread, or the flush here.
    assert lost.filename in {"sys", "<sys>", __file__}
