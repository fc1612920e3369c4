"""Copies of a callback, and one callback for several models: searches and cross-validations."""

import copy
import itertools
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback, load
from tests.keras_backend.models import (
    BATCH,
    BATCHES,
    X,
    Y,
    compiled_model,
    expected_rows,
    fit,
    recording,
)


def _pickled(callback: Any) -> Any:
    return pickle.loads(pickle.dumps(callback))


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy, _pickled])
def test_a_copy_is_an_unused_callback_of_the_same_arguments(
    make_copy: Callable[[Any], Any], log_dir: str
) -> None:
    """Before the callback is used and after; also of a class of one's own."""
    used = _EverySecond(log_dir)
    unused = make_copy(used)
    fit(compiled_model(), used)
    for at, copied in enumerate([unused, make_copy(used)]):
        assert type(copied) is _EverySecond
        model = compiled_model()
        # The directory is the same, so this takes the place of what was there.
        with pytest.warns(RuntimeWarning, match="already holds a recording"):
            fit(model, copied)
        assert recording(log_dir).steps.tolist() == [0, 2, 4, 6], at
        np.testing.assert_allclose(
            recording(log_dir).values, expected_rows(BATCHES)[::2], rtol=1e-5
        )


class _EverySecond(RegularizationCallback):
    def __init__(self, where: str) -> None:
        super().__init__(where, every=2)


def _build(strength: float) -> Any:
    keras.utils.set_random_seed(1)
    layer = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(strength), name="d")
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile("sgd", "mse")
    return model


def test_each_trial_of_a_search_has_a_directory_of_its_own(tmp_path: Path) -> None:
    """KerasTuner deep-copies callbacks for each trial; the log directory is a function."""
    keras_tuner = pytest.importorskip("keras_tuner")
    numbers = itertools.count()
    callback = RegularizationCallback(lambda: tmp_path / f"trial_{next(numbers)}")
    strengths = [0.5, 0.25, 0.125]
    tuner = keras_tuner.GridSearch(
        lambda choices: _build(choices.Choice("l2", strengths)),
        objective=keras_tuner.Objective("loss", "min"),
        directory=tmp_path / "tuner",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        tuner.search(X, Y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[callback])
    runs = load(tmp_path)
    assert list(runs) == [f"trial_{n}/train" for n in range(3)]
    by_strength = {run.columns[-1].strength: run for run in runs.values()}
    assert set(by_strength) == set(strengths)
    for strength in strengths:
        run, weights = by_strength[strength], _build(strength).get_weights()[0].astype("float64")
        assert run.steps.tolist() == list(range(BATCHES))
        np.testing.assert_allclose(run.values[0, -1], strength * np.sum(weights**2), rtol=1e-6)


def test_one_callback_for_several_models_asks_once_for_each(tmp_path: Path) -> None:
    """A model that is fitted again goes on where it was recorded, with its validations."""
    numbers = itertools.count()
    callback = RegularizationCallback(lambda: tmp_path / f"fold_{next(numbers)}")
    first, second = _build(0.5), _build(0.25)
    validation = (np.zeros((4, 5)), np.zeros((4, 2)))
    for model in (first, first, second, first):
        fit(model, callback, validation_data=validation)
    runs = load(tmp_path)
    assert {name: len(run.steps) for name, run in runs.items()} == {
        "fold_0/train": 3 * BATCHES,
        "fold_0/validation": 3,
        "fold_1/train": BATCHES,
        "fold_1/validation": 1,
    }
    assert runs["fold_0/train"].columns[-1].strength == 0.5
    assert runs["fold_1/train"].columns[-1].strength == 0.25


def test_a_function_that_fails_is_one_warning(log_dir: str) -> None:
    """Training goes on."""
    model = compiled_model()
    with pytest.warns(RuntimeWarning, match="ZeroDivisionError") as caught:
        fit(model, RegularizationCallback(lambda: str(1 // 0)))
    assert len([w for w in caught if "tb_regplugin" in str(w.message)]) == 1
    assert int(model.optimizer.iterations) == BATCHES
