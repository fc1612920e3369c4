"""Figures of recordings and sweeps: what is drawn, against NumPy on what was written."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

from tb_regplugin import Recording, Term, Writer, load, plot
from tb_regplugin.plot.bands import OUTSIDE, TOP
from tb_regplugin.plot.palette import DARK, LIGHT
from tb_regplugin.terms import Layout
from tests.logs import DATA, TOTAL, recording_events, write_events

Values = npt.NDArray[np.float64]


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    """Figures are drawn in memory, and none is left over."""
    matplotlib.use("agg")
    yield
    pyplot.close("all")


def _record(directory: Path, terms: list[Term], values: npt.ArrayLike) -> Recording:
    """Writes rows of some terms, and reads them back."""
    array = np.asarray(values)
    layout = Layout(tuple(terms))
    write_events(directory, recording_events(np.arange(len(array)), array, layout))
    return load(directory)["."]


def _random(rows: int, columns: int) -> Values:
    parts = np.random.default_rng(0).random((rows, columns))
    return parts * np.arange(1, columns + 1)


def _areas(ax: Axes) -> dict[str, tuple[Values, Values]]:
    """Returns the lower and upper edges of what is filled, by label."""
    found = {}
    for area in ax.collections:
        label = str(area.get_label())
        if not label.startswith("_child") and area.get_paths():
            x, y = np.asarray(area.get_paths()[0].vertices).T
            edges = [sorted(y[x == each])[:: (x == each).sum() - 1] for each in np.unique(x)]
            low, high = np.transpose(edges)
            found[label] = low, high
    return found


def _lines(ax: Axes) -> dict[str, Values]:
    return {
        str(line.get_label()): np.asarray(line.get_ydata(), float)
        for line in ax.get_lines()
        if not str(line.get_label()).startswith("_child")
    }


def _legend(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def _bucket_means(values: Values, buckets: int) -> Values:
    """Returns the means of steps cut into equal parts."""
    number = np.arange(len(values)) * buckets // len(values)
    return np.array([values[number == each].mean(axis=0) for each in range(buckets)])


def test_bands_are_as_high_as_the_means_of_what_was_written(tmp_path: Path) -> None:
    """Penalties at the bottom, the largest lowest, data loss on them; the upper edge the total."""
    values = _random(1000, 4)
    terms = [Term("small"), Term("middle"), Term("large"), Term("data", role="data")]
    ax = plot.stack(_record(tmp_path, terms, values), max_buckets=50)
    small, middle, large, data = _bucket_means(values, 50).T
    areas = _areas(ax)
    assert list(areas) == ["large", "middle", "small", "data"]
    lower = np.zeros(50)
    for name, height in zip(areas, (large, middle, small, data), strict=True):
        low, high = areas[name]
        np.testing.assert_allclose(low, lower, rtol=1e-5)
        np.testing.assert_allclose(high, lower := lower + height, rtol=1e-5)
    np.testing.assert_allclose(_lines(ax)["total"], lower, rtol=1e-5)
    assert _legend(ax) == ["total", "data", "small", "middle", "large"]


def test_negative_parts_hang_below_zero(tmp_path: Path) -> None:
    """What is above zero stands on zero, and not on what is below."""
    terms = [Term("entropy"), Term("kl"), Term("data", role="data")]
    recording = _record(tmp_path, terms, [[-2, 0.5, 1]] * 5)
    bands = [ax for ax in plot.stack(recording).collections if ax.get_paths()]
    heights = [np.asarray(band.get_paths()[0].vertices)[:, 1] for band in bands]
    assert [(y.min(), y.max()) for y in heights] == [(0, 0), (-2, 0), (0, 0.5), (0.5, 1.5)]
    with pytest.raises(ValueError, match="entropy reaches -2"):
        plot.stack(recording, view="share")


def test_shares_are_parts_of_the_whole(tmp_path: Path) -> None:
    """Of the means, not means of shares."""
    values = _random(100, 2)
    terms = [Term("kernel"), Term("data", role="data")]
    ax = plot.stack(_record(tmp_path, terms, values), view="share", max_buckets=10)
    means = _bucket_means(values, 10)
    np.testing.assert_allclose(_areas(ax)["kernel"][1], means[:, 0] / means.sum(1), rtol=1e-5)
    np.testing.assert_allclose(_areas(ax)["data"][1], 1, rtol=1e-5)


def test_lines_are_means_between_the_smallest_and_the_largest_value(tmp_path: Path) -> None:
    """The band behind a line is what a bucket's mean hides."""
    values = _random(90, 1)
    values[44] = 50
    ax = plot.stack(_record(tmp_path, [DATA], values), view="lines", max_buckets=9)
    np.testing.assert_allclose(_lines(ax)["data"], _bucket_means(values, 9)[:, 0], rtol=1e-5)
    paths = [path for band in ax.collections for path in band.get_paths()]
    assert max(np.asarray(path.vertices)[:, 1].max() for path in paths) == 50


