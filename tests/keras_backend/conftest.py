"""Set-up of a process that has one Keras backend."""

import os

import pytest

if "TB_REGPLUGIN_KERAS_TESTS" not in os.environ:
    collect_ignore_glob = ["test_*.py"]
elif os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    import tensorflow as tf

    # Two devices for MirroredStrategy; possible only before TensorFlow's first operation.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )


@pytest.fixture
def log_dir(tmp_path) -> str:
    """Where a test's trainings are recorded."""
    return str(tmp_path / "logs")
