"""A real sweep: what is said of it, whether that is what was written, and how long it takes.

scikit-learn's digits, 300 of them for training with 15 % of their labels wrong, so that penalties
matter; a network of 64-200-200-10 units in NumPy, trained by Adam for 1,200 steps with L2 of eight
strengths, three seeds each.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from bench.report import Section, seconds
from tb_regplugin import Term, Writer
from tests.tensorboard_process import get_json, start_tensorboard, wait_until

STRENGTHS = (0.0, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
_SEEDS, _STEPS, _EVERY = 3, 1_200, 20
_UNITS = (64, 200, 200, 10)
_BATCH = 50
_ROUTES = "data/plugin/regularization/"
# By strength and seed: the data losses of training and of validation.
_Written = dict[tuple[float, int], tuple[list[float], list[float]]]


def measure(quick: bool) -> list[Section]:
    """Trains the sweep and asks for it; then asks for sweeps of many runs, from cold."""
    told = Section(
        "A sweep of strengths",
        f"Digits, {len(STRENGTHS)} strengths of L2, {_SEEDS} seeds each: the means over the last "
        "tenth of the rows as `sweep --json` has them, and by NumPy on what was written.",
        ["strength", "data loss", "by NumPy", "validation", "by NumPy", "penalties"],
    )
    with tempfile.TemporaryDirectory() as directory:
        log_dir = Path(directory)
        written: _Written = {}
        for strength in STRENGTHS:
            for seed in range(_SEEDS):
                run = _run_of(log_dir, strength, seed)
                written[strength, seed] = train(run, strength, seed, _STEPS // (10 if quick else 1))
        found = json.loads(_run("sweep", str(log_dir), "--json"))
        assert [len(each["runs"]) for each in found] == [_SEEDS] * len(STRENGTHS)
        for strength, each in zip(STRENGTHS, found, strict=True):
            assert each["strength"] == strength
            ends = [[_end(part) for part in written[strength, seed]] for seed in range(_SEEDS)]
            expected = np.mean(ends, axis=0)
            means = [each[key]["mean"] for key in ("data_loss", "validation_data_loss")]
            np.testing.assert_allclose(means, expected, rtol=1e-5)
            numbers = [means[0], expected[0], means[1], expected[1]]
            cells = [f"{number:.4f}" for number in numbers]
            told.add(f"{strength:g}", *cells, f"{each['penalty_share']:.1%}")
        told.notes.append(_said(log_dir))
        # Cut at the best, the sweep ends there.
        best = min(found, key=lambda each: each["validation_data_loss"]["mean"])["strength"]
        for strength, seed in written:
            if strength > best:
                shutil.rmtree(_run_of(log_dir, strength, seed))
        told.notes.append(f"Without the strengths above: {_said(log_dir)}")
        assert quick or "it is the largest that was tried" in told.notes[-1]
    return [told, _times(quick)]


def train(run: Path, strength: float, seed: int, steps: int) -> tuple[list[float], list[float]]:
    """Trains and records one network; returns its data losses, of training and validation."""
    random = np.random.default_rng(seed)
    x, y = load_digits(return_X_y=True)
    order = random.permutation(len(x))
    classes = np.eye(10, dtype=np.float32)
    x, y = (x[order] / 16).astype(np.float32), classes[y[order]]
    y[:45] = classes[random.integers(0, 10, 45)]
    kernels = [
        (random.uniform(-1, 1, (m, n)) * np.sqrt(6 / (m + n))).astype(np.float32)
        for m, n in itertools.pairwise(_UNITS)
    ]
    weights = kernels + [np.zeros(n, np.float32) for n in _UNITS[1:]]
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
    terms = [
        Term(f"dense_{i}/kernel", kind="l2", strength=strength, coefficient=strength)
        for i in range(3)
    ]
    trained: list[float] = []
    validated: list[float] = []
    with Writer(run / "train") as writer, Writer(run / "validation") as validation:
        for step in range(steps):
            batch = random.integers(0, 300, _BATCH)
            loss, gradients = _loss(weights, x[batch], y[batch])
            penalties = [strength * float(np.sum(w**2)) for w in weights[:3]]
            writer.write(step, loss, dict(zip(terms, penalties, strict=True)))
            trained.append(loss)
            for i, (w, (first, second)) in enumerate(zip(weights, moments, strict=True)):
                gradient = gradients[i] + (2 * strength * w if i < 3 else 0)
                first += 0.1 * (gradient - first)
                second += 0.001 * (gradient**2 - second)
                rate = 0.001 * math.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
                w -= rate * first / (np.sqrt(second) + 1e-7)
            if step % _EVERY == _EVERY - 1:
                penalties = [strength * float(np.sum(w**2)) for w in weights[:3]]
                loss = _loss(weights, x[300:], y[300:])[0]
                validation.write(step, loss, dict(zip(terms, penalties, strict=True)))
                validated.append(loss)
    return trained, validated


def _loss(weights: Any, x: Any, y: Any) -> tuple[float, list[Any]]:
    """Returns the cross-entropy, and its gradients by kernels and biases."""
    layers = [x]
    for i in range(3):
        h = layers[-1] @ weights[i] + weights[3 + i]
        layers.append(np.maximum(h, 0) if i < 2 else h)
    logits = layers[-1] - layers[-1].max(1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(1, keepdims=True))
    back = (np.exp(logits) - y) / len(x)
    kernels, biases = [], []
    for i in (2, 1, 0):
        kernels.append(layers[i].T @ back)
        biases.append(back.sum(0))
        back = (back @ weights[i].T) * (layers[i] > 0)
    return float(-np.mean((y * logits).sum(1))), kernels[::-1] + biases[::-1]


def _run_of(log_dir: Path, strength: float, seed: int) -> Path:
    return log_dir / f"lambda={strength:g}_seed={seed}"


def _said(log_dir: Path) -> str:
    return _run("sweep", str(log_dir)).split("\n\n")[-1].strip()


def _end(losses: Sequence[float]) -> float:
    return float(np.mean(losses[-max(1, len(losses) // 10) :]))


def _times(quick: bool) -> Section:
    section = Section(
        "A sweep of many runs, from cold",
        "Runs of 1,000 steps with 50 validations each and 3 terms. Command: from its start. Route: "
        "from the first question, once TensorBoard has read them, until no run is unread; then "
        "asked again.",
        ["runs", "command", "route", "route again"],
    )
    for runs in (30,) if quick else (300, 1_000):
        with tempfile.TemporaryDirectory() as directory:
            write_runs(Path(directory), runs)
            command = seconds(functools.partial(_run, "sweep", directory, "--json"))
            with start_tensorboard(directory) as address:
                wait_until(functools.partial(are_loaded, address, 2 * runs))
                first = seconds(functools.partial(_ask, address))
                again = seconds(functools.partial(_ask, address))
        section.add(f"{runs:,}", f"{command:.2f} s", f"{first:.2f} s", f"{again * 1000:.0f} ms")
    return section


def write_runs(log_dir: Path, runs: int) -> None:
    """Writes runs of 1,000 steps with validations, of each strength as many."""
    random = np.random.default_rng(0)
    for run in range(runs):
        strength = STRENGTHS[run % len(STRENGTHS)]
        terms = [Term(f"dense_{i}/kernel", kind="l2", strength=strength) for i in range(3)]
        for part, every in (("train", 1), ("validation", 20)):
            with Writer(log_dir / f"run_{run:04}" / part) as writer:
                for step in range(0, 1_000, every):
                    data, *penalties = random.random(4).tolist()
                    writer.write(step, data, dict(zip(terms, penalties, strict=True)))


def are_loaded(address: str, count: int) -> bool:
    """Says whether TensorBoard has read so many of them, and to their ends."""
    recordings = get_json(f"{address}{_ROUTES}recordings")["recordings"]
    ends = [recording["last_step"] for recording in recordings]
    return len(ends) == count and set(ends) == {980, 999}


def _ask(address: str) -> None:
    while get_json(f"{address}{_ROUTES}sweep")["unread"]:
        pass


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tb_regplugin", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