def test_smoothing_is_tensorboards(tmp_path: Path) -> None:
    """The debiased average of all steps, also of those before the ones that are drawn."""
    values = _random(40, 1)
    recording = _record(tmp_path, [DATA], values)
    ax = plot.stack(recording, view="lines", smoothing=0.8, steps=(30, None))
    last, expected = 0.0, []
    for i, value in enumerate(values[:, 0]):
        last = last * 0.8 + 0.2 * value
        expected.append(last / (1 - 0.8 ** (i + 1)))
    np.testing.assert_allclose(_lines(ax)["data"], expected[30:], rtol=1e-5)
    assert ax.get_ylabel() == "loss (smoothed)"


def test_what_does_not_add_up_is_hatched(tmp_path: Path) -> None:
    """The residual lies on top, and what was recorded as the total is the edge."""
    recording = _record(tmp_path, [TOTAL, DATA, Term("kernel")], [[5, 2, 1]] * 3)
    ax = plot.stack(recording)
    low, high = _areas(ax)["residual"]
    assert (low.tolist(), high.tolist()) == ([3] * 3, [5] * 3)
    (residual,) = (area for area in ax.collections if area.get_label() == "residual")
    assert residual.get_hatch()


@pytest.mark.parametrize("role", OUTSIDE)
def test_what_is_no_summand_is_a_dashed_line_with_its_reason(tmp_path: Path, role: Any) -> None:
    """It is no part of the stack, whose upper edge stays the total."""
    recording = _record(tmp_path, [DATA, Term("decay", role=role)], [[2, 9]] * 3)
    ax = plot.stack(recording)
    assert list(_areas(ax)) == ["data"]
    assert _legend(ax) == ["total", "data", f"decay\n({OUTSIDE[role]})"]
    (line,) = (line for line in ax.get_lines() if "decay" in str(line.get_label()))
    assert line.get_linestyle() == "--"
    np.testing.assert_array_equal(line.get_ydata(), [9] * 3)


def test_a_term_that_joins_late_adds_what_it_adds_to_the_mean(tmp_path: Path) -> None:
    """Where a bucket has steps without it, its band is that much lower; before, there is none."""
    with Writer(tmp_path) as writer:
        for step in range(100):
            writer.write(step, 1.0, {"late": 4.0} if step >= 55 else {})
    ax = plot.stack(load(tmp_path)["."], max_buckets=10)
    low, high = _areas(ax)["late"]
    np.testing.assert_allclose(high - low, [2, 4, 4, 4, 4])
    np.testing.assert_allclose(_lines(ax)["total"], [1] * 5 + [3] + [5] * 4)


def test_what_is_not_finite_is_marked(tmp_path: Path) -> None:
    """And it is in no mean."""
    rows = [[1.0, 0.5], [math.nan, 0.5], [1.0, 0.5]]
    ax = plot.stack(_record(tmp_path, [DATA, Term("kernel")], rows))
    (mark,) = (line for line in ax.get_lines() if line.get_label() == "NaN or infinite")
    np.testing.assert_array_equal(mark.get_xdata(), [1])
    assert _legend(ax)[-1] == "NaN or infinite"


def test_a_single_step_is_seen(tmp_path: Path) -> None:
    """An area of no width would not be."""
    ax = plot.stack(_record(tmp_path, [DATA, Term("kernel")], [[2, 1]]))
    paths = [np.asarray(path.vertices) for each in ax.collections for path in each.get_paths()]
    drawn = [path.tolist() for path in paths if len(path) == 2]
    assert drawn == [[[0, 0], [0, 1]], [[0, 1], [0, 3]]]


