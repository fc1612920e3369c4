"""The Keras callback that records what penalty terms do to a training."""

from __future__ import annotations

import atexit
import functools
import os
import weakref
from typing import Any

try:
    import keras
except ImportError as error:
    raise ImportError(
        "RegularizationCallback needs Keras 3, with TensorFlow for instance: "
        'pip install "tb_regplugin[tensorflow]"'
    ) from error

from tb_regplugin.capture.armed_function import disarm
from tb_regplugin.capture.fail_safe import FailSafe
from tb_regplugin.capture.keras_training import RecordedTraining
from tb_regplugin.capture.keras_validation import RecordedValidations
from tb_regplugin.capture.step_kind import TEST, TRAIN
from tb_regplugin.terms import Layout
from tb_regplugin.writing.block_writer import BlockWriter


class RegularizationCallback(keras.callbacks.Callback):  # type: ignore[misc]
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

    If recording fails, because the disk is full for instance, that is one warning, and training
    goes on.

    Args:
      log_dir: The log directory. Events go to its subdirectories ``train`` and ``validation``,
        where Keras' own ``TensorBoard`` callback writes, so that both have the same run names.
      every: Record the steps that this number divides.
      flush_secs: How long a row may wait before it is on disk, in seconds. In a long training
        this grows to 1 % of its time, at most 120 s.

    Raises:
      ValueError: ``every`` is less than 1, or ``flush_secs`` is not positive.

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

    def __init__(self, log_dir: str | os.PathLike[str], *, every: int = 1, flush_secs: float = 5.0):
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be 1 or more, not {every!r}.")
        if not flush_secs > 0:
            raise ValueError(f"flush_secs must be positive, not {flush_secs!r}.")
        self._log = _Log(os.fspath(log_dir), every, flush_secs)
        weakref.finalize(self, self._log.close).atexit = False

    # Neither on_train_batch_end nor self.model are used: with the one, Keras waits for each step,
    # with the other, it brings JAX's state back to the model.

    def on_train_begin(self, logs: Any = None) -> None:
        """Prepares to record a training."""
        self._log.begin(self._model)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Lets the coming step be recorded."""
        self._log.arm()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes what is recorded so far."""
        self._log.drain()

    def on_test_begin(self, logs: Any = None) -> None:
        """Prepares to record a validation."""
        self._log.begin_validation()

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Lets the coming batch be recorded."""
        self._log.arm_validation()

    def on_test_end(self, logs: Any = None) -> None:
        """Writes the validation's row."""
        self._log.end_validation()

    def on_train_end(self, logs: Any = None) -> None:
        """Writes the rest."""
        self._log.finish()


class _Log:
    """Outlives the callback by what is needed to write the last rows."""

    def __init__(self, log_dir: str, every: int, flush_secs: float) -> None:
        self._every = every
        self._flush_secs = flush_secs
        self._writer, self._validation_writer = (
            BlockWriter(os.path.join(log_dir, run), flush_secs=flush_secs)
            for run in ("train", "validation")
        )
        self._fail_safe = FailSafe()
        self._validation_fail_safe = FailSafe("validation")
        self._training: RecordedTraining | None = None
        self._validations: RecordedValidations | None = None
        self._exit_hook = functools.partial(_close_if_alive, weakref.ref(self))
        self._has_exit_hook = False

    def begin(self, model: Any) -> None:
        self._fail_safe.run(self._begin, model)

    def arm(self) -> None:
        if self._training is not None:
            self._fail_safe.run(self._training.arm)

    def drain(self) -> None:
        if self._training is not None:
            self._fail_safe.run(self._training.drain)

    def finish(self) -> None:
        training, self._training = self._training, None
        self._validations = None
        if training is not None:
            self._fail_safe.run(training.finish)
        self._fail_safe.run(self._writer.flush)
        self._validation_fail_safe.run(self._validation_writer.flush)

    def begin_validation(self) -> None:
        # Not where somebody else evaluates with this callback: that is no training.
        if self._training is None or self._validations is None:
            return
        # The last execution of an epoch may have had fewer steps than expected.
        self.drain()
        number = self._training.next_step
        if number is not None and not self._fail_safe.failed:
            self._validation_fail_safe.run(self._validations.begin, number)

    def arm_validation(self) -> None:
        if self._validations is not None:
            self._validation_fail_safe.run(self._validations.arm)

    def end_validation(self) -> None:
        if self._validations is not None:
            self._validation_fail_safe.run(self._validations.end)

    def close(self) -> None:
        atexit.unregister(self._exit_hook)
        if self._training is not None and not self._training.is_collective:
            self.drain()
        self._fail_safe.run(self._writer.close)
        self._validation_fail_safe.run(self._validation_writer.close)

    def _begin(self, model: Any) -> None:
        disarm(model, TRAIN)
        disarm(model, TEST)
        # What an exception has left.
        self.drain()
        self._training = RecordedTraining(
            model,
            self._append,
            self._fail_safe,
            every=self._every,
            drain_secs=self._flush_secs / 2,
        )
        self._validations = RecordedValidations(
            model, self._validation_writer.append, self._validation_fail_safe
        )

    def _append(self, layout: Layout, *rows: Any) -> None:
        self._writer.append(layout, *rows)
        if not self._has_exit_hook:
            # Exit hooks run last come, first served: this one before the writer's own.
            atexit.register(self._exit_hook)
            self._has_exit_hook = True


def _close_if_alive(reference: weakref.ref[_Log]) -> None:
    log = reference()
    if log is not None:
        log.close()
