"""Recording from tf_keras models, and the same way of regularising in both Keras."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tb_regplugin import Recording, load

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
    assert fits[0] == fits[1], options
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
    if package == "tf_keras":
        pytest.importorskip("tf_keras")
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
