"""Figures of sweeps: what is drawn, against NumPy on what was written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

from tb_regplugin import Term, plot
from tb_regplugin.command_line import main
from tb_regplugin.terms import Layout
from tests.logs import DATA, recording_events, write_events

FIGURES = Path(__file__).parents[1] / "docs" / "figures.md"

Values = npt.NDArray[np.float64]


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    """Figures are drawn in memory, and none is left over."""
    matplotlib.use("agg")
    yield
    pyplot.close("all")


def _write_sweep(log_dir: Path, ends: dict[float, list[Values]]) -> None:
    """Writes runs by strength, of a data loss each; their validations are twice as high."""
    for strength, runs in ends.items():
        layout = Layout((DATA, Term("kernel", kind="l2", strength=strength)))
        for seed, data in enumerate(runs):
            for part, factor in (("train", 1), ("validation", 2)):
                rows = np.column_stack([factor * data, np.ones(len(data))])
                events = recording_events(np.arange(len(data)), rows, layout)
                write_events(log_dir / f"l2={strength}_{seed}" / part, events)


def _points(ax: Axes, label: str) -> set[tuple[float, float]]:
    """Returns what is drawn under a label, rounded as float32 is."""
    return {
        (float(x), float(np.float32(y)))
        for line in ax.get_lines()
        if line.get_label() == label
        for x, y in zip(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), strict=True)
    }


def test_a_sweeps_dots_are_the_means_of_the_last_rows(tmp_path: Path) -> None:
    """Each run by itself, and the mean of each strength; 0 lies a decade below the least."""
    random = np.random.default_rng(0)
    ends = {s: [random.random(40) for _ in range(3)] for s in (0.0, 0.01, 1.0)}
    _write_sweep(tmp_path, ends)
    ax = plot.sweep(tmp_path, window=0.25)
    places = {0.0: 0.001, 0.01: 0.01, 1.0: 1.0}
    for label, factor in (("training: one run", 1), ("validation: one run", 2)):
        drawn = sorted(_points(ax, label))
        expected = sorted(
            (places[s], factor * data[-10:].mean()) for s, runs in ends.items() for data in runs
        )
        np.testing.assert_allclose(drawn, expected, rtol=1e-5)
    means = sorted(_points(ax, "mean, least to largest"))
    expected = sorted(
        (places[s], factor * np.mean([data[-10:] for data in runs]))
        for s, runs in ends.items()
        for factor in (1, 2)
    )
    np.testing.assert_allclose(means, expected, rtol=1e-5)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "0.01", "1"]
    assert ax.get_title(loc="left").startswith("The data loss of validation is lowest at strength")
    # The lines between means: none reaches 0.
    joined = [np.asarray(line.get_xdata()) for line in ax.get_lines() if line.get_alpha() == 0.6]
    assert [x.tolist() for x in joined] == [[0.01, 1.0]] * 2


def test_runs_unlike_the_others_are_hollow_and_never_dropped(tmp_path: Path) -> None:
    """What ended early is not joined; what has no finite value is a cross."""
    ones = np.ones(40)
    diverged = np.where(np.arange(40) > 30, np.nan, 1)
    _write_sweep(tmp_path, {0.01: [ones, ones[:20]], 0.1: [ones, diverged], 1.0: [ones]})
    ax = plot.sweep(tmp_path)
    assert _points(ax, "validation: ended early, or diverged") == {(0.01, 2.0)}
    assert {x for x, _ in _points(ax, "no finite value")} == {0.1}
    joined = [np.asarray(line.get_xdata()) for line in ax.get_lines() if line.get_alpha() == 0.6]
    assert [x.tolist() for x in joined] == [[0.1, 1.0]] * 2
    assert "They ended before step 39, where others did: l2=0.01_1/train" in " ".join(
        ax.get_title(loc="left").split()
    )


def test_a_sweep_is_drawn_from_its_entries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the command prints them; with the level of guessing where they have it."""
    _write_sweep(tmp_path, {0.1: [np.ones(5)], 1.0: [np.ones(5)]})
    assert main(["sweep", str(tmp_path), "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    ax = plot.sweep([each | {"chance_level": 2.5} for each in entries])
    assert _points(ax, "training: one run") == {(0.1, 1.0), (1.0, 1.0)}
    (level,) = (line for line in ax.get_lines() if line.get_label() == "guessing")
    np.testing.assert_array_equal(level.get_ydata(), [2.5, 2.5])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"window": 0}, "window must be above 0"),
        ({"strength_from": "guess"}, "'guess' is none of recorded, hparams, names"),
        ({"strength_from": "hparams=l2"}, "No run's strength is known"),
        ({"metric": "accuracy"}, "No run has finite values of 'accuracy'"),
    ],
)
def test_what_makes_no_sweep_is_said(tmp_path: Path, arguments: dict[str, Any], said: str) -> None:
    """And what would make one."""
    _write_sweep(tmp_path, {0.1: [np.ones(5)], 1.0: [np.ones(5)]})
    with pytest.raises(ValueError, match=said):
        plot.sweep(tmp_path, **arguments)


def test_a_directory_without_recordings_makes_no_sweep(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        plot.sweep(tmp_path)


def test_the_code_of_the_figures_page_runs(tmp_path: Path) -> None:
    """The Python blocks of docs/figures.md, one after another, on logs such as the demo's."""
    ends = {strength: [np.ones(30)] for strength in (0.0, 0.01, 1.0)}
    _write_sweep(tmp_path / "written", ends)
    for strength in ends:
        target = tmp_path / "logs" / "demo" / f"lambda={strength:g}" / "seed=0"
        target.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "written" / f"l2={strength}_0").rename(target)
    page = FIGURES.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    environment = {**os.environ, "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment)
    assert all((tmp_path / name).stat().st_size for name in ("stack.pdf", "sweep.pdf"))
