"""The log of a model's trainings: what the callbacks of both Kerases have in common."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Callable
from typing import Any

from tb_regplugin.capture import internals
from tb_regplugin.capture.recorded_step import TEST, TRAIN, StepFactory
from tb_regplugin.capture.safety import FailSafe, RecordingError
from tb_regplugin.capture.session import TrainingSession, ValidationSession, disarm
from tb_regplugin.writing.arguments import CopiedAsUnused, check_options, path_of
from tb_regplugin.writing.blocks import BlockWriter
from tb_regplugin.writing.event_file import EventFile

# A function is called for each model, when its recording begins.
LogDir = str | os.PathLike[str] | Callable[[], str | os.PathLike[str]]


class _Writers:
    """The writers of a log directory, whose runs are ``train`` and ``validation``."""

    def __init__(self, log_dir: str | os.PathLike[str], flush_secs: float) -> None:
        self._directory, validation = (
            os.path.join(os.fspath(log_dir), run) for run in ("train", "validation")
        )
        self._flush_secs = flush_secs
        self._file = EventFile(self._directory)
        self.of_training: dict[str, BlockWriter] = {}
        self.validations = BlockWriter(validation, flush_secs=flush_secs, is_first=False)

    def writer_of(self, name: str) -> BlockWriter:
        """Returns the writer of one of the training's recordings."""
        if name not in self.of_training:
            self.of_training[name] = BlockWriter(
                self._directory,
                name,
                self._flush_secs,
                self._file,
                is_first=not self.of_training,
            )
        return self.of_training[name]


class TrainingLog:
    """Files and sessions of a callback; outlives it to write the last rows.

    Raises:
      ValueError: ``log_dir`` is empty, ``every`` is less than 1, or ``flush_secs`` is not
        positive.
    """

    def __init__(
        self,
        log_dir: LogDir,
        every: int,
        flush_secs: float,
        step_of: StepFactory,
    ) -> None:
        check_options(every=every, flush_secs=flush_secs)
        self._step_of = step_of
        self._every = every
        self._flush_secs = flush_secs
        self._log_dir = log_dir if callable(log_dir) else path_of(log_dir)
        # Each model's own, to which it comes back.
        self._directories: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._writers: _Writers | None = None
        self._recorded: Callable[[], Any] = lambda: None
        self._fail_safe = FailSafe()
        self._validation_fail_safe = FailSafe("validation")
        self._training: TrainingSession | None = None
        self._validations: ValidationSession | None = None
        self._has_exit_hook = False

    def begin(self, model: Any) -> None:
        """Prepares to record a training."""
        self._fail_safe.run(self._begin, model)

    def arm(self) -> None:
        """Lets the coming step be recorded."""
        training = self._training
        if training is None:
            return
        if training.has_written and not self._has_exit_hook:
            # Exit hooks run in reverse order: what waits on the device goes to the writers before
            # they close.
            atexit.register(self.close)
            self._has_exit_hook = True
        self._fail_safe.run(training.arm)

    def drain(self) -> None:
        """Writes what is recorded so far."""
        if self._training is not None:
            self._fail_safe.run(self._training.drain)

    def finish(self) -> None:
        """Writes the rest of a training."""
        training, self._training = self._training, None
        self._validations = None
        if training is not None:
            self._fail_safe.run(training.finish)
        if self._writers is not None:
            for writer in self._writers.of_training.values():
                self._fail_safe.run(writer.flush)
            self._validation_fail_safe.run(self._writers.validations.flush)

    def begin_validation(self) -> None:
        """Prepares to record a validation."""
        # Not where somebody else evaluates with this callback: that is no training.
        if self._training is None or self._validations is None:
            return
        # The last execution of an epoch may have had fewer steps than expected.
        self.drain()
        number = self._training.next_step
        if number is not None and not self._fail_safe.failed:
            self._validation_fail_safe.run(self._validations.begin, number)

    def arm_validation(self) -> None:
        """Lets the coming batch be recorded."""
        if self._validations is not None:
            self._validation_fail_safe.run(self._validations.arm)

    def end_validation(self) -> None:
        """Writes the validation's row."""
        if self._validations is not None:
            self._validation_fail_safe.run(self._validations.end)

    def close(self) -> None:
        """Writes what there is and closes the files."""
        atexit.unregister(self.close)
        step = None if self._training is None else self._training.step
        if step is not None and not step.is_collective:
            self.drain()
        self._close_writers()

    def _close_writers(self) -> None:
        if self._writers is not None:
            for writer in self._writers.of_training.values():
                self._fail_safe.run(writer.close)
            self._validation_fail_safe.run(self._writers.validations.close)

    def _begin(self, model: Any) -> None:
        disarm(model, TRAIN)
        disarm(model, TEST)
        strategy = getattr(model, "distribute_strategy", None)
        if internals.runs_in_several_processes(strategy) and not internals.is_recorded_by_all(
            strategy, str(self._every)
        ):
            raise RecordingError(
                "not all processes of its strategy record it alike, as they have to: their rows "
                "are added up. Give each of them this callback; the chief alone writes"
            )
        # What an exception has left.
        self.drain()
        writers = self._writers_for(model)
        self._training = TrainingSession(
            model,
            self._step_of,
            self._fail_safe,
            writers.writer_of,
            every=self._every,
            drain_secs=self._flush_secs / 2,
        )
        self._validations = ValidationSession(
            model, self._step_of, self._validation_fail_safe, writers.validations
        )

    def _writers_for(self, model: Any) -> _Writers:
        """Returns those that go on where this model's training has ended, or new ones."""
        if self._writers is None or self._recorded() is not model:
            self._close_writers()
            # The exit hook has to come after theirs.
            atexit.unregister(self.close)
            self._has_exit_hook = False
            log_dir = self._directories.get(model, self._log_dir)
            self._directories[model] = path_of(log_dir() if callable(log_dir) else log_dir)
            self._writers = _Writers(self._directories[model], self._flush_secs)
            self._recorded = weakref.ref(model)
        return self._writers


class RecordsTraining(CopiedAsUnused):
    """What the callbacks of both Kerases do around a training."""

    model: Any

    def _record_to(self, log: TrainingLog) -> None:
        self._log = log
        weakref.finalize(self, log.close).atexit = False

    # No on_train_batch_end: with it, Keras waits for each step. And self.model only as a training
    # begins: later, it brings JAX's state back to the model.

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
