"""The Keras callback that records what penalty terms do to a training."""

from __future__ import annotations

from typing import Any

try:
    import keras
except ImportError as error:
    raise ImportError(
        "RegularizationCallback needs Keras 3, with TensorFlow for instance: "
        'pip install "tb_regplugin[tensorflow]"'
    ) from error

from tb_regplugin.capture.keras import internals
from tb_regplugin.capture.recorded_step import RecordedStep, StepKind
from tb_regplugin.capture.training_log import LogDir, RecordsTraining, TrainingLog
from tb_regplugin.writing.arguments import check_options


class RegularizationCallback(RecordsTraining, keras.callbacks.Callback):  # type: ignore[misc]
    """Records the total loss, the data loss and each penalty term of a training.

    Every entry of ``model.losses`` (weight and activity regularisers, ``add_loss``) becomes a
    column, with the values that the training step itself added up. It works on Keras' TensorFlow,
    JAX and PyTorch backends, eagerly and compiled, with several steps an execution and under a
    distribution strategy. Training gives the same weights, logs and files as without it.

    The validations of ``fit`` are recorded too, as one row each: the mean over the validation
    batches, weighted by their number of samples as Keras does for ``val_loss``. Their step is the
    number of training steps before them, so the row stands beside the training step that begins
    with the same weights.

    Steps are counted over the model's life: ``fit`` called again goes on, and so does a model
    that was loaded or restored from a checkpoint.

    A copy (``copy``, ``pickle``) is an unused callback with the same arguments.

    If recording fails, because the disk is full for instance, that is one warning, and training
    goes on.

    Args:
      log_dir: The log directory. Events go to its subdirectories ``train`` and ``validation``,
        where Keras' own ``TensorBoard`` callback writes, so that both have the same run names. Or
        a function without arguments that returns it: it is called once for each model, when its
        recording begins, so that each of a search or cross-validation gets a directory of its own.
      every: Record the steps that this number divides.
      gradients_every: Of how many recorded steps one has its gradients recorded, too: how hard
        each L1 and L2 penalty pulls, as the norm of its gradient, that of the rest of the loss on
        the same variable, and the cosine of both. 1 is all of them, None is none. TensorFlow and
        PyTorch only.
      flush_secs: How long a row may wait before it is on disk, in seconds. In a long training
        this grows to 1 % of its time, at most 120 s.

    Raises:
      ImportError: This Keras is too old; the message says which is needed.
      ValueError: ``log_dir`` is empty, ``every`` or ``gradients_every`` is less than 1, or
        ``flush_secs`` is not positive.

    Example:
      >>> import keras, numpy as np, tempfile
      >>> from tb_regplugin import RegularizationCallback
      >>> model = keras.Sequential(
      ...     [keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.01))]
      ... )
      >>> model.compile("sgd", "mse")
      >>> log_dir = tempfile.mkdtemp()
      >>> x, y = np.ones((8, 2)), np.ones((8, 1))
      >>> history = model.fit(x, y, callbacks=[RegularizationCallback(log_dir)], verbose=0)
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
        internals.require_version(keras.__version__)
        # What an older Keras lacks, it imports.
        from tb_regplugin.capture.keras.step import KerasStep

        check_options(gradients_every=gradients_every)

        def step_of(model: Any, original: Any, kind: StepKind) -> RecordedStep:
            steps = int(model.steps_per_execution)
            return KerasStep.of(model, original, kind, steps, gradients_every)

        self._record_to(TrainingLog(log_dir, every, flush_secs, step_of))

    def on_test_begin(self, logs: Any = None) -> None:
        """Prepares to record a validation."""
        self._log.begin_validation()

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Lets the coming batch be recorded."""
        self._log.arm_validation()

    def on_test_end(self, logs: Any = None) -> None:
        """Writes the validation's row."""
        self._log.end_validation()
