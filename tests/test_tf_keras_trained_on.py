"""The recorded total is what the step of a tf_keras model trained on, whoever wrote that step."""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tb_regplugin import load
from tb_regplugin.capture.tf_keras import RegularizationCallback
from tb_regplugin.command_line import main
from tests.tf_keras_programs import (
    BATCH,
    L2,
    MODES,
    PROGRAMS,
    Accumulates,
    AsksForData,
    Auxiliary,
    Branches,
    ForgetsToo,
    Gan,
    InTurn,
    Minimises,
    OwnStep,
    PenaltiesTwice,
    PenaltiesTwiceByHand,
    Plain,
    Scaled,
    Shrinks,
    X,
    Y,
    compiled_model,
    expected_rows,
    fit,
    forgotten,
    mse,
    penalty_of,
    twice,
)

# Each of them in a compiled step, and some in each other kind of step.
_CASES = [
    *((cls, "function", False) for cls in PROGRAMS),
    *((cls, "function", True) for cls in (Plain, Accumulates, Scaled, Minimises)),
    *((cls, mode, False) for cls in (Plain, Accumulates) for mode in MODES if mode != "function"),
    (PenaltiesTwiceByHand, "xla", True),
    (PenaltiesTwice, "three steps an execution", True),
    (Auxiliary, "three steps an execution", False),
    (ForgetsToo, "eager", False),
    (Scaled, "eager", True),
]


