"""Norms and trajectories of a sweep's runs, against NumPy on what was written and trained."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
import tf_keras

from tb_regplugin.capture.tf_keras import RegularizationCallback
from tb_regplugin.reading import remembered, sweep_answer, sweep_course
from tb_regplugin.terms import Layout, Term
from tests.logs import DATA, TOTAL, recording_events, write_events
from tests.sweeps import answer_of, plugin_on

ROWS = 100


def _penalty(name: str, kind: Any = "l2", strength: Any = 0.5, coefficient: Any = 0.25) -> Term:
    return Term(name, kind=kind, strength=strength, coefficient=coefficient)


def _write(
    run: Path, terms: Sequence[Term], penalties: npt.ArrayLike, data: npt.ArrayLike = 1.0
) -> None:
    values = np.zeros((ROWS, 2 + len(terms)))
    values[:, 1] = data
    values[:, 2:] = penalties
    values[:, 0] = values[:, 1:].sum(1)
    layout = Layout((TOTAL, DATA, *terms))
    write_events(run, recording_events(np.arange(ROWS), values, layout))


def _norms(log_dir: Path, run: str = "run") -> dict[str, float | None]:
    norms = answer_of(log_dir, include="norms")["norms"]
    names = [term["name"] for term in norms["terms"]]
    return dict(zip(names, norms["runs"][run], strict=True))


class _Weights(tf_keras.callbacks.Callback):
    """Notes the weights with which each batch is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[list[npt.NDArray[np.float32]]] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Notes them."""
        self.seen.append(self.model.get_weights())


def test_norms_are_those_of_the_weights_that_were_trained(tmp_path: Path) -> None:
    """Of three strengths with two seeds each, from a penalty and its coefficient alone."""
    x = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    y = x @ np.arange(5.0)[:, None]
    seen: dict[str, list[list[npt.NDArray[np.float32]]]] = {}
    for strength in (0.0, 0.01, 0.1):
        for seed in range(2):
            tf_keras.utils.set_random_seed(seed)
            l2, l1 = (
                regularizer(strength) if strength else None
                for regularizer in (tf_keras.regularizers.L2, tf_keras.regularizers.L1)
            )
            model = tf_keras.Sequential(
                [
                    tf_keras.layers.Dense(6, activation="tanh", kernel_regularizer=l2, name="a"),
                    tf_keras.layers.Dense(1, kernel_regularizer=l1, name="b"),
                ]
            )
            model.build((None, 5))
            model.compile(tf_keras.optimizers.SGD(0.05), "mse")
            weights = _Weights()
            run = f"lambda={strength:g}_{seed}"
            recorder = RegularizationCallback(str(tmp_path / run))
            model.fit(
                tf.data.Dataset.from_tensor_slices((x, y)).batch(10),
                epochs=10,
                verbose=0,
                callbacks=[weights, recorder],
            )
            seen[f"{run}/train"] = weights.seen
    answer = answer_of(tmp_path, include="norms", window="0.25")
    terms = [(term["name"], term["kind"]) for term in answer["norms"]["terms"]]
    assert terms == [("a/kernel", "l2"), ("b/kernel", "l1")]
    assert set(answer["norms"]["runs"]) == set(seen)
    for run, steps in seen.items():
        found = answer["norms"]["runs"][run]
        if run.startswith("lambda=0_"):
            assert found == [None, None]
            continue
        assert len(steps) == 40
        squares = [np.sum(kernel.astype(float) ** 2) for kernel, *_ in steps[-10:]]
        sums = [np.abs(kernel.astype(float)).sum() for *_, kernel, _ in steps[-10:]]
        assert found == pytest.approx([np.sqrt(np.mean(squares)), np.mean(sums)], rel=1e-5)


def test_a_norm_that_cannot_be_told_is_none(tmp_path: Path) -> None:
    """Of other kinds, without a coefficient, changed, negative, or not finite at the end."""
    terms = [
        _penalty("fine"),
        _penalty("zero"),
        _penalty("elastic", "l1_l2", (0.5, 0.5), None),
        _penalty("unknown", coefficient=None),
        _penalty("none", coefficient=0.0),
        _penalty("negative"),
        _penalty("lost"),
    ]
    values = np.tile([4.0, 0.0, 4.0, 4.0, 0.0, -4.0, 4.0], (ROWS, 1))
    values[-5:, -1] = np.nan
    _write(tmp_path / "run", terms, values)
    assert _norms(tmp_path) == {"fine": 4.0, "zero": 0.0}
    layouts = [Layout((DATA, _penalty("w", coefficient=c))) for c in (0.25, 0.5)]
    for first, layout in enumerate(layouts):
        steps = np.arange(50) + 50 * first
        rows = recording_events(steps, np.ones((50, 2)), layout, writer=str(first))
        write_events(tmp_path / "changed", rows)
    assert _norms(tmp_path, "changed") == {"fine": None, "zero": None}


def test_trajectories_are_means_over_equal_parts(tmp_path: Path) -> None:
    """Of all penalties ÷ their strength, and of the data loss, from the first to the last."""
    random = np.random.default_rng(0)
    penalties, data = random.random((ROWS, 2)), random.random(ROWS)
    data[10] = np.nan
    data[50:60] = np.inf
    _write(tmp_path / "run", [_penalty("a"), _penalty("b")], penalties, data)
    (found,) = answer_of(tmp_path, include="trajectories")["trajectories"].values()
    cuts = [ROWS * part // 32 for part in range(33)]
    finite = [
        [row for row in range(low, high) if np.isfinite(data[row])]
        for low, high in itertools.pairwise(cuts)
    ]
    expected = [(penalties[rows].sum(1).mean() / 0.5, data[rows].mean()) for rows in finite if rows]
    assert len(expected) < 32
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "terms",
    [
        [],
        [_penalty("a", strength=0.0, coefficient=0.0)],
        [_penalty("a"), _penalty("b", strength=0.1)],
        [_penalty("a"), _penalty("b", "custom", None, None)],
        [_penalty("a", "l1_l2", (0.5, 0.5), None)],
    ],
    ids=["no penalty", "zero", "two strengths", "an unknown one", "a pair"],
)
def test_without_one_strength_there_is_no_trajectory(tmp_path: Path, terms: list[Term]) -> None:
    """Nothing says by what to divide."""
    _write(tmp_path / "run", terms, np.ones((ROWS, len(terms))))
    assert answer_of(tmp_path, include="trajectories")["trajectories"] == {"run": []}


def test_they_are_told_where_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of more terms than an answer may hold, and run by run where time is short."""
    for i in range(3):
        terms = [_penalty("a", strength=i + 1.0), _penalty("b", strength=i + 1.0)]
        _write(tmp_path / f"run_{i}", terms, np.ones((ROWS, 2)))
    assert not {"norms", "trajectories"} & set(answer_of(tmp_path))
    monkeypatch.setattr(sweep_course, "_MAX_NORMS", 3)
    norms = answer_of(tmp_path, include="norms")["norms"]
    assert norms["terms"] == [{"name": "a", "kind": "l2"}]
    assert norms["left_out"] == 1
    monkeypatch.setattr(sweep_answer, "_SECONDS", 0.0)
    monkeypatch.setattr(remembered, "_LEAST", 2**30)
    plugin = plugin_on(tmp_path)
    answers = [answer_of(tmp_path, plugin, include="norms") for _ in range(3)]
    assert [answer["unread"] for answer in answers][-1] == 0
    for answer in answers:
        told = [run for each in answer["strengths"] for run in each["runs"]]
        assert sorted(answer["norms"]["runs"]) == sorted(told)
