"""Where gradients can't be recorded, losses are."""

import keras
import pytest

from tb_regplugin import RegularizationCallback, load
from tests.keras_backend.models import BATCHES, compiled_model, fit


@pytest.mark.skipif(keras.config.backend() != "jax", reason="recorded on other backends")
def test_on_jax_a_warning_says_that_there_are_none(log_dir: str) -> None:
    """Every step's losses are there."""
    with pytest.warns(RuntimeWarning, match="losses but no gradients"):
        fit(compiled_model(), RegularizationCallback(log_dir, gradients_every=1))
    assert len(load(log_dir)["train"].steps) == BATCHES
    assert not load(log_dir, name="losses.gradients")