def test_the_smallest_of_many_terms_are_one_band(tmp_path: Path) -> None:
    """Together they are as high as they would be by themselves."""
    values = np.tile(np.arange(1.0, 32.0), (10, 1))
    terms = [Term(f"layer_{i}/kernel") for i in range(30)]
    ax = plot.stack(_record(tmp_path, [*terms, DATA], values))
    low, high = _areas(ax)["18 more terms"]
    np.testing.assert_allclose(high - low, values[:, : 30 - TOP].sum(1), rtol=1e-5)
    assert list(_areas(ax))[:TOP] == [f"layer_{i}/kernel" for i in range(29, 17, -1)]
    few = plot.stack(_record(tmp_path / "few", [*terms[: TOP + 1], DATA], values[:, : TOP + 2]))
    assert len(_areas(few)) == TOP + 2


def test_terms_and_steps_choose_what_is_drawn(tmp_path: Path) -> None:
    """Terms by a regular expression, steps from the first to the last."""
    recording = _record(tmp_path, [DATA, Term("a/kernel"), Term("a/bias")], _random(10, 3))
    ax = plot.stack(recording, terms="kernel$", steps=(3, 6))
    assert list(_areas(ax)) == ["a/kernel"]
    np.testing.assert_array_equal(ax.get_lines()[0].get_xdata(), [3, 4, 5, 6])


def test_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    """No formula between dollars, none hidden for its underscore, and no line break."""
    names = ["_private", "$\\nonsense{$", "line\nbreak"]
    ax = plot.stack(_record(tmp_path, [*map(Term, names), DATA], [[3, 2, 1, 1]] * 2))
    ax.figure.canvas.draw()
    assert _legend(ax)[2:] == ["line\\nbreak", "$\\nonsense{$", "_private"]


def test_axes_of_ones_own_are_drawn_on(tmp_path: Path) -> None:
    """Side by side, and in colours for their ground."""
    recording = _record(tmp_path, [DATA, Term("kernel")], [[2, 1]] * 3)
    for style, palette in (("default", LIGHT), ("dark_background", DARK)):
        with pyplot.style.context(style):
            _, (left, right) = pyplot.subplots(1, 2)
            assert plot.stack(recording, ax=right) is right
            assert not left.collections
            (kernel,) = (area for area in right.collections if area.get_label() == "kernel")
            colour = matplotlib.colors.to_hex(np.asarray(kernel.get_facecolor())[0])
            assert colour == palette.penalties[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"view": "pie"}, "view must be one of stack, share, lines, not 'pie'"),
        ({"smoothing": 1}, "smoothing must be from 0 to below 1"),
        ({"max_buckets": 0}, "max_buckets must be at least 1"),
        ({"terms": "(kernel"}, r"terms is no regular expression: '\(kernel', missing \)"),
        ({"steps": (50, 60)}, "Nothing was recorded in these steps"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, arguments: dict[str, Any], said: str) -> None:
    """With what would be right."""
    recording = _record(tmp_path, [DATA], [[1.0]])
    with pytest.raises(ValueError, match=said):
        plot.stack(recording, **arguments)


def test_gradients_are_no_parts_of_a_loss(tmp_path: Path) -> None:
    """They are not stacked."""
    recording = _record(tmp_path, [Term("kernel", role="gradient")], [[1.0]])
    with pytest.raises(ValueError, match="a recording of gradients"):
        plot.stack(recording)


def test_a_million_steps_are_quick(tmp_path: Path) -> None:
    """What is drawn is a thousand means."""
    rows = np.ones((1_000_000, 4), np.float32)
    recording = _record(tmp_path, [DATA, *map(Term, "abc")], rows)
    start = time.monotonic()
    ax = plot.stack(recording)
    assert time.monotonic() - start < 5
    assert len(_lines(ax)["total"]) == 1000


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path) -> None:
    """Importing the package and its figures needs none; drawing names the extra."""
    with Writer(tmp_path) as writer:
        writer.write(0, 1.0, {})
    script = f"""
import sys
sys.modules["matplotlib"] = None
import tb_regplugin
recording = tb_regplugin.load({str(tmp_path)!r})["."]
try:
    tb_regplugin.plot.stack(recording)
except ImportError as error:
    print(error)
"""
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert 'pip install "tb_regplugin[plot]"' in result.stdout
