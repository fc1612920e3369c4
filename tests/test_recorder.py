"""Recorder: every step of a training loop of one's own, compiled or not."""

import json
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import tb_regplugin
from tb_regplugin import Recorder, Term
from tests.independent_reader import read_recording

MODES: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "eager": lambda step: step,
    "function": tf.function,
    "XLA": lambda step: tf.function(step, jit_compile=True),
}
in_each_mode = pytest.mark.parametrize("compile_step", MODES.values(), ids=MODES)


def recorded(log_dir: Path) -> tb_regplugin.Recording:
    """Reads back the only recording."""
    return tb_regplugin.load(log_dir)["."]


@in_each_mode
def test_every_step_has_the_values_of_its_weights(
    tmp_path: Path, compile_step: Callable[..., Any]
) -> None:
    """Each of 300 steps, against formulas over the weights before it."""
    w = tf.Variable([[1.0], [-2.0]])
    term = Term("w", kind="l2", strength=0.1, coefficient=0.05, variable="w", shape=(2, 1), size=2)
    rng = np.random.default_rng(0)
    with Recorder(tmp_path) as recorder:

        def step(x: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                data_loss = tf.reduce_mean((x @ w - 1.0) ** 2)
                penalty = 0.1 * tf.nn.l2_loss(w)
                total = data_loss + penalty
                recorder.write(data_loss=data_loss, penalties={term: penalty}, total_loss=total)
            w.assign_sub(0.01 * tape.gradient(total, w))
            return total

        compiled = compile_step(step)
        expected, totals = [], []
        for _ in range(300):
            x, before = rng.random((8, 2), np.float32), w.numpy().astype(np.float64)
            totals.append(float(compiled(tf.constant(x))))
            expected.append([np.mean((x @ before - 1.0) ** 2), 0.05 * np.square(before).sum()])
    recording = recorded(tmp_path)
    assert recording.steps.tolist() == list(range(300))
    assert recording.columns[2] == term
    assert recording.values[:, 0].tolist() == totals
    np.testing.assert_allclose(recording.values[:, 1:], expected, rtol=2e-5)
    assert (np.diff(recording.wall_times) >= 0).all()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_loops_inside_of_functions_lose_no_step(tmp_path: Path, jit_compile: bool) -> None:
    """Ten calls of 2,000 steps each: the ring is emptied while, or right after, each of them."""
    with Recorder(tmp_path, ring_rows=None if not jit_compile else 20_000) as recorder:
        count = tf.Variable(0.0)

        @tf.function(jit_compile=jit_compile)
        def train() -> None:
            for _ in tf.range(2000):
                recorder.write(data_loss=count)
                count.assign_add(1.0)

        for _ in range(10):
            train()
    values = recorded(tmp_path).values[:, 0]
    np.testing.assert_array_equal(values, np.arange(20_000))


def test_lost_rows_are_counted_in_a_warning(tmp_path: Path) -> None:
    """What a too small ring overwrote is said, and the rest is right."""
    recorder = Recorder(tmp_path, ring_rows=100)

    @tf.function(jit_compile=True)
    def train() -> None:
        for i in tf.range(1000):
            recorder.write(data_loss=tf.cast(i, tf.float32))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train()
        recorder.close()
    # One more is kept where nothing was being written when the ring was read.
    assert re.search("lost (899|900) rows", str(caught[0].message))
    recording = recorded(tmp_path)
    assert recording.steps[-1] == 999
    np.testing.assert_array_equal(recording.values[:, 0], recording.steps)


@in_each_mode
def test_steps_and_every(tmp_path: Path, compile_step: Callable[..., Any]) -> None:
    """A step that is a tensor of any size is kept whole; ``every`` keeps those it divides."""
    start = 2**40
    with Recorder(tmp_path, every=3) as recorder:

        @compile_step
        def step(number: tf.Tensor) -> None:
            recorder.write(number, 1.0, {"w": 0.5})

        for number in range(10):
            step(tf.constant(start + number, tf.int64))
    expected = [number for number in range(start, start + 10) if number % 3 == 0]
    assert recorded(tmp_path).steps.tolist() == expected


@pytest.mark.parametrize("jit_compile", [False, True])
def test_steps_of_64_bits_are_exact(tmp_path: Path, jit_compile: bool) -> None:
    """Also negative ones, and those whose halves are NaN, infinite or denormal as floats."""
    rng = np.random.default_rng(0)
    halves = np.concatenate(
        [
            np.array([0, 1, 0x7F80_0001, 0x7FC0_0000, 0xFF80_0001, 0x7F80_0000, 0x8000_0001]),
            rng.integers(0, 2**32, 200),
        ]
    ).astype(np.uint32)
    steps = np.stack([halves, rng.permutation(halves)], 1).view(np.int64).ravel()
    steps = np.unique(np.concatenate([steps, [-(2**62), -1, 2**62, 2**63 - 1]]))
    with Recorder(tmp_path) as recorder:

        @tf.function(jit_compile=jit_compile)
        def train(numbers: tf.Tensor) -> None:
            for i in tf.range(len(numbers)):
                recorder.write(numbers[i], tf.cast(i, tf.float32))

        train(tf.constant(steps))
    recording = recorded(tmp_path)
    np.testing.assert_array_equal(recording.steps, steps)
    np.testing.assert_array_equal(recording.values[:, 0], np.arange(len(steps)))


@in_each_mode
def test_terms_may_change(tmp_path: Path, compile_step: Callable[..., Any]) -> None:
    """Rows of two layouts keep the order in which they were recorded."""
    with Recorder(tmp_path) as recorder:
        plain = compile_step(lambda: recorder.write(data_loss=1.0))
        penalised = compile_step(lambda: recorder.write(data_loss=2.0, penalties={"w": 3.0}))
        for _ in range(5):
            plain()
            penalised()
        recorder.flush()
        assert recorded(tmp_path).values[:, 0].tolist() == [1.0, 2.0] * 5
    assert recorded(tmp_path).steps.tolist() == list(range(10))


def test_rows_that_come_while_rings_are_emptied_keep_their_order(tmp_path: Path) -> None:
    """A ring that is read later holds rows that are newer than those which were just read."""
    with Recorder(tmp_path) as recorder:
        plain = tf.function(lambda: recorder.write(data_loss=1.0))
        penalised = tf.function(lambda: recorder.write(data_loss=2.0, penalties={"w": 3.0}))
        for _ in range(1_000):
            plain()
            penalised()
    recording = recorded(tmp_path)
    assert recording.steps.tolist() == list(range(2_000))
    assert recording.values[:, 0].tolist() == [1.0, 2.0] * 1_000


@pytest.mark.parametrize("package", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_a_list_of_layer_losses_is_described(tmp_path: Path, package: Any) -> None:
    """In a function, ``model.losses`` get names, kinds and strengths; elsewhere, numbers."""
    regularizers = package.regularizers
    model = package.Sequential(
        [
            package.layers.Dense(3, kernel_regularizer=regularizers.L2(0.01), name="a"),
            package.layers.Dense(1, kernel_regularizer=regularizers.L1(0.02), name="b"),
        ]
    )
    x = tf.ones([4, 2])
    model(x)
    with Recorder(tmp_path, variables=model.trainable_variables) as recorder:

        @tf.function
        def step() -> None:
            data_loss = tf.reduce_mean(model(x) ** 2)
            recorder.write(
                data_loss=data_loss,
                penalties=model.losses,
                total_loss=data_loss + tf.add_n(model.losses),
            )

        step()
    recording = recorded(tmp_path)
    found = [
        (column.name.split("/", column.name.count("/") - 1)[-1], column.kind, column.strength)
        for column in recording.columns[2:]
    ]
    assert found == [("a/kernel", "l2", 0.01), ("b/kernel", "l1", 0.02)]
    kernels = [variable.numpy() for variable in model.trainable_variables[::2]]
    expected = [0.01 * np.square(kernels[0]).sum(), 0.02 * np.abs(kernels[1]).sum()]
    np.testing.assert_allclose(recording.values[0, 2:], expected, rtol=1e-5)
    with Recorder(tmp_path / "eager") as recorder:
        recorder.write(data_loss=1.0, penalties=model.losses)
    columns = recorded(tmp_path / "eager").columns
    assert [column.name for column in columns] == ["data", "penalty 0", "penalty 1"]


def test_a_program_that_just_ends_loses_nothing(tmp_path: Path) -> None:
    """Rows that wait in the ring are written at exit; rows that wait longer, before."""
    script = f"""
import tensorflow as tf, tb_regplugin
recorder = tb_regplugin.Recorder({str(tmp_path)!r})
@tf.function
def step():
    recorder.write(data_loss=1.0, penalties={{"w": 2.0}})
recorder.write(data_loss=1.0, penalties={{"w": 2.0}})
for _ in range(500):
    step()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert recorded(tmp_path).steps.tolist() == list(range(501))


def test_rows_of_functions_are_written_while_the_host_does_nothing(tmp_path: Path) -> None:
    """They are on the disk after the flush interval, with no further call."""
    with Recorder(tmp_path, flush_secs=0.2) as recorder:
        tf.function(lambda: recorder.write(data_loss=1.0))()
        deadline = time.monotonic() + 30
        while not read_recording(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert recorded(tmp_path).steps.tolist() == [0]


@pytest.mark.parametrize("reduction", ["MEAN", "SUM"])
def test_what_replicas_reduce_keeps_its_names(tmp_path: Path, reduction: str) -> None:
    """A mean has the strength that was written; what a function hides is numbered."""
    script = f"""
import json, keras, numpy as np, tensorflow as tf
from tb_regplugin import Recorder
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    both = keras.regularizers.L1L2(0.02, 0.03)
    model = keras.Sequential([keras.layers.Dense(3, kernel_regularizer="l2", name="a"),
                              keras.layers.Dense(1, kernel_regularizer=both, name="b")])
    model.build([None, 2])
hidden = tf.function(lambda: sum(model.losses))

def replica_step(x):
    return tf.reduce_mean(model(x) ** 2), [*model.losses, hidden()]

with Recorder({str(tmp_path)!r}, variables=model.variables) as recorder:
    @tf.function
    def step(x):
        losses = strategy.run(replica_step, [x])
        reduce = lambda loss: strategy.reduce({reduction!r}, loss, axis=None)
        recorder.write(None, *tf.nest.map_structure(reduce, losses))
    step(tf.ones([4, 2]))
print(json.dumps([kernel.tolist() for kernel in model.get_weights()[::2]]))
"""
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    a, b = (np.array(kernel) for kernel in json.loads(result.stdout))
    recording, times = recorded(tmp_path), {"MEAN": 1, "SUM": 2}[reduction]
    assert [(term.name.split("/", 1)[-1], term.strength) for term in recording.columns[1:]] == [
        ("a/kernel", 0.01 * times),
        ("b/kernel", (0.02 * times, 0.03 * times)),
        ("penalty 2", None),
    ]
    penalties = [0.01 * np.square(a).sum(), 0.02 * np.abs(b).sum() + 0.03 * np.square(b).sum()]
    expected = times * np.array([*penalties, sum(penalties)])
    np.testing.assert_allclose(recording.values[0, 1:], expected, rtol=1e-5)


def test_inside_of_a_strategy_is_one_warning(tmp_path: Path) -> None:
    """It says what to do instead, and nothing raises."""
    with Recorder(tmp_path) as recorder, tf.distribute.OneDeviceStrategy("CPU:0").scope():
        with pytest.warns(RuntimeWarning, match="strategy.reduce"):
            recorder.write(data_loss=1.0)
        recorder.write(data_loss=1.0)


@in_each_mode
def test_what_is_no_scalar_is_named(tmp_path: Path, compile_step: Callable[..., Any]) -> None:
    """The error says which value it is."""
    with Recorder(tmp_path) as recorder:
        step = compile_step(
            lambda x: recorder.write(data_loss=1.0, penalties={"w": x}),
        )
        with pytest.raises(ValueError, match="'w' must be a scalar"):
            step(tf.ones([2]))


def test_bad_options_and_late_calls_are_refused(tmp_path: Path) -> None:
    """What cannot be meant is an error at once."""
    for options in ({"name": ""}, {"every": 0}, {"flush_secs": 0}, {"ring_rows": 0}):
        with pytest.raises(ValueError, match="must be"):
            Recorder(tmp_path, **options)
    recorder = Recorder(tmp_path)
    recorder.close()
    recorder.close()
    with pytest.raises(ValueError, match="closed"):
        recorder.write(data_loss=1.0)
    with pytest.raises(TypeError, match="data_loss"):
        Recorder(tmp_path).write(0)
    for number in (1j, tf.complex(1.0, 2.0)):
        with pytest.raises(TypeError, match="data_loss must be one number, not"):
            Recorder(tmp_path).write(0, number)
    with tf.Graph().as_default(), pytest.raises(RuntimeError, match="RegularizationHook"):
        Recorder(tmp_path).write(data_loss=1.0)
