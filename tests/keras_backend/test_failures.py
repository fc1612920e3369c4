"""What goes wrong with recording never stops a training."""

import errno
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback
from tb_regplugin.capture.keras import terms
from tb_regplugin.capture.keras.ring import RingVariables
from tb_regplugin.writing.event_file import EventFile
from tests.keras_backend.models import BATCHES, compiled_model, fit, recording

_KILLED = """
import os, signal, sys, time
import keras
from tb_regplugin import RegularizationCallback
from tests.keras_backend.models import compiled_model, fit

class Kill(keras.callbacks.Callback):
    times = []
    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.time())
        time.sleep(0.01)
        if len(self.times) == 300:
            print(self.times, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

fit(compiled_model(), RegularizationCallback(sys.argv[1], flush_secs=1.0), Kill(), epochs=100)
"""


def test_a_killed_training_loses_at_most_a_flush_interval(log_dir: str) -> None:
    """After SIGKILL, the rows that were older than the interval are there."""
    result = subprocess.run(
        [sys.executable, "-c", _KILLED, log_dir], capture_output=True, text=True
    )
    assert result.returncode == -9, result.stderr
    times = np.array(json.loads(result.stdout))
    steps = recording(log_dir).steps.tolist()
    assert steps == list(range(len(steps)))
    # What the machine is busy with may delay the writing thread a little.
    due = np.count_nonzero(times < times[-1] - 1.5)
    assert due > 50
    assert len(steps) >= due


@pytest.mark.skipif(keras.config.backend() != "torch", reason="torch.compile is PyTorch's")
def test_a_step_of_torch_compile_is_trained_as_ever_and_said_not_to_be_recorded(
    log_dir: str,
) -> None:
    """With what to do to record it. Compiling would take minutes, and is left out."""
    import torch

    weights = []
    with torch.compiler.set_stance("force_eager"):
        for callbacks in ([], [RegularizationCallback(log_dir)]):
            model = compiled_model(jit_compile=True)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                fit(model, *callbacks)
            weights.append(model.get_weights())
    (told,) = _tb_warnings(caught)
    assert "steps that torch.compile compiles are not recorded" in told
    assert "jit_compile=False" in told
    for without, with_recording in zip(*weights, strict=True):
        np.testing.assert_array_equal(without, with_recording)
    assert not os.path.exists(log_dir)


def _tb_warnings(caught: Any) -> list[str]:
    return [str(w.message) for w in caught if "tb_regplugin" in str(w.message)]


def test_a_full_disk_is_one_warning_and_training_goes_on(
    log_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written before stays readable."""
    write, blocks = EventFile.write, []

    def full_after_three_events(self: Any, event: Any) -> None:
        blocks.append(event)
        if len(blocks) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(self, event)

    monkeypatch.setattr(EventFile, "write", full_after_three_events)
    model = compiled_model()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, RegularizationCallback(log_dir, flush_secs=0.01), epochs=5)
        fit(model, RegularizationCallback(log_dir + "2", flush_secs=0.01))
    assert len([text for text in _tb_warnings(caught) if "No space left" in text]) == 2
    assert int(model.optimizer.iterations) == 6 * BATCHES
    assert recording(log_dir).steps[0] == 0


def test_a_log_directory_that_cannot_be_made_is_one_warning(tmp_path: Path) -> None:
    """Training runs to its end."""
    (tmp_path / "file").write_text("")
    model = compiled_model()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, RegularizationCallback(str(tmp_path / "file" / "logs")), epochs=3)
    assert len(_tb_warnings(caught)) == 1
    assert int(model.optimizer.iterations) == 3 * BATCHES


def test_a_log_directory_removed_during_training_does_not_stop_it(log_dir: str) -> None:
    """At most one warning, and training runs to its end."""

    class Remove(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            shutil.rmtree(log_dir, ignore_errors=True)

    model = compiled_model()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, RegularizationCallback(log_dir, flush_secs=0.01), Remove(), epochs=4)
    assert len(_tb_warnings(caught)) <= 1
    assert int(model.optimizer.iterations) == 4 * BATCHES


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (terms, "describe_losses"),
        (terms, "count_columns"),
        (RingVariables, "write"),
        (RingVariables, "read"),
    ],
)
def test_an_error_in_the_recorder_is_one_warning(
    module: Any, name: Any, log_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training gives what it gives without the callback."""

    def fails(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken on purpose")

    bare = compiled_model()
    fit(bare, epochs=2)
    monkeypatch.setattr(module, name, fails)
    model = compiled_model()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, RegularizationCallback(log_dir), epochs=2)
    (message,) = _tb_warnings(caught)
    assert "broken on purpose" in message
    for expected, actual in zip(bare.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(expected, actual)


def test_arguments_out_of_range_are_refused() -> None:
    """The message says what is allowed."""
    with pytest.raises(ValueError, match="every must be 1 or more, not 0"):
        RegularizationCallback("logs", every=0)
    with pytest.raises(ValueError, match="flush_secs must be positive"):
        RegularizationCallback("logs", flush_secs=0)


def test_making_a_callback_touches_no_disk(tmp_path: Path) -> None:
    """The directory comes with the first row, and its parent's name is the run's."""
    log_dir = Path(tmp_path) / "logs"
    callback = RegularizationCallback(log_dir)
    assert not log_dir.exists()
    fit(compiled_model(), callback)
    assert [path.name for path in log_dir.iterdir()] == ["train"]


def test_a_training_of_which_no_row_came_says_why(log_dir: str) -> None:
    """Once for each: without a step, and with steps that are not among the chosen ones."""
    model = compiled_model()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, RegularizationCallback(log_dir), epochs=0)
        fit(model)
        fit(model, RegularizationCallback(log_dir, every=100), epochs=2)
    without_step, not_chosen = _tb_warnings(caught)
    assert "recorded nothing of this training: fit ran no step" in without_step
    assert (
        f"none of its steps {BATCHES} to {3 * BATCHES - 1} is a multiple of every=100" in not_chosen
    )
