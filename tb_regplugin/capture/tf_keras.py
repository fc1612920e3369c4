"""The callback that records trainings of tf_keras (Keras 2) models."""

from __future__ import annotations

import os
import weakref
from typing import Any

try:
    import tf_keras
except ImportError as error:
    raise ImportError("Recording Keras 2 models needs tf_keras: pip install tf_keras") from error

from tb_regplugin.capture.tf_keras_step import TfKerasStep
from tb_regplugin.capture.training_log import TrainingLog


class RegularizationCallback(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Records the total loss, the data loss and each penalty term of a tf_keras training.

    ``tb_regplugin.RegularizationCallback`` is this class where ``TF_USE_LEGACY_KERAS`` makes
    ``tf.keras`` Keras 2. It records what the class for Keras 3 does, in the same way, except for
    validations, and for a ``train_step`` that asks neither ``compute_loss`` nor
    ``compiled_loss``.

    Args:
      log_dir: The log directory. Events go to its subdirectory ``train``.
      every: Record the steps that this number divides.
      flush_secs: How long a row may wait before it is on disk, in seconds. In a long training
        this grows to 1 % of its time, at most 120 s.

    Raises:
      ValueError: ``every`` is less than 1, or ``flush_secs`` is not positive.

    Example:
      >>> import numpy as np, tempfile, tf_keras
      >>> from tb_regplugin.capture.tf_keras import RegularizationCallback
      >>> model = tf_keras.Sequential([tf_keras.layers.Dense(1, kernel_regularizer="l2")])
      >>> model.compile("sgd", "mse")
      >>> callback = RegularizationCallback(tempfile.mkdtemp())
      >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), callbacks=[callback], verbose=0)
    """

    def __init__(self, log_dir: str | os.PathLike[str], *, every: int = 1, flush_secs: float = 5.0):
        super().__init__()
        # Without it, Keras brings each step's logs to the host.
        self._supports_tf_logs = True
        self._log = TrainingLog(log_dir, every, flush_secs, TfKerasStep.of)
        weakref.finalize(self, self._log.close).atexit = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Prepares to record a training."""
        self._log.begin(self.model)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Lets the coming step be recorded."""
        self._log.arm()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes what is recorded so far."""
        self._log.drain()

    def on_train_end(self, logs: Any = None) -> None:
        """Writes the rest."""
        self._log.finish()
