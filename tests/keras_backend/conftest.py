"""Set-up of a process that has one Keras backend, ``KERAS_BACKEND``."""

import os
from pathlib import Path
from typing import Any

import pytest

if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    import tensorflow as tf

    # Two devices for MirroredStrategy; possible only before TensorFlow's first operation.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )


@pytest.fixture(autouse=True)
def _losses_keep_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what layers add to a loss alive: on JAX, Keras knows it by its ``id``.

    Keras 3.15 forgets the ids of a trace only when the layer is called again, by which time another
    layer's loss may have one of them: it is then left out of what Keras trains on, and of its logs.
    """
    if os.environ.get("KERAS_BACKEND") == "jax":
        import keras

        add_loss, kept = keras.StatelessScope.add_loss, []

        def add_and_keep(scope: Any, loss: Any) -> None:
            kept.append(loss)
            add_loss(scope, loss)

        monkeypatch.setattr(keras.StatelessScope, "add_loss", add_and_keep)


@pytest.fixture
def log_dir(tmp_path: Path) -> str:
    """Where a test's trainings are recorded."""
    return str(tmp_path / "logs")
