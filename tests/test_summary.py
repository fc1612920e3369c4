"""summary.losses beside tf.summary.scalar, and summary.losses_pb without TensorFlow."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.compat.proto import event_pb2

import tb_regplugin
from tb_regplugin import Term, summary
from tb_regplugin.writing.event_file import EventFile


def write(step: object = None) -> object:
    """Writes one step."""
    return summary.losses("losses", 0.5, {"w": 0.25}, total_loss=0.75, step=step)


def test_every_step_of_a_function_is_read_back(tmp_path: Path) -> None:
    """In a ``tf.function``, beside a scalar, with a step that is a tensor."""
    w = tf.Variable([1.0, 2.0])
    term = Term("w", kind="l2", strength=0.1, coefficient=0.05, variable="w")

    @tf.function
    def train_step(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        w.assign(w * 0.99)
        penalty = 0.1 * tf.nn.l2_loss(w)
        scalar = tf.summary.scalar("penalty", penalty, step=step)
        ours = summary.losses("losses", 0.5, {term: penalty}, 0.5 + penalty, step)
        return scalar, ours

    expected = []
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for step in range(200):
            scalar, ours = train_step(tf.constant(step, tf.int64))
            assert (bool(scalar), bool(ours), ours.dtype) == (True, True, tf.bool)
            expected.append(0.05 * np.square(w.numpy(), dtype=np.float64).sum())
    recording = tb_regplugin.load(tmp_path)["."]
    assert recording.steps.tolist() == list(range(200))
    assert recording.columns[2] == term
    np.testing.assert_allclose(recording.values[:, 2], expected, rtol=1e-6)


def test_it_follows_the_conventions_of_tf_summary(tmp_path: Path) -> None:
    """Default writer, record_if, set_step and name scopes, as tf.summary.scalar has them."""
    assert not bool(write())
    assert not bool(write(step=3))
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        with pytest.raises(ValueError, match="No step set"):
            write()
        with tf.summary.record_if(False):
            assert not bool(write(step=0))
        tf.summary.experimental.set_step(7)
        try:
            assert bool(write())
        finally:
            tf.summary.experimental.set_step(None)
        with tf.name_scope("tower"):
            assert bool(write(step=8))
    assert tb_regplugin.load(tmp_path)["."].steps.tolist() == [7]
    assert tb_regplugin.load(tmp_path, name="tower/losses")["."].steps.tolist() == [8]


def test_a_step_that_goes_back_overwrites(tmp_path: Path) -> None:
    """After a restart from a checkpoint, the new rows stand."""
    for steps in (range(10), range(5, 8)):
        with tf.summary.create_file_writer(str(tmp_path)).as_default():
            for step in steps:
                write(step=step)
    assert tb_regplugin.load(tmp_path)["."].steps.tolist() == list(range(8))


def test_pb_needs_no_tensorflow(tmp_path: Path) -> None:
    """A Summary is made and written where TensorFlow cannot be imported."""
    script = f"""
import sys, time
sys.modules["tensorflow"] = sys.modules["keras"] = None
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter
import tb_regplugin.summary as summary
writer = EventFileWriter({str(tmp_path)!r})
for step in range(100):
    value = summary.losses_pb("losses", {{"boxes": 1.0, "classes": 2.0}}, {{"w": step / 4}})
    writer.add_event(event_pb2.Event(step=step, wall_time=time.time(), summary=value))
writer.close()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    recording = tb_regplugin.load(tmp_path)["."]
    assert [column.name for column in recording.columns] == ["boxes", "classes", "w"]
    assert recording.values[:, 2].tolist() == [step / 4 for step in range(100)]


def test_blocks_come_after_rows(tmp_path: Path) -> None:
    """A recording that goes on with another writer is one recording."""
    file = EventFile(str(tmp_path)).open()
    for step in range(10):
        value = summary.losses_pb("losses", 1.0)
        file.write(event_pb2.Event(step=step, wall_time=time.time(), summary=value))
    file.close()
    with tb_regplugin.Writer(tmp_path) as writer:
        for step in range(8, 12):
            writer.write(step, 2.0, {})
    recording = tb_regplugin.load(tmp_path)["."]
    assert recording.values[:, 0].tolist() == [1.0] * 8 + [2.0] * 4


@pytest.mark.parametrize("call", [summary.losses_pb, summary.losses])
def test_bad_names_are_refused(call: Callable[..., object]) -> None:
    """An empty name, or one name twice, is an error."""
    with pytest.raises(ValueError, match="non-empty"):
        call("", 1.0)
    with pytest.raises(ValueError, match="Two columns"):
        call("losses", 1.0, {"w": 1.0, Term("w"): 1.0})
