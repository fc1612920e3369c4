"""Each private name of Keras does what the recording needs it for, on this version and backend."""

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import tb_regplugin
from tb_regplugin.capture import internals as both
from tb_regplugin.capture.keras import internals
from tests.keras_backend.models import X, Y, compiled_model, fit, two_replicas


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    """A model after one epoch."""
    model = compiled_model()
    fit(model)
    return model


@pytest.mark.parametrize("version", ["3.8.0", "3.15.1", "3.20.0.dev1", "4.0.0"])
def test_this_version_and_later_ones_are_taken(version: str) -> None:
    """Nothing is raised."""
    internals.require_version(version)
    internals.require_version(keras.__version__)


@pytest.mark.parametrize("version", ["2.15.0", "3.3.3", "3.7.0"])
def test_an_older_version_is_refused_with_what_to_do(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as a callback is made."""
    from tb_regplugin import RegularizationCallback

    monkeypatch.setattr(keras, "__version__", version)
    with pytest.raises(ImportError, match=rf"needs Keras 3\.8 .* Keras {version}: pip install"):
        RegularizationCallback("logs")


def test_fit_calls_the_function_that_stands_in(trained: keras.Model) -> None:
    """And finds its own again."""
    own, calls = both.function_of(trained, "train_function"), []
    history = both.history_of(trained)

    def stands_in(*args: Any) -> Any:
        calls.append(args)
        return own(*args)

    both.set_function(trained, "train_function", stands_in)
    fit(trained)
    assert len(calls) == 7
    both.set_function(trained, "train_function", own)
    assert both.history_of(trained) is not history is not None


def test_the_compiled_loss_and_its_outputs_are_seen() -> None:
    """The weighted losses of two outputs are those that the step adds up."""
    inputs = keras.Input((5,))
    outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"a": "mse", "b": "mae"}, loss_weights={"a": 2.0, "b": 3.0})
    y = {name: ops.convert_to_tensor(Y[:, :1]) for name in outputs}
    compile_loss = internals.compile_loss_of(model)
    seen = {}

    def observe(losses: Any) -> Any:
        def wrap(entry: Any) -> Any:
            def loss(*args: Any, **kwargs: Any) -> Any:
                seen[entry.name] = entry.loss_weights, entry.loss(*args, **kwargs)
                return seen[entry.name][1]

            return loss

        return [internals.with_loss(entry, wrap) for entry in losses]

    # Once while Keras makes its list, once with the list made.
    for _ in range(2):
        seen.clear()
        with both.observing_outputs(compile_loss, internals.LOSSES, observe):
            total = compile_loss(y, model(X))
        assert sorted(seen) == ["a", "b"]
        parts = [weight * float(value) for weight, value in seen.values()]
        np.testing.assert_allclose(sum(parts), float(total), rtol=1e-6)
    assert "build" not in vars(compile_loss)


def test_an_entry_of_the_losses_is_added_as_a_number(trained: keras.Model) -> None:
    """By the method that the step asks by name."""
    assert callable(getattr(trained, internals.AGGREGATE))
    value = internals.aggregate_of(trained)(ops.convert_to_tensor([1.5]))
    assert float(value) == 1.5


def test_layers_are_listed_from_the_model_on_and_know_their_losses() -> None:
    """Those that were added in the last call."""
    inner = keras.layers.Dense(3, activity_regularizer="l2", name="inner")
    model = keras.Sequential([keras.Input((5,)), keras.Sequential([inner]), keras.layers.Dense(1)])
    model(X)
    layers = both.layers_of(model)
    assert layers[0] is model
    assert any(layer is inner for layer in layers)
    added = [loss for layer in layers for loss in internals.own_losses_of(layer)]
    assert len(added) == 1
    assert added[0] is model.losses[0]
    ids = {layer.name: list(internals.loss_ids_of(layer)) for layer in layers}
    assert id(model.losses[0]) in ids.pop("inner")
    assert not any(ids.values())


def test_a_part_of_a_metric_has_its_variables_among_those_of_the_metric() -> None:
    """As long as it is one."""
    outer, part = keras.metrics.Mean(), keras.metrics.Mean()
    own = len(outer.variables)
    internals.metrics_within(outer).append(part)
    assert len(outer.variables) == own + len(part.variables)
    internals.metrics_within(outer).remove(part)
    assert len(outer.variables) == own


def test_a_variable_travels_where_its_value_goes_with_the_step() -> None:
    """Neither outside of a step nor in one of other variables."""
    variable, other = (keras.Variable(ops.zeros(())) for _ in range(2))
    assert not internals.is_travelling(variable)
    with keras.StatelessScope([(other, ops.zeros(()))]):
        assert not internals.is_travelling(variable)
    with keras.StatelessScope([(variable, ops.zeros(()))]):
        assert internals.is_travelling(variable)


def test_metric_variables_have_shardings_where_keras_asks_for_them() -> None:
    """At their place, and only for the length of a block."""
    model, value = type("Model", (), {})(), type("Array", (), {"sharding": "its own"})()
    with internals.with_shardings(model, 1, [value]):
        assert not hasattr(model, "_metrics_variable_shardings")
    model._metrics_variable_shardings = ["first", "last"]
    with internals.with_shardings(model, 1, [value]):
        assert model._metrics_variable_shardings == ["first", "its own", "last"]
    assert model._metrics_variable_shardings == ["first", "last"]


def test_an_optimiser_tells_what_it_trains_and_decays(trained: keras.Model) -> None:
    """Those that were excluded are not decayed."""
    optimizer = keras.optimizers.AdamW()
    variables = trained.trainable_variables
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(variables)
    assert [id(v) for v in internals.trained_by(optimizer)] == [id(v) for v in variables]
    decayed = {variable.path for variable in both.decayed_by(optimizer, variables)}
    assert decayed == {variable.path for variable in variables if "bias" not in variable.path}
    assert both.decayed_by(object(), variables) == []


def test_only_strategies_over_processes_are_collective() -> None:
    """A mirrored one runs in this process alone."""
    assert not both.runs_in_several_processes(None)
    if keras.config.backend() == "tensorflow":
        assert not both.runs_in_several_processes(two_replicas())


# As they are used: after a dot, imported, or in quotes.
_PRIVATE = re.compile(
    r"(?:\.|\")_(?:aggregate_additional_loss|compile_loss|flat_losses|flatten_layers|loss_ids|layers"
    r"|metrics|metrics_variable_shardings|trainable_variables|use_weight_decay"
    r"|in_multi_worker_mode|supports_tf_logs|eager_losses)\b|keras\.src|_replace\(loss"
)


def test_private_names_stand_in_one_file() -> None:
    """That of Keras 3, that of tf_keras, or that of both."""
    package = Path(tb_regplugin.__file__).parent
    files = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if _PRIVATE.search(path.read_text())
    }
    assert files == {f"capture/{room}internals.py" for room in ("", "keras/", "tf_keras/")}