def _recorded(model: Any, log_dir: Path) -> tuple[Any, Any, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = fit(model, RegularizationCallback(log_dir))
    messages = [str(each.message) for each in caught if "tb_regplugin" in str(each.message)]
    return load(log_dir)["train"], result, messages


def _check(log_dir: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main(["check", str(log_dir), "--format", "json"])
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    return {finding["code"]: finding for finding in recording["findings"]}


@pytest.mark.parametrize(("cls", "mode", "legacy"), _CASES)
def test_the_total_and_its_parts_are_those_of_what_is_differentiated(
    cls: Any, legacy: bool, mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To six digits of a computation in NumPy, and the weights are bit-equal."""
    plain = fit(compiled_model(cls, mode, legacy))
    recorded, result, messages = _recorded(compiled_model(cls, mode, legacy), tmp_path)
    assert result[1] == plain[1]
    columns = {term.name: term for term in recorded.columns}
    values = dict(zip(columns, recorded.values.T, strict=True))
    expected = expected_rows(cls)
    if mode == "eager" and cls is Accumulates:
        # No graph tells how its gradients were combined.
        assert len(messages) == 1
        assert list(values) == ["d/kernel"]
        return
    totals = [sum(row.values()) for row in expected]
    np.testing.assert_allclose(values.pop("total"), totals, rtol=2e-6)
    if mode == "eager":
        assert not messages
        return
    is_twice, is_forgotten = PROGRAMS[cls] is twice, PROGRAMS[cls] is forgotten
    assert [message.partition(", which")[0] for message in messages] == [
        "tb_regplugin: d/kernel is added to the loss 2 times"
    ] * is_twice
    found = _check(tmp_path, capsys)
    assert list(found) == ["counted_twice"] * is_twice + ["not_in_loss"] * is_forgotten
    for finding in found.values():
        assert "sum(model.losses)" in finding["fix"]
        assert "collect" not in finding["fix"]
    kernel = columns["d/kernel"]
    assert (kernel.kind, kernel.strength, kernel.variable) == ("l2", L2, "d/kernel")
    assert kernel.role == ("unused" if is_forgotten else "penalty")
    if is_forgotten:
        values.pop("d/kernel")
        (data,) = values.values()
        np.testing.assert_allclose(data, totals, rtol=2e-6)
        return
    # Keras runs several steps in a loop of the graph: its operations have names of that.
    values = {name.removeprefix("while/"): column for name, column in values.items()}
    assert set(values) == set(expected[0])
    for name, column in values.items():
        np.testing.assert_allclose(column, [row[name] for row in expected], rtol=2e-6)
    # The weights are the first step's in all of them.
    weights = compiled_model(cls).get_weights()
    np.testing.assert_allclose(
        kernel.coefficient, expected[0]["d/kernel"] / np.sum(weights[0] ** 2), rtol=1e-6
    )


# In a process of its own, which has two devices and one strategy: bare TensorFlow mixes up the
# collectives of two.
_ON_TWO_REPLICAS = """
import sys
import tensorflow as tf
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tb_regplugin.capture.tf_keras import RegularizationCallback
from tests import tf_keras_programs as programs
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for name in sys.argv[2:]:
    callback = RegularizationCallback(f"{sys.argv[1]}/{name}")
    cls = getattr(programs, name)
    (_, plain), (_, recorded) = (
        programs.fit(programs.compiled_model(cls, scope=strategy.scope()), *callbacks)
        for callbacks in ([], [callback])
    )
    assert recorded == plain, name
"""


def test_two_replicas_add_up(tmp_path: Path) -> None:
    """What is added without being divided by the replicas counts once for each of them."""
    programs = {Plain: 1, OwnStep: 1, PenaltiesTwice: 3, AsksForData: 2, ForgetsToo: 1}
    names = [cls.__name__ for cls in programs]
    command = [sys.executable, "-c", _ON_TWO_REPLICAS, str(tmp_path), *names]
    subprocess.run(command, check=True, timeout=300)
    weights = compiled_model(Plain).get_weights()
    for cls, times in programs.items():
        recorded = load(tmp_path / cls.__name__)["train"]
        data, penalty = mse(weights, X[:BATCH], Y[:BATCH]), times * penalty_of(weights)
        total = data if cls is ForgetsToo else data + penalty
        assert [term.name for term in recorded.columns] == ["total", "data", "d/kernel"]
        np.testing.assert_allclose(recorded.values[0], [total, data, penalty], rtol=2e-6)
        assert recorded.columns[2].coefficient == pytest.approx(times * L2)


@pytest.mark.parametrize(("cls", "legacy"), [(Plain, False), (Scaled, True), (Minimises, False)])
def test_mixed_precision(cls: Any, legacy: bool, tmp_path: Path) -> None:
    """The loss is recorded without its scale."""
    plain = fit(compiled_model(cls, dtype="mixed_float16", legacy=legacy))
    model = compiled_model(cls, dtype="mixed_float16", legacy=legacy)
    weights = model.get_weights()
    recorded, result, _ = _recorded(model, tmp_path)
    assert result == plain
    expected = PROGRAMS[cls](weights, X[:BATCH], Y[:BATCH])
    assert [term.name for term in recorded.columns] == ["total", *expected]
    np.testing.assert_allclose(
        recorded.values[0], [sum(expected.values()), *expected.values()], rtol=2e-3
    )


@pytest.mark.parametrize("mode", ["function", "eager"])
def test_a_total_that_cannot_be_told_is_not_recorded_and_that_is_said_once(
    mode: str, tmp_path: Path
) -> None:
    """The penalty is, with a note, and the warning names Recorder."""
    recorded, result, (message,) = _recorded(compiled_model(InTurn, mode), tmp_path)
    assert result == fit(compiled_model(InTurn, mode))
    assert "Recorder" in message
    (term,) = recorded.columns
    assert (term.name, term.role) == ("d/kernel", "penalty")
    assert "is unknown" in str(term.note)
    assert len(recorded.steps) == len(X) // BATCH


@pytest.mark.parametrize("mode", ["function", "eager"])
def test_each_optimiser_has_a_recording(mode: str, tmp_path: Path) -> None:
    """Where it trains on a loss of its own, named by what it trains."""
    plain = fit(compiled_model(Gan, mode))
    model = compiled_model(Gan, mode)
    expected = mse(model.get_weights(), X[:BATCH], Y[:BATCH]) + penalty_of(model.get_weights())
    assert fit(model, RegularizationCallback(tmp_path))[1] == plain[1]
    first, second = (load(tmp_path, name=name)["train"] for name in ("d", "d (2)"))
    np.testing.assert_allclose(first.values[0, 0], expected, rtol=2e-6)
    # After the kernel's update: lower, and of the other sign.
    assert -expected < second.values[0, 0] < 0
    with pytest.warns(UserWarning, match="no recordings"):
        assert load(tmp_path) == {}


@pytest.mark.parametrize("mode", ["three steps an execution", "eager"])
def test_a_step_that_keeps_its_loss_to_itself_has_its_penalties_recorded(
    mode: str, tmp_path: Path
) -> None:
    """Those of the weights that each step began with."""
    model = compiled_model(Shrinks, mode)
    start = penalty_of(model.get_weights())
    recorded, _, (message,) = _recorded(model, tmp_path)
    assert "Recorder" in message
    expected = start * 0.81 ** np.arange(len(X) // BATCH)
    np.testing.assert_allclose(recorded.values[:, 0], expected, rtol=1e-5)
    assert [term.name for term in recorded.columns] == ["d/kernel"]


def test_autograph_leaves_the_recorder_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whether or not a step of a user's is translated, it does what it does by itself."""

    def outcome(*callbacks: Any) -> Any:
        try:
            return fit(compiled_model(Branches), *callbacks)
        except Exception as error:  # noqa: BLE001
            return type(error)

    assert outcome(RegularizationCallback(tmp_path)) == outcome()
    assert "AutoGraph could not" not in capfd.readouterr().err
