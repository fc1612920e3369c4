"""Recording from tf_keras models, and the same way of regularising in both Keras."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tb_regplugin import Recording, load
from tb_regplugin.capture import internals as both
from tb_regplugin.capture.row import Output
from tb_regplugin.capture.tf_keras import RegularizationCallback, internals
from tb_regplugin.command_line import main

# In a process of its own: TensorFlow decides at its import which Keras tf.keras is.
_PROGRAM = """
import json, sys
import numpy as np
import tensorflow as tf
from tb_regplugin import RegularizationCallback

random = np.random.RandomState(0)
x, y = random.randn(60, 5).astype("float32"), random.randn(60, 2).astype("float32")
layers, l2 = tf.keras.layers, tf.keras.regularizers.l2

def model(**options):
    tf.keras.utils.set_random_seed(1)
    model = tf.keras.Sequential([
        layers.Dense(4, kernel_regularizer=l2(0.001), name="hidden"),
        layers.Dense(2, kernel_regularizer=l2(0.001), name="out"),
    ])
    model.build((None, 5))
    model.compile("sgd", "mse", **options)
    return model

reference, expected = model(), []
for epoch in range(2):
    for first in range(0, 60, 10):
        hidden, hidden_bias, out, out_bias = (w.astype("float64") for w in reference.get_weights())
        xs, ys = x[first : first + 10], y[first : first + 10]
        data = np.mean(((xs @ hidden + hidden_bias) @ out + out_bias - ys) ** 2)
        penalties = [0.001 * np.sum(hidden**2), 0.001 * np.sum(out**2)]
        expected.append([data + sum(penalties), data, *penalties])
        reference.train_on_batch(xs, ys)

names = {}
for log_dir, options in json.loads(sys.argv[1]).items():
    fits = []
    for callbacks in ([], [RegularizationCallback(log_dir)]):
        recorded = model(**options)
        history = recorded.fit(
            x, y, batch_size=10, epochs=2, shuffle=False, verbose=0, callbacks=callbacks
        ).history
        fits.append((history, [w.tobytes() for w in recorded.get_weights()]))
    (plain_history, plain_weights), (recorded_history, recorded_weights) = fits
    assert recorded_weights == plain_weights, options
    # The XLA of TensorFlow 2.16 rounds a sum differently, by the last bit, when its summands are
    # also wanted.
    is_old_xla = options.get("jit_compile") and tf.__version__.startswith("2.16.")
    rounding = 2**-23 if is_old_xla else 0
    for name, reported in plain_history.items():
        np.testing.assert_allclose(recorded_history.pop(name), reported, rtol=rounding, atol=0)
    assert not recorded_history, options
    names[log_dir] = recorded.name
