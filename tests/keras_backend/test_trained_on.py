"""The recorded total is what the step trained on, in training steps that others wrote."""

import warnings
from typing import Any

import keras
import numpy as np
import pytest

from tb_regplugin import RegularizationCallback, load
from tests.keras_backend.models import X, Y
from tests.keras_backend.own_steps import (
    BATCH,
    MODES,
    PROGRAMS,
    UNKNOWN_EAGERLY,
    InTurn,
    OwnStep,
    Scaled,
    batches,
    compiled_model,
    expected_rows,
    fit,
    twice,
)

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="only TensorFlow has gradient tapes"
)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", PROGRAMS)
def test_the_total_and_its_parts_are_those_of_what_is_differentiated(
    cls: Any, mode: str, log_dir: str
) -> None:
    """To six digits of a computation in NumPy, and the weights are bit-equal."""
    plain = fit(compiled_model(cls, mode))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert fit(compiled_model(cls, mode), RegularizationCallback(log_dir)) == plain
    messages = [str(each.message) for each in caught if "tb_regplugin" in str(each.message)]
    recorded = load(log_dir)["train"]
    values = dict(zip([term.name for term in recorded.columns], recorded.values.T, strict=True))
    expected = expected_rows(cls)
    if mode == "eager" and cls in UNKNOWN_EAGERLY:
        assert len(messages) == 1
        assert list(values) == ["d/kernel"]
        return
    # Penalties that a graph adds twice are found there, and said once.
    assert [message.partition(", which")[0] for message in messages] == [
        "tb_regplugin: d/kernel is added to the loss 2 times"
    ] * (PROGRAMS[cls] is twice and mode != "eager")
    totals = [sum(row.values()) for row in expected]
    np.testing.assert_allclose(values.pop("total"), totals, rtol=2e-6)
    if mode != "eager":
        assert set(values) == set(expected[0])
        for name, column in values.items():
            np.testing.assert_allclose(column, [row[name] for row in expected], rtol=2e-6)


@pytest.mark.parametrize("cls", [OwnStep, Scaled])
def test_mixed_precision(cls: Any, log_dir: str) -> None:
    """The loss is recorded without its scale."""
    plain = fit(compiled_model(cls, dtype="mixed_float16"))
    model = compiled_model(cls, dtype="mixed_float16")
    weights = model.get_weights()
    assert fit(model, RegularizationCallback(log_dir)) == plain
    recorded = load(log_dir)["train"]
    expected = PROGRAMS[cls](weights, X[:BATCH], Y[:BATCH])
    assert [term.name for term in recorded.columns] == ["total", *expected]
    np.testing.assert_allclose(
        recorded.values[0], [sum(expected.values()), *expected.values()], rtol=2e-3
    )
    np.testing.assert_allclose(
        recorded.values[:, 0], recorded.values[:, 1:].sum(1, dtype="float64"), rtol=1e-5
    )


def test_a_total_that_cannot_be_told_is_not_recorded_and_that_is_said_once(log_dir: str) -> None:
    """The penalty is, with a note, and the warning names Recorder."""
    with pytest.warns(RuntimeWarning, match="several losses.*Recorder") as caught:
        fit(compiled_model(InTurn), RegularizationCallback(log_dir))
    assert len([each for each in caught if "tb_regplugin" in str(each.message)]) == 1
    recorded = load(log_dir)["train"]
    (term,) = recorded.columns
    assert (term.name, term.role) == ("d/kernel", "penalty")
    assert "is unknown" in str(term.note)
    assert len(recorded.steps) == len(list(batches()))
