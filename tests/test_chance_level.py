"""What the data loss is for a model that guesses: told, recorded, and read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tb_regplugin import Recorder, Term, Writer, load
from tb_regplugin.capture.tf_keras import RegularizationCallback
from tb_regplugin.command_line import main
from tb_regplugin.findings.find import find_in_table
from tb_regplugin.log_format import decode_layout, encode_layout, layout_id
from tb_regplugin.reading.load import read_recordings, read_runs
from tb_regplugin.terms import Layout
from tests.logs import DATA, TOTAL

LN_10 = math.log(10)
GUESSED = Term("data", role="data", chance_level=LN_10)


def _levels(columns: list[Term]) -> list[float | None]:
    return [term.chance_level for term in columns if term.role == "data"]


@pytest.mark.parametrize("recorder", [Writer, Recorder])
def test_a_data_losss_term_says_what_it_is_for_a_model_that_guesses(
    recorder: Any, tmp_path: Path
) -> None:
    """Beside parts that are only named."""
    with recorder(tmp_path) as writer:
        writer.write(0, {GUESSED: 0.5, "other": 0.25}, {"kernel": 0.125})
    (recorded,) = load(tmp_path).values()
    assert recorded.columns[:2] == [GUESSED, Term("other", role="data")]
    np.testing.assert_array_equal(recorded.values, [[0.5, 0.25, 0.125]])


def test_a_term_of_another_role_is_no_part_of_a_data_loss(tmp_path: Path) -> None:
    """The message says what to write, and nothing that was recorded is lost."""
    with Writer(tmp_path) as writer:
        writer.write(0, 0.5)
        with pytest.raises(ValueError, match=r"'data' .* the role 'penalty'.*role='data'"):
            writer.write(1, {Term("data", chance_level=LN_10): 0.5})
        writer.write(2, 0.5)
    (recorded,) = load(tmp_path).values()
    assert recorded.steps.tolist() == [0, 2]


@pytest.mark.parametrize("level", [math.nan, math.inf])
def test_a_level_that_is_not_finite_is_refused(level: float) -> None:
    """As a strength is."""
    with pytest.raises(ValueError, match=r"chance level of (nan|inf)"):
        Term("data", role="data", chance_level=level)


def test_a_layout_without_a_level_is_the_same_bytes_as_before() -> None:
    """And so has the same name in tags; one with a level is another one."""
    layout = Layout((TOTAL, DATA))
    columns = [{"name": "total", "role": "total"}, {"name": "data", "role": "data"}]
    expected = json.dumps({"columns": columns, "version": 1}, sort_keys=True).encode()
    assert encode_layout(layout) == expected
    told = Layout((TOTAL, GUESSED))
    assert layout_id(told) != layout_id(layout)
    assert decode_layout(encode_layout(told)) == told


@pytest.mark.parametrize(
    ("levels", "expected"),
    [([LN_10], LN_10), ([1.0, 0.5], 1.5), ([1.0, None], None), ([], None), ([1e308, 1e308], None)],
)
def test_a_layouts_level_is_the_sum_where_each_is_known(
    levels: list[float | None], expected: float | None
) -> None:
    """And nowhere else."""
    data = (Term(f"{i}", role="data", chance_level=each) for i, each in enumerate(levels))
    assert Layout((TOTAL, *data)).chance_level == expected


_RANDOM = np.random.RandomState(0)
_X = _RANDOM.randn(60, 5).astype("float32")
_LABELS = _RANDOM.randint(0, 4, 60)
_ONE_HOT = np.eye(4, dtype="float32")[_LABELS]


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True), _LABELS),
        (tf_keras.losses.CategoricalCrossentropy(True, label_smoothing=0.1), _ONE_HOT),
        (tf_keras.losses.BinaryCrossentropy(from_logits=True), _ONE_HOT),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
@pytest.mark.parametrize("weight", [None, 0.5])
def test_tf_keras_tells_what_a_model_that_guesses_pays(
    loss: Any, y: Any, weight: float | None, tmp_path: Path
) -> None:
    """As weighted in the total."""
    output = tf_keras.layers.Dense(4, kernel_initializer="zeros", kernel_regularizer="l2")
    model = tf_keras.Sequential([output])
    model.compile(tf_keras.optimizers.SGD(0.0), loss, loss_weights=weight)
    callback = RegularizationCallback(tmp_path)
    model.fit(_X, y, verbose=0, callbacks=[callback])
    recorded = load(tmp_path)["train"]
    (level,) = _levels(recorded.columns)
    assert level is not None
    np.testing.assert_allclose(recorded.values[:, 1], level, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "y", "options"),
    [
        ("mse", _ONE_HOT, {}),
        ("sparse_categorical_crossentropy", _LABELS, {"sample_weight": _X[:, 0] ** 2}),
        (tf_keras.losses.SparseCategoricalCrossentropy(ignore_class=0), _LABELS, {}),
        (tf_keras.losses.CategoricalFocalCrossentropy(), _ONE_HOT, {}),
        (tf_keras.losses.CategoricalCrossentropy(reduction="sum"), _ONE_HOT, {}),
    ],
)
def test_tf_keras_tells_no_level_that_is_not_known(
    loss: Any, y: Any, options: dict[str, Any], tmp_path: Path
) -> None:
    """Of other losses, and with weights of examples."""
    model = tf_keras.Sequential([tf_keras.layers.Dense(4, "softmax", kernel_regularizer="l2")])
    model.compile("sgd", loss)
    model.fit(_X, y, verbose=0, callbacks=[RegularizationCallback(tmp_path)], **options)
    assert _levels(load(tmp_path)["train"].columns) == [None]


def _write(run: Path, strength: float, *data: Term) -> None:
    kernel = Term("kernel", kind="l2", strength=strength)
    with Writer(run) as writer:
        for step in range(20):
            writer.write(step, dict.fromkeys(data, 0.5), {kernel: strength})


def test_a_sweep_has_the_level_that_its_runs_agree_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each strength; of parts it is the sum. The table says it where there is one."""
    part = Term("part", role="data", chance_level=1.0)
    _write(tmp_path / "agree_0", 0.0, GUESSED)
    _write(tmp_path / "agree_1", 0.0, GUESSED)
    assert main(["sweep", str(tmp_path)]) == 0
    assert "A model that guesses has a data loss of 2.303." in capsys.readouterr().out
    _write(tmp_path / "parts", 0.1, GUESSED, part)
    _write(tmp_path / "differ_0", 0.2, GUESSED)
    _write(tmp_path / "differ_1", 0.2, part)
    _write(tmp_path / "unknown", 0.3, GUESSED, Term("other", role="data"))
    assert main(["sweep", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["chance_level"] for each in found] == [LN_10, LN_10 + 1.0, None, None]
    assert main(["sweep", str(tmp_path)]) == 0
    assert "guesses" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("classes", "told"), [(100, "4.605 (guessing gives 4.605)"), (10, "stays at 4.605;")]
)
def test_a_collapse_names_the_level_that_was_recorded(
    classes: int, told: str, tmp_path: Path
) -> None:
    """And no other one, where the loss has not come to it."""
    data = Term("data", role="data", chance_level=math.log(classes))
    random = np.random.default_rng(0)
    with Writer(tmp_path) as writer:
        for step in range(300):
            loss = math.log(100) + 1e-4 * random.standard_normal()
            writer.write(step, {data: loss}, {"kernel": 100 * math.exp(-step / 20)})
    ((_, contents),) = read_recordings(next(read_runs(tmp_path)))
    (finding,) = (each for each in find_in_table(contents.table) if each.code == "collapse")
    assert told in finding.sentence


def test_penalties_over_a_model_that_guesses_are_told_with_its_level(tmp_path: Path) -> None:
    """A strength that is too large, before the weights are gone."""
    with Writer(tmp_path) as writer:
        for step in range(300):
            loss = LN_10 * (1 + math.exp(-step) / 10)
            writer.write(step, {GUESSED: loss}, {"kernel": 9 - step / 300})
    (finding,) = find_in_table(load(tmp_path)["."].contents().table)
    assert finding.code == "penalty_dominates"
    assert f"to {LN_10:.4g} (guessing gives {LN_10:.4g})." in finding.sentence


def test_a_compiled_step_says_it_too(tmp_path: Path) -> None:
    """In the layout of a ring on the device."""
    with Recorder(tmp_path) as recorder:

        @tf.function
        def step(number: Any) -> None:
            recorder.write(number, {GUESSED: tf.cast(number, tf.float32)})

        for number in range(3):
            step(tf.constant(number))
    (recorded,) = load(tmp_path).values()
    assert recorded.columns == [GUESSED]