print(json.dumps([names, type(recorded).__module__.split(".")[0], expected]))
"""
_OPTIONS: dict[str, dict[str, dict[str, object]]] = {
    "keras": {"default": {}},
    "tf_keras": {
        "default": {},
        "XLA": {"jit_compile": True},
        "eager": {"run_eagerly": True},
        "three steps an execution": {"steps_per_execution": 3},
    },
}


@pytest.mark.parametrize("package", _OPTIONS)
def test_a_sequential_model_with_l2_is_recorded_by_either_keras(
    package: str, tmp_path: Path
) -> None:
    """Kind, strength, coefficient, variable and values, and trainings that are bit-equal."""
    options = {str(tmp_path / mode): options for mode, options in _OPTIONS[package].items()}
    legacy = str(int(package == "tf_keras"))
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(options)],
        env={**os.environ, "TF_USE_LEGACY_KERAS": legacy, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    names, found, expected = json.loads(result.stdout.splitlines()[-1])
    assert found == package
    for log_dir, name in names.items():
        # Keras 3 puts the model's name before its variables' paths.
        _check(load(log_dir)["train"], "" if package == "tf_keras" else f"{name}/", expected)


def _check(recorded: Recording, prefix: str, expected: list[list[float]]) -> None:
    """Compares a recording with what NumPy computed."""
    assert [(term.name, term.role) for term in recorded.columns[:2]] == [
        ("total", "total"),
        ("data", "data"),
    ]
    for term, layer, shape in zip(
        recorded.columns[2:], ("hidden", "out"), ((5, 4), (4, 2)), strict=True
    ):
        assert (term.name, term.variable) == (f"{layer}/kernel", f"{prefix}{layer}/kernel")
        assert (term.kind, term.strength, term.coefficient) == ("l2", 0.001, 0.001)
        assert term.shape == shape
    assert recorded.steps.tolist() == list(range(12))
    np.testing.assert_allclose(recorded.values, expected, rtol=2e-5)


class _Sampling(tf_keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        """Returns a sample, with noise."""
        mean, log_variance = inputs
        return mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))


@pytest.mark.parametrize("loss", [None, "mse"])
def test_an_added_loss_is_the_data_loss_where_there_is_no_other(
    loss: str | None, tmp_path: Path
) -> None:
    """A variational autoencoder whose whole loss is ``model.add_loss``, compiled with no other.

    https://github.com/keras-team/keras/blob/2.3.1/examples/variational_autoencoder.py (long gone
    from Keras, and in many repositories).
    """
    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    x = np.random.RandomState(0).rand(40, 6).astype("float32")
    inputs = layers.Input((6,))
    hidden = layers.Dense(4, "tanh", kernel_regularizer="l2", name="hidden")(inputs)
    mean, log_variance = layers.Dense(2, name="mean")(hidden), layers.Dense(2)(hidden)
    outputs = layers.Dense(6, "sigmoid")(_Sampling()([mean, log_variance]))
    model = tf_keras.Model(inputs, outputs)
    kl = -0.5 * tf.reduce_sum(1 + log_variance - mean**2 - tf.exp(log_variance), axis=-1)
    reconstruction = 6 * tf_keras.losses.binary_crossentropy(inputs, outputs)
    model.add_loss(tf.reduce_mean(reconstruction + kl))
    model.compile("adam", loss)
    callback = RegularizationCallback(tmp_path)
    targets = () if loss is None else (x,)
    history = model.fit(x, *targets, epochs=3, batch_size=40, verbose=0, callbacks=[callback])
    recorded = load(tmp_path)["train"]
    roles = {term.name: term.role for term in recorded.columns}
    assert roles.pop("total") == "total"
    assert roles.pop("hidden/kernel") == "penalty"
    expected = ["data"] if loss is None else ["data", "penalty"]
    assert sorted(roles.values()) == expected
    np.testing.assert_allclose(recorded.values[:, 0], history.history["loss"], rtol=1e-6)
    np.testing.assert_allclose(recorded.values[:, 0], recorded.values[:, 1:].sum(1), rtol=1e-6)


def _check_as_json(log_dir: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    main(["check", str(log_dir), "--format", "json"])
    return json.loads(capsys.readouterr().out)


def test_a_regulariser_set_after_building_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others are none: of a frozen layer, and one whose wrapper names its term otherwise."""
    layers, l2 = tf_keras.layers, tf_keras.regularizers.L2(0.1)
    frozen = layers.Dense(2, kernel_regularizer=l2, trainable=False)
    inner = layers.TimeDistributed(layers.Dense(2, activity_regularizer="l2", bias_regularizer=l2))
    model = tf_keras.Sequential([inner, frozen, layers.Flatten(), layers.Dense(1, name="top")])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 3, 2)), np.ones((8, 1))
    log_dirs = tmp_path / "before", tmp_path / "after"
    model.fit(x, y, verbose=0, callbacks=[RegularizationCallback(log_dirs[0])])
    model.get_layer("top").kernel_regularizer = l2
    with pytest.warns(RuntimeWarning, match="kernel_regularizer of top is set"):
        model.fit(x, y, verbose=0, callbacks=[RegularizationCallback(log_dirs[1])])
    found = [_check_as_json(d, capsys) for d in log_dirs]
    codes = [[f["code"] for f in each["recordings"][0]["findings"]] for each in found]
    assert codes == [[], ["regularizer_without_effect"]]


def test_gradients_are_a_warning_and_bad_options_an_error(tmp_path: Path) -> None:
    """The class takes what that of Keras 3 takes."""
    with pytest.warns(RuntimeWarning, match="no gradients of tf_keras models"):
        RegularizationCallback(tmp_path, every=2, gradients_every=3, flush_secs=1.0)
    for options in ({"every": 0}, {"gradients_every": 0}, {"flush_secs": 0}):
        with pytest.raises(ValueError, match="must be"):
            RegularizationCallback(tmp_path, **options)


