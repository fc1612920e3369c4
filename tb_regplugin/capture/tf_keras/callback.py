"""The callback that records trainings of tf_keras (Keras 2) models."""

from __future__ import annotations

from typing import Any

try:
    import tf_keras
except ImportError as error:
    raise ImportError("Recording Keras 2 models needs tf_keras: pip install tf_keras") from error

import tensorflow as tf

from tb_regplugin.capture.recorded_step import RecordedStep, StepKind
from tb_regplugin.capture.safety import RecordingError
from tb_regplugin.capture.tf_keras import internals
from tb_regplugin.capture.tf_keras.step import TfKerasStep
from tb_regplugin.capture.training_log import LogDir, RecordsTraining, TrainingLog
from tb_regplugin.notices import warn
from tb_regplugin.writing.arguments import check_options


class RegularizationCallback(RecordsTraining, tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Records the total loss, the data loss and each penalty term of a tf_keras training.

    ``tb_regplugin.RegularizationCallback`` is this class where ``TF_USE_LEGACY_KERAS`` makes
    ``tf.keras`` Keras 2. It records what the class for Keras 3 does, in the same way, except for
    gradients and validations.

    Args:
      log_dir: The log directory. Events go to its subdirectory ``train``. Or a function without
        arguments that returns it, called once for each model, when its recording begins.
      every: Record the steps that this number divides.
      gradients_every: Taken so that one program serves both Kerases. Gradients are not recorded
        here, and a warning says so.
      flush_secs: How long a row may wait before it is on disk, in seconds. In a long training
        this grows to 1 % of its time, at most 120 s.

    Raises:
      ValueError: ``log_dir`` is empty, ``every`` or ``gradients_every`` is less than 1, or
        ``flush_secs`` is not positive.

    Warns:
      RuntimeWarning: ``gradients_every`` is given.

    Example:
      >>> import numpy as np, tempfile, tf_keras
      >>> from tb_regplugin.capture.tf_keras import RegularizationCallback
      >>> model = tf_keras.Sequential([tf_keras.layers.Dense(1, kernel_regularizer="l2")])
      >>> model.compile("sgd", "mse")
      >>> callback = RegularizationCallback(tempfile.mkdtemp())
      >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), callbacks=[callback], verbose=0)
    """

    def __init__(
        self,
        log_dir: LogDir,
        *,
        every: int = 1,
        gradients_every: int | None = None,
        flush_secs: float = 5.0,
    ):
        super().__init__()
        check_options(gradients_every=gradients_every)
        if gradients_every is not None:
            warn(
                "tb_regplugin records losses but no gradients of tf_keras models; with Keras 3, "
                "gradients_every records them."
            )
        internals.take_tensor_logs(self)

        def step_of(model: Any, original: Any, kind: StepKind) -> RecordedStep:
            if not tf.compat.v1.executing_eagerly_outside_functions():
                raise RecordingError(
                    "tf_keras trains in TensorFlow 1's graph mode, which has no training step to "
                    "be recorded. Remove tf.compat.v1.disable_eager_execution() (or "
                    "disable_v2_behavior()), or train the loss in a session of your own with "
                    "RegularizationHook"
                )
            steps = internals.steps_per_execution(model)
            return TfKerasStep.of(model, original, kind, steps)

        self._record_to(TrainingLog(log_dir, every, flush_secs, step_of))
