"""The model is as it was, however training ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback
from tests.keras_backend.models import BATCHES, X, Y, compiled_model, fit, fits_again, recording


class _Raises(keras.callbacks.Callback):
    """Raises at one moment of a training."""

    def __init__(self, error: type[BaseException], *, moment: str, batch: int) -> None:
        super().__init__()
        self._error, self._moment, self._batch = error, moment, batch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._maybe("begin", batch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._maybe("end", batch)

    def _maybe(self, moment: str, batch: int) -> None:
        if moment == self._moment and batch == self._batch:
            raise self._error("stop")


class _Snapshots(keras.callbacks.Callback):
    """Notes what the model's attributes are between batches."""

    def __init__(self) -> None:
        super().__init__()
        self.snapshots = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.snapshots.append(_attributes(self._model))


def _attributes(model: Any) -> dict:
    names = ("train_function", "train_step", "compute_loss", "_aggregate_additional_loss")
    return {
        **{name: model.__dict__.get(name) for name in names},
        "loss": dict(vars(model._compile_loss)).get("call"),
        "keys": set(model.__dict__),
        "metrics": [metric.name for metric in model.metrics],
        "metric variables": [variable.path for variable in model.metrics_variables],
    }


def test_the_model_is_pristine_between_batches(log_dir: str) -> None:
    """A callback that looks at the model, or saves it, sees nothing of the recording."""
    model = compiled_model()
    bare, recorded = _Snapshots(), _Snapshots()
    fit(model, bare)
    fit(model, RegularizationCallback(log_dir), recorded)
    assert bare.snapshots[-1] == recorded.snapshots[0] == recorded.snapshots[-1]
    assert _attributes(model) == bare.snapshots[0] | {"keys": set(model.__dict__)}


@fits_again
@pytest.mark.parametrize("moment", ["begin", "end"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_in_a_callback_leaves_the_model_as_it_was(
    error: Any, moment: str, log_dir: str
) -> None:
    """The next training is not recorded unless asked, and one that is goes on."""
    model = compiled_model()
    fit(model)
    before = _attributes(model)
    callback = RegularizationCallback(log_dir)
    with pytest.raises(error):
        fit(model, callback, _Raises(error, moment=moment, batch=3))
    if moment == "end":
        assert _attributes(model) == before
    fit(model)
    assert _attributes(model) == before
    fit(model, callback)
    done = 3 if moment == "begin" else 4
    second = 2 * BATCHES + done
    assert recording(log_dir).steps.tolist() == [
        *range(BATCHES, BATCHES + done),
        *range(second, second + BATCHES),
    ]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_in_the_data_leaves_the_model_as_it_was(error: Any, log_dir: str) -> None:
    """What was recorded before it is written."""

    class Data(keras.utils.PyDataset):
        def __len__(self) -> Any:
            return BATCHES

        def __getitem__(self, index: Any) -> Any:
            if index == 3:
                raise error("stop")
            return X[:10], Y[:10]

    if error is KeyboardInterrupt and keras.config.backend() == "tensorflow":
        pytest.skip("TensorFlow's data threads turn it into another error")
    model = compiled_model()
    fit(model)
    before = _attributes(model)
    callback = RegularizationCallback(log_dir)
    with pytest.raises(Exception if error is ValueError else KeyboardInterrupt):
        model.fit(Data(), verbose=0, shuffle=False, callbacks=[callback])
    assert _attributes(model) == before
    # As when the callback is collected, or the process exits.
    callback._log.close()
    steps = recording(log_dir).steps.tolist()
    assert steps == list(range(BATCHES, BATCHES + len(steps)))
    assert len(steps) >= 2


def test_the_logs_keep_their_keys(log_dir: str) -> None:
    """Other callbacks see the metrics that they see without recording."""
    bare = fit(compiled_model(metrics=["mae"]), validation_split=0.3).history
    recorded = fit(
        compiled_model(metrics=["mae"]), RegularizationCallback(log_dir), validation_split=0.3
    ).history
    assert bare == recorded


def test_data_of_unknown_length_is_recorded_to_its_end(log_dir: str) -> None:
    """Also where an execution of several steps ends early."""

    def batches() -> Iterator[Any]:
        for first in range(0, 70, 10):
            yield X[first : first + 10], Y[first : first + 10]

    options = {} if keras.config.backend() == "torch" else {"steps_per_execution": 3}
    model = compiled_model(**options)
    model.fit(batches(), verbose=0, callbacks=[RegularizationCallback(log_dir)])
    assert recording(log_dir).steps.tolist() == list(range(BATCHES))


def test_two_callbacks_on_one_training_are_refused_with_a_warning(tmp_path: Path) -> None:
    """The first one records, the second says why it doesn't."""
    callbacks = [RegularizationCallback(str(tmp_path / name)) for name in "ab"]
    with pytest.warns(RuntimeWarning, match="another RegularizationCallback"):
        fit(compiled_model(), *callbacks)
    assert recording(str(tmp_path / "a")).steps.tolist() == list(range(BATCHES))
    assert not (tmp_path / "b").exists()


def test_train_on_batch_and_evaluate_are_not_recorded(log_dir: str) -> None:
    """Only what ``fit`` trains is a row."""
    model = compiled_model()
    fit(model, RegularizationCallback(log_dir), validation_split=0.3)
    recorded = len(recording(log_dir).steps)
    model.evaluate(X, Y, verbose=0)
    model.train_on_batch(X, Y)
    assert len(recording(log_dir).steps) == recorded
    assert np.isfinite(recording(log_dir).values).all()