_GRAPH_MODE = """
import sys, warnings
import numpy as np, tensorflow as tf, tf_keras
from tb_regplugin.capture.tf_keras import RegularizationCallback
tf.compat.v1.disable_eager_execution()
model = tf_keras.Sequential([tf_keras.layers.Dense(1, kernel_regularizer="l2")])
model.compile("sgd", "mse")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for data in (np.ones((8, 2)), np.ones((8, 1))), (tf.data.Dataset.from_tensors(
        (np.ones((8, 2), "float32"), np.ones((8, 1), "float32"))
    ),):
        callback = RegularizationCallback(sys.argv[1])
        history = model.fit(*data, epochs=2, verbose=0, callbacks=[callback])
        assert len(history.history["loss"]) == 2
print([str(w.message) for w in caught if "tb_regplugin" in str(w.message)])
"""


def test_in_graph_mode_it_says_that_it_cannot_record(tmp_path: Path) -> None:
    """And what can (https://github.com/tensorflow/tensorflow/issues/57645)."""
    result = subprocess.run(
        [sys.executable, "-c", _GRAPH_MODE, tmp_path], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    messages = ast.literal_eval(result.stdout.splitlines()[-1])
    assert len(messages) == 2
    for message in messages:
        assert "Remove tf.compat.v1.disable_eager_execution()" in message
        assert "RegularizationHook" in message


def test_every_private_name_is_there() -> None:
    """Each function of internals does what it says."""
    layers = tf_keras.layers
    inner = tf_keras.Sequential([layers.Dense(2, kernel_regularizer="l2", name="inner")])
    outer = layers.Dense(1, activity_regularizer="l1", name="outer")
    model = tf_keras.Sequential([inner, outer])
    model.add_loss(lambda: 0.5)
    model.compile("sgd", "mse", loss_weights=[2.0], steps_per_execution=3)
    x, y = tf.ones([4, 2]), tf.zeros([4, 1])
    predicted = model(x)

    callback = tf_keras.callbacks.Callback()
    internals.take_tensor_logs(callback)
    assert tf_keras.callbacks.CallbackList([callback])._supports_tf_logs
    assert internals.steps_per_execution(model) == 3

    model.make_train_function()
    own = model.train_function, model.train_tf_function
    made = internals.new_train_function(model)
    assert made is not own[0]
    assert (model.train_function, model.train_tf_function) == own

    found = both.layers_of(model)
    assert found[0] is model
    assert {"inner", "outer"} <= {layer.name for layer in found}
    assert len(internals.own_losses(outer)) == 1
    assert isinstance(internals.activity_regularizer(outer), tf_keras.regularizers.L1)
    assert internals.activity_regularizer(inner) is None
    (loss,) = internals.weight_losses(inner.layers[0])
    regularized = internals.regularized_by(loss)
    assert regularized is not None
    variable, regularizer = regularized
    assert variable is inner.layers[0].kernel
    assert isinstance(regularizer, tf_keras.regularizers.L2)
    (loss,) = internals.weight_losses(model)
    assert internals.regularized_by(loss) is None

    for _ in ("not built before", "built before"):
        reported: list[Output] = []
        container = model.compiled_loss
        with internals.reporting_outputs(container, reported.append):
            total = container(y, predicted)
        assert reported == [Output("data", total)]
        container(y, predicted)
        assert len(reported) == 1


@pytest.mark.parametrize("binds", [False, True], ids=["late", "early"])
def test_lambdas_that_all_read_the_last_layer_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], binds: bool
) -> None:
    """Each column is the penalty that was trained on; that they are one is a finding."""
    dense, kernels = tf_keras.layers.Dense, []
    model = tf_keras.Sequential([dense(4, input_shape=(3,)), dense(4), dense(1)])
    for layer in model.layers:
        if binds:
            model.add_loss(lambda layer=layer: 0.01 * tf.reduce_sum(layer.kernel**2))
        else:
            model.add_loss(lambda: 0.01 * tf.reduce_sum(layer.kernel**2))  # noqa: B023
    model.compile("sgd", "mse")
    seen = tf_keras.callbacks.LambdaCallback(
        on_batch_begin=lambda batch, logs: kernels.append(model.get_weights()[::2])
    )
    x = np.random.default_rng(0).random((48, 3), np.float32)
    callbacks = [seen, RegularizationCallback(tmp_path)]
    model.fit(x, x[:, :1], batch_size=4, verbose=0, callbacks=callbacks)
    norms = [[0.01 * np.square(k, dtype=np.float64).sum() for k in step] for step in kernels]
    expected = np.array(norms)[:, [0, 1, 2] if binds else [2, 2, 2]]
    np.testing.assert_allclose(load(tmp_path)["train"].values[:, 2:], expected, rtol=1e-5)
    (checked,) = _check_as_json(tmp_path, capsys)["recordings"]
    assert [each["code"] for each in checked["findings"]] == ["equal_terms"] * (not binds)
